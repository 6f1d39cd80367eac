//! One file per command or family of commands.

mod agent_socket;
mod app;
mod approve;
mod audit;
mod authorize;
mod backup;
mod bind;
mod callback;
mod catalog;
pub(crate) mod check_report;
mod connect;
mod connection;
pub(crate) mod credential;
mod curl;
mod device;
mod dpop;
mod events;
mod events_export;
mod exec;
mod flow;
mod job;
mod list;
mod private_http;
mod proof;
mod provider;
mod provider_by_address;
mod provider_fields;
mod provider_file;
mod provider_preset;
mod provider_update;
mod recovery;
mod restore;
mod revoke;
mod settings;
mod setup;
mod setup_list;
mod show;
mod slots;
mod ssh_forward;
mod status;
pub(crate) mod token;
mod vault;
mod vault_check;

use crate::args::Command;
use crate::engine::{Engine, WhenAbsent};
use crate::failure::Failure;
use crate::helpers;
use crate::output::Output;
use crate::provider_args::ProviderCommand;
use crate::start;
use crate::vault_args::{RecoveryCommand, VaultCommand};
use std::path::Path;
use tokenry_contract::{AgentProtocol, TokenRequest};

/// How long after its last look the engine believes that `tokenry approve --wait` shows requests: the user may take time
/// for an answer.
const WATCHING_SECONDS: u32 = 60;

/// `tokenry token NAME` without any option.
pub(crate) fn token(name: &str, output: &Output) -> Result<(), Failure> {
    token::print(
        name,
        &TokenRequest::default(),
        &Engine::new(WhenAbsent::Start, None, output)?,
        output,
    )
}

/// Runs a command, as the app whose token is in this file.
pub(crate) fn run(command: &Command, app_token_file: Option<&Path>, output: &Output) -> Result<(), Failure> {
    let engine = || Engine::new(WhenAbsent::Start, app_token_file, output);
    let locked = || Engine::new(WhenAbsent::StartLocked, app_token_file, output);
    let running = || Engine::new(WhenAbsent::Fail, app_token_file, output);
    match command {
        Command::Provider(command) => run_provider(command, &engine()?, output),
        Command::Catalog(command) => catalog::run(command, &locked()?, output),
        Command::Credential(command) => credential::run(command, &engine()?, output),
        Command::Connect(args) => connect::run(args, &engine()?, output),
        Command::List => list::connections(&engine()?, output),
        Command::Status { name } => status::run(name.as_deref(), &running()?, output),
        Command::Token(args) => token::run(args, &engine()?, output),
        Command::Bind(args) => bind::run(args, &engine()?, output),
        Command::Setup(args) => setup::run(args, engine, running, output),
        Command::Helper(command) => helpers::run(command, engine, app_token_file, output),
        Command::OidcAgent(args) => {
            agent_socket::run(AgentProtocol::OidcAgent, Some("OIDC_SOCK"), args, locked, output)
        }
        Command::PizauthSocket(args) => agent_socket::run(AgentProtocol::Pizauth, None, args, locked, output),
        Command::SshForward(args) => ssh_forward::run(args, &engine()?),
        Command::Exec(args) => exec::run(args, &engine()?),
        Command::Headers(args) => exec::headers(args, &engine()?),
        Command::Curl(args) => curl::run(args, &engine()?),
        Command::Dpop(args) => dpop::run(args, &engine()?, output),
        Command::Refresh { name } => connection::refresh(name, &engine()?, output),
        Command::Disconnect { name } => connection::disconnect(name, &engine()?, output),
        Command::Callback { url } => callback::run(url.as_deref(), &engine()?, output),
        Command::OpenLink { link } => callback::open_link(link, &running()?),
        Command::Events(args) => events::run(args, &engine()?, output),
        Command::Audit(args) => audit::run(args, &engine()?, output),
        Command::Revoke(args) => revoke::run(args, &engine()?, output),
        Command::App(command) => app::run(command, &engine()?, output),
        Command::Approve(args) => approve::run(
            args,
            &running()?.waiting(args.wait.then_some(WATCHING_SECONDS)),
            output,
        ),
        Command::Doctor { offline } => crate::doctor::run(*offline, app_token_file, output),
        Command::Import(args) => crate::import::run(args, engine, output),
        Command::Lock => vault::lock(running, output),
        Command::Unlock(args) => vault::unlock(args, running, output),
        Command::Recovery(RecoveryCommand::New { yes, proof }) => {
            recovery::new(proof, *yes, &engine()?, output)
        }
        Command::Vault(VaultCommand::AcceptOlder) => vault::accept_older(&engine()?, output),
        Command::Vault(VaultCommand::Slots { command }) => slots::run(command.as_ref(), &engine()?, output),
        Command::Settings { command } => settings::run(command.as_ref(), &engine()?, output),
        Command::Backup(args) => backup::run(args, &engine()?, output),
        Command::Restore(args) => restore::run(args, running, output),
        Command::Vault(VaultCommand::Check(args)) => vault_check::check(args, &engine()?, output),
        Command::Vault(VaultCommand::Salvage(args)) => vault_check::salvage(args, &engine()?, output),
        Command::Serve { arguments } => Err(start::in_foreground(arguments)),
    }
}

fn run_provider(command: &ProviderCommand, engine: &Engine, output: &Output) -> Result<(), Failure> {
    match command {
        ProviderCommand::Add(args) => provider::add(args, engine, output),
        ProviderCommand::List => list::providers(engine, output),
        ProviderCommand::Show { name } => provider::show(name, engine, output),
        ProviderCommand::Edit(args) => provider::edit(args, engine, output),
        ProviderCommand::Update { name, yes } => provider_update::run(name.as_deref(), *yes, engine, output),
        ProviderCommand::Check { name } => provider::check(name, engine, output),
        ProviderCommand::Jwks { name } => provider::jwks(name, engine, output),
        ProviderCommand::Remove { name, disconnect } => provider::remove(name, *disconnect, engine, output),
    }
}
