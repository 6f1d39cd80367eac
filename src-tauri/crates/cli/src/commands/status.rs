//! `tokenry status`: the engine, or one connection.

use super::{provider_update, show};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::names::{self, Kind};
use crate::output::{Colour, Output, Style};
use crate::table::{Cell, facts};
use jiff::Timestamp;
use tokenry_contract::{Connection, EngineStatus, OAuthProvider, Vault, VaultState};

/// Starts no engine.
pub(crate) fn run(name: Option<&str>, engine: &Engine, output: &Output) -> Result<(), Failure> {
    match name {
        Some(name) => connection(name, engine, output),
        None => whole(engine, output),
    }
}

fn connection(name: &str, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let connection: Connection = engine
        .get(&["v1", "connections", name])
        .map_err(|failure| names::explain(failure, engine, Kind::Connection, name))?;
    output.data(&connection, |style| {
        show::connection(&connection, Timestamp::now(), style)
    })
}

fn whole(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let status: EngineStatus = engine.get(&["v1", "status"])?;
    output.data(&status, |style| {
        text(&status, &engine.socket().display().to_string(), style)
    })?;
    let is_shown = status.vault.state == VaultState::Unlocked && !output.is_json();
    if is_shown && status.providers > 0 {
        // An app may not be allowed to list them.
        let providers: Vec<OAuthProvider> = engine.get(&["v1", "oauth-providers"]).unwrap_or_default();
        provider_update::hint(&providers, output);
    }
    if is_shown
        && !status.connections.is_empty()
        && let Ok(connections) = engine.get::<Vec<Connection>>(&["v1", "connections"])
    {
        show::notices(&connections, output);
    }
    Ok(())
}

fn text(status: &EngineStatus, socket: &str, style: Style) -> String {
    let place = if status.window {
        "with a window"
    } else {
        "without a window"
    };
    let slots: Vec<String> = status.vault.slots.iter().map(show::words).collect();
    let counts: Vec<String> = status
        .connections
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(status, count)| format!("{count} {}", show::words(status)))
        .collect();
    let open = status.vault.state == VaultState::Unlocked;
    let none = if open { "none" } else { "" };
    let list = vec![
        (
            "engine",
            Cell::from(format!(
                "running {place}, version {}, process {}",
                status.version, status.pid
            )),
        ),
        ("socket", Cell::from(socket)),
        ("vault", vault_cell(&status.vault)),
        ("unlocked by", Cell::from(slots.join(", "))),
        (
            "reason",
            Cell::from(status.vault.message.as_deref().unwrap_or_default()),
        ),
        (
            "providers",
            Cell::from(if open {
                status.providers.to_string()
            } else {
                String::new()
            }),
        ),
        (
            "connections",
            Cell::from(if counts.is_empty() {
                none.to_owned()
            } else {
                counts.join(", ")
            }),
        ),
        (
            "daily backup",
            Cell::coloured(
                status.daily_backup_failure.as_deref().unwrap_or_default(),
                Colour::Bad,
            ),
        ),
    ];
    facts(list, style)
}

fn vault_cell(vault: &Vault) -> Cell {
    match vault.state {
        VaultState::Unlocked if vault.older => {
            Cell::coloured("read-only: restored from an older copy", Colour::Bad)
        }
        VaultState::Unlocked if vault.read_only => Cell::coloured("read-only", Colour::Bad),
        VaultState::Unlocked => Cell::coloured("unlocked", Colour::Good),
        _ if vault.waiting_for_keyring => Cell::coloured("waiting for the OS keyring", Colour::Busy),
        VaultState::Damaged => Cell::coloured("damaged", Colour::Bad),
        VaultState::Locked => Cell::coloured("locked (`tokenry unlock` unlocks it)", Colour::Busy),
        VaultState::Absent => Cell::coloured("none (`tokenry unlock` creates one)", Colour::Busy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_engine_says_where_it_is_whether_it_is_open_and_how_the_connections_are() {
        let status = serde_json::from_value(json!({"version": "0.1.0", "pid": 42, "window": false,
            "vault": {"state": "unlocked", "slots": ["keyring_and_passphrase"], "read_only": false, "code": null,
                "message": null},
            "providers": 2, "connections": {"active": 3, "paused": 0, "needs_reauth": 1}}))
        .unwrap();
        let expected = "\
engine       running without a window, version 0.1.0, process 42
socket       /x/engine.sock
vault        unlocked
unlocked by  keyring and passphrase
providers    2
connections  3 active, 1 needs reauth
";
        assert_eq!(text(&status, "/x/engine.sock", Style { colour: false }), expected);
    }
}
