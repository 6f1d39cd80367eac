use crate::{arguments::Arguments, failure::Failure, passphrase};
use std::{io::Write, sync::Arc};
use tokenry_api::doors::{SocketDoor, keep_loopback, serve_socket};
use tokenry_contract::profile;
use tokenry_core::{Code, OsRandom, Random, Secret};
use tokenry_engine::{Asking, Engine, NoWindowHost, Options, VaultReport, VaultState};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Is the engine, until somebody says stop.
pub(crate) async fn serve(arguments: Arguments) -> Result<(), Failure> {
    let mut stop = Stop::listen()?;
    let code = (arguments.approve == Asking::Possible).then(|| approval_code(&OsRandom));
    let engine = start(&arguments, code.clone()).await?;
    let folder = profile::folder()?;
    let door = match open(&engine, &arguments).await {
        Ok(door) => door,
        Err(failure) => {
            engine.shutdown().await;
            return Err(failure);
        }
    };
    let loopback = keep_loopback(engine.clone(), folder, arguments.loopback).await;
    let ready = async {
        opened(&engine, &arguments).await?;
        if let Some(code) = &code {
            say_code(code, arguments.background);
        }
        say_ready(&door);
        engine.finished().await;
        Ok(())
    };
    let ended = tokio::select! {
        ended = ready => ended,
        () = stop.told() => Ok(()),
    };
    // For one that has ended already this is nothing. Whoever says it twice does not want to wait for a provider; the journal knows what was under way.
    tokio::select! { () = engine.shutdown() => {}, () = stop.told() => {} }
    loopback.close().await;
    door.close().await;
    ended
}

/// Waits until the vault is open, or is known to stay shut. The door is open meanwhile: whoever asks there hears what
/// is waited for.
async fn opened(engine: &Engine, arguments: &Arguments) -> Result<(), Failure> {
    let waits = engine.status().vault;
    if waits.waiting_for_keyring {
        say_shut(&waits);
    }
    engine.tried_to_open().await;
    let vault = engine.status().vault;
    match (vault.state, arguments.background) {
        (VaultState::Unlocked, _) => Ok(()),
        (_, true) if arguments.stay_locked => Ok(()),
        (_, true) => Err(shut(vault)),
        (_, false) => {
            say_shut(&vault);
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
    // A path that is too long is told before anything is made.
    profile::socket()?;
    Ok(Engine::start(options).await?)
}

async fn open(engine: &Engine, arguments: &Arguments) -> Result<SocketDoor, Failure> {
    let vault = engine.status().vault;
    // In the background nobody is there to be asked.
    let is_shut = vault.state != VaultState::Unlocked && !vault.waiting_for_keyring;
    if is_shut && arguments.background && !arguments.stay_locked {
        return Err(shut(vault));
    }
    Ok(serve_socket(engine.clone(), &profile::socket()?).await?)
}

fn shut(vault: VaultReport) -> Failure {
    let (code, message) = vault.problem.unwrap_or_else(|| {
        let asks = "the vault does not open without a question; `tokenry unlock` asks for the passphrase";
        (Code::VaultLocked, asks.to_owned())
    });
    Failure::new(code, message)
}

/// What keeps the vault shut, and what opens it, for whoever started this program.
fn say_shut(vault: &VaultReport) {
    let what = match vault.state {
        VaultState::Absent => "there is no vault yet",
        VaultState::Damaged => "the vault is damaged",
        _ => "the vault is locked",
    };
    let words = match &vault.problem {
        Some((_, why)) => format!("{what}: {why}"),
        None => format!("{what}; `tokenry unlock` in another terminal opens it"),
    };
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// The one line on standard output. Whoever started us may have closed it.
fn say_ready(door: &SocketDoor) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "ready {}", door.path().display()).and_then(|()| out.flush());
}

/// What whoever answers questions with `tokenry approve` proves with that it is the person who started this engine:
/// 40 random bits as letters and digits that cannot be taken for one another. A wrong one costs a second.
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

/// To whoever started us, and nobody else. In the background standard error is a file, and standard output a pipe to
/// the command that started us.
fn say_code(code: &Secret, background: bool) {
    let code = code.expose();
    if background {
        let mut out = std::io::stdout();
        let _ = writeln!(out, "approval {code}").and_then(|()| out.flush());
    } else {
        let words = "questions are answered with `tokenry approve`; the approval code is";
        let _ = writeln!(std::io::stderr(), "{words} {code}");
    }
}

/// The ways in which the system says stop.
struct Stop([Signal; 3]);

impl Stop {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::internal(format!("no signals: {error}")));
        Ok(Self([
            listen(SignalKind::terminate())?,
            listen(SignalKind::interrupt())?,
            listen(SignalKind::hangup())?,
        ]))
    }

    async fn told(&mut self) {
        let [terminate, interrupt, hang_up] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}
