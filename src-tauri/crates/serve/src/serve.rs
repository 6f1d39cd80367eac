//! Runs the engine until a signal or another program ends it.

use crate::{arguments::Arguments, deep_links, failure::Failure, passphrase};
use std::{io::Write, sync::Arc};
use tokenry_api::servers::{SocketServer, serve_socket, supervise_loopback, supervise_sockets};
use tokenry_contract::profile;
use tokenry_core::{Code, OsRandom, Random, Secret};
use tokenry_engine::{ConsentMode, Engine, NoWindowHost, Options, VaultReport, VaultState};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs the engine until a signal stops it.
pub(crate) async fn serve(arguments: Arguments) -> Result<(), Failure> {
    let mut stop = Stop::listen()?;
    if arguments.deep_links {
        deep_links::register()?;
    }
    let code = (arguments.approve == ConsentMode::Possible).then(|| approval_code(&OsRandom));
    let engine = start(&arguments, code.clone()).await?;
    let folder = profile::folder()?;
    let listener = match open(&engine, &arguments).await {
        Ok(listener) => listener,
        Err(failure) => {
            engine.shutdown().await;
            return Err(failure);
        }
    };
    let loopback = supervise_loopback(engine.clone(), folder, arguments.loopback).await;
    let sockets = listener.path().parent().unwrap_or(engine.folder());
    let on_request = supervise_sockets(engine.clone(), sockets).await;
    let ready = async {
        opened(&engine, &arguments).await?;
        if let Some(code) = &code {
            say_code(code, arguments.background);
        }
        say_ready(&listener);
        engine.finished().await;
        Ok(())
    };
    let ended = tokio::select! {
        ended = ready => ended,
        () = stop.signalled() => Ok(()),
    };
    // This does nothing for an engine that has ended. A second signal skips waiting for a provider: the journal records what was in progress.
    tokio::select! { () = engine.shutdown() => {}, () = stop.signalled() => {} }
    on_request.close().await;
    loopback.close().await;
    listener.close().await;
    ended
}

/// Waits until the vault is unlocked, or cannot be unlocked now. Meanwhile the socket serves requests, which report
/// what the engine waits for.
async fn opened(engine: &Engine, arguments: &Arguments) -> Result<(), Failure> {
    let waits = engine.status().vault;
    if waits.waiting_for_keyring {
        say_locked(&waits);
    }
    engine.tried_to_open().await;
    let vault = engine.status().vault;
    match (vault.state, arguments.background) {
        (VaultState::Unlocked, _) => Ok(()),
        (_, true) if arguments.stay_locked => Ok(()),
        (_, true) => Err(locked(vault)),
        (_, false) => {
            say_locked(&vault);
            Ok(())
        }
    }
}

async fn start(arguments: &Arguments, code: Option<Secret>) -> Result<Engine, Failure> {
    let mut options = Options::for_this_machine(profile::folder()?, Arc::new(NoWindowHost), false)?;
    options.state = profile::state();
    options.vault = arguments.vault;
    options.passphrase = arguments.passphrase_fd.map(passphrase::from_fd).transpose()?;
    options.asking = arguments.approve;
    options.approval_code = code;
    // A path that is too long is reported before anything is created.
    profile::socket()?;
    Ok(Engine::start(options).await?)
}

async fn open(engine: &Engine, arguments: &Arguments) -> Result<SocketServer, Failure> {
    let vault = engine.status().vault;
    // An engine in the background cannot prompt.
    let is_locked = vault.state != VaultState::Unlocked && !vault.waiting_for_keyring;
    if is_locked && arguments.background && !arguments.stay_locked {
        return Err(locked(vault));
    }
    Ok(serve_socket(engine.clone(), &profile::socket()?).await?)
}

fn locked(vault: VaultReport) -> Failure {
    let (code, message) = vault.problem.unwrap_or_else(|| {
        let asks = "the vault cannot be unlocked without a prompt; `tokenry unlock` asks for the passphrase";
        (Code::VaultLocked, asks.to_owned())
    });
    Failure::new(code, message)
}

/// Reports why the vault is locked, and what unlocks it.
fn say_locked(vault: &VaultReport) {
    let what = match vault.state {
        VaultState::Absent => "there is no vault yet",
        VaultState::Damaged => "the vault is damaged",
        _ => "the vault is locked",
    };
    let words = match &vault.problem {
        Some((_, why)) => format!("{what}: {why}"),
        None => format!("{what}; run `tokenry unlock` in another terminal"),
    };
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// Prints the line that says that the engine is ready. Standard output may be closed.
fn say_ready(listener: &SocketServer) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "ready {}", listener.path().display()).and_then(|()| out.flush());
}

/// The code with which `tokenry approve` proves that its user started this engine: 40 random bits, as letters and digits
/// that cannot be confused. A wrong code takes a second.
fn approval_code(random: &dyn Random) -> Secret {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    let letters = bytes.map(|byte| char::from(LETTERS[usize::from(byte & 31)]));
    let (first, second) = letters.split_at(4);
    Secret::new(format!(
        "{}-{}",
        first.iter().collect::<String>(),
        second.iter().collect::<String>()
    ))
}

/// Only the command or terminal that started this program gets the code. In the background standard error is a file,
/// and standard output a pipe to that command.
fn say_code(code: &Secret, background: bool) {
    let code = code.expose();
    if background {
        let mut out = std::io::stdout();
        let _ = writeln!(out, "approval {code}").and_then(|()| out.flush());
    } else {
        let words = "answer permission requests with `tokenry approve`; the approval code is";
        let _ = writeln!(std::io::stderr(), "{words} {code}");
    }
}

/// The signals that stop the engine.
struct Stop([Signal; 3]);

impl Stop {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::internal(format!("cannot listen for signals: {error}")))
        };
        Ok(Self([
            listen(SignalKind::terminate())?,
            listen(SignalKind::interrupt())?,
            listen(SignalKind::hangup())?,
        ]))
    }

    async fn signalled(&mut self) {
        let [terminate, interrupt, hang_up] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}
