//! `tokenry settings`: auto-lock, and what the window alone changes.

use crate::args::{SetArgs, SettingsCommand};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::{Colour, Output, Style};
use crate::table::{Cell, facts};
use tokenry_contract::{AutoLockSources, Settings, UpdateAutoLock, UpdateSettings};

pub(crate) fn run(
    command: Option<&SettingsCommand>,
    engine: &Engine,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        None | Some(SettingsCommand::Show) => show(engine, output),
        Some(SettingsCommand::Set(args)) => set(args, engine, output),
    }
}

fn show(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let settings: Settings = engine.get(&["v1", "settings"])?;
    let sources = if output.is_json() {
        AutoLockSources::default()
    } else {
        engine.get(&["v1", "auto-lock", "sources"])?
    };
    output.data(&settings, |style| text(&settings, &sources, style))
}

fn set(args: &SetArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let change = UpdateSettings {
        auto_lock: Some(UpdateAutoLock {
            idle_minutes: args.idle_minutes,
            screen_lock: args.screen_lock.map(Into::into),
            suspend: args.suspend.map(Into::into),
            user_switch: args.user_switch.map(Into::into),
        }),
        tokens_while_locked: args.tokens_while_locked.map(Into::into),
        ..UpdateSettings::default()
    };
    let settings: Settings = engine.send_body(Method::Put, &["v1", "settings"], &change)?;
    output.done(&settings, "Changed the settings. `tokenry settings` shows them.")
}

fn text(settings: &Settings, sources: &AutoLockSources, style: Style) -> String {
    let auto_lock = settings.auto_lock;
    let idle_by = sources.idle.as_deref().unwrap_or("the use of Tokenry itself");
    let idle = auto_lock
        .idle_minutes
        .map(|minutes| format!("after {minutes} minutes"));
    let rows = vec![
        ("lock when idle", setting(idle.as_deref(), Some(idle_by))),
        (
            "lock with the screen",
            switch(auto_lock.screen_lock, sources.screen_lock.first()),
        ),
        (
            "lock at suspend",
            switch(auto_lock.suspend, sources.suspend.as_ref()),
        ),
        (
            "lock at user switch",
            switch(auto_lock.user_switch, sources.user_switch.as_ref()),
        ),
        (
            "tokens while locked",
            Cell::from(on_or_off(settings.tokens_while_locked)),
        ),
        (
            "passphrase for high-risk requests",
            Cell::from(on_or_off(settings.ask_passphrase)),
        ),
        ("HTTP API on 127.0.0.1", Cell::from(on_or_off(settings.loopback))),
        (
            "socket for oidc-agent's clients",
            Cell::from(on_or_off(settings.oidc_agent)),
        ),
    ];
    facts(rows, style)
}

fn switch(is_on: bool, source: Option<&String>) -> Cell {
    setting(is_on.then_some("on"), source.map(String::as_str))
}

/// What is set, and what it relies on. A setting that is on and cannot work here stands out.
fn setting(is_on: Option<&str>, source: Option<&str>) -> Cell {
    match (is_on, source) {
        (None, Some(_)) => Cell::from("off"),
        (None, None) => Cell::from("off (not available on this computer)"),
        (Some(on), Some(source)) => Cell::from(format!("{on} (by {source})")),
        (Some(on), None) => Cell::coloured(
            &format!("{on}, but nothing on this computer reports it"),
            Colour::Bad,
        ),
    }
}

fn on_or_off(is_on: bool) -> &'static str {
    if is_on { "on" } else { "off" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_contract::AutoLock;

    #[test]
    fn a_setting_that_cannot_work_here_says_so() {
        let settings = Settings {
            loopback: false,
            loopback_port: None,
            ask_passphrase: false,
            auto_lock: AutoLock {
                idle_minutes: Some(15),
                screen_lock: true,
                suspend: true,
                user_switch: false,
            },
            tokens_while_locked: false,
            oidc_agent: false,
        };
        let sources = AutoLockSources {
            screen_lock: vec!["org.gnome.ScreenSaver".to_owned()],
            ..AutoLockSources::default()
        };
        let text = text(&settings, &sources, Style { colour: false });
        for words in [
            "after 15 minutes (by the use of Tokenry itself)",
            "on (by org.gnome.ScreenSaver)",
            "on, but nothing on this computer reports it",
            "off (not available on this computer)",
        ] {
            assert!(text.contains(words), "{text}");
        }
    }
}
