//! Waiting for a consent flow to end.

use super::callback;
use crate::browser;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::{Method, Request, path};
use crate::interrupt;
use crate::output::{Output, write_out};
use crate::secret_input;
use crate::time::relative;
use jiff::Timestamp;
use std::io::IsTerminal;
use std::time::{Duration, Instant};
use tokenry_contract::{
    AuthorizeAnswer, Connection, ErrorCode, Flow, FlowStatus, Redirect, Success, sanitize_for_display,
};

/// How often the engine may be away, as while it hands over to the window, before we give up.
const AWAY_MAX: u32 = 3;

/// Says where the browser goes, waits, and says how it ended.
pub(super) fn follow(
    answer: &AuthorizeAnswer,
    name: &str,
    no_browser: bool,
    engine: &Engine,
    output: &Output,
) -> Result<(), Failure> {
    let asks = answer.redirect == Redirect::Paste && std::io::stdin().is_terminal();
    let call_off = || call_off(answer, engine, output);
    let connection = interrupt::or_else(call_off, || {
        let by_hand = no_browser || !open_browser(answer, engine, output);
        if browser::is_far_away() && answer.redirect != Redirect::Paste {
            output.say(&format!(
                "This is a session over SSH: a browser on another machine cannot come back to this one. To sign in \
                 there, press Ctrl-C and run `tokenry connect {name} --redirect paste`."
            ));
        }
        announce(answer, by_hand, output)?;
        if asks {
            ask(engine, output)
        } else {
            wait(answer, engine, output)
        }
    })?;
    done(&connection, output)
}

/// Says who is connected, and what is wrong with it from the start.
pub(super) fn done(connection: &Connection, output: &Output) -> Result<(), Failure> {
    output.done(connection, &connected(connection))?;
    if let Some(trouble) = &connection.trouble {
        output.say(&format!("warning: {}", trouble.message));
    }
    Ok(())
}

/// Whoever interrupts this command wants no connection: an answer that comes later must not make one.
fn call_off(answer: &AuthorizeAnswer, engine: &Engine, output: &Output) {
    let called_off: Result<Success, Failure> =
        engine.send(Method::Delete, &["v1", "flows", &answer.flow_id.to_string()]);
    match called_off {
        Ok(_) => {
            // The terminal shows the Ctrl-C in the line that is open.
            output.say("");
            output.say("Called off; nothing was connected.");
        }
        Err(failure) => output.fail(&failure),
    }
}

fn announce(answer: &AuthorizeAnswer, by_hand: bool, output: &Output) -> Result<(), Failure> {
    let until = relative(answer.expires_at, Timestamp::now());
    if by_hand {
        if output.is_json() {
            output.done(answer, "")?;
        } else {
            write_out((sanitize_for_display(&answer.browser_url) + "\n").as_bytes())?;
        }
        output.say(&format!(
            "Open that address in a browser. This ends when you are connected, or {until}."
        ));
    } else {
        output
            .say("Your browser asks you to sign in and to agree. If it does not come up, open this address:");
        output.say(&answer.browser_url);
        output.say(&format!("Waiting. This ends when you are connected, or {until}."));
    }
    if answer.redirect == Redirect::Paste {
        output.say("When the browser has ended at an address that does not open, copy that address.");
        if !std::io::stdin().is_terminal() {
            output.say("Send it to `tokenry callback` by standard input.");
        }
    }
    Ok(())
}

/// Whether it could be opened. Where it could not, the sign-in waits for a person who opens the address by hand.
///
/// The browser that this terminal names comes first: the engine is another process and does not know it. Over SSH the
/// engine's own would open on a screen that nobody looks at. What a browser is started with is seen by every user of
/// this machine, so on this machine it is given an address of the engine's and not the provider's, which has the
/// sign-in's `state` in it.
fn open_browser(answer: &AuthorizeAnswer, engine: &Engine, output: &Output) -> bool {
    let is_ours = answer.browser_url != answer.authorization_url;
    let named = (is_ours || browser::is_far_away()).then(|| browser::open(&answer.browser_url));
    match named.flatten() {
        Some(true) => return true,
        Some(false) => output.say("The browser that BROWSER names could not be opened."),
        None => {}
    }
    if browser::is_far_away() {
        return false;
    }
    let opened: Result<Success, Failure> = engine.send(
        Method::Post,
        &["v1", "flows", &answer.flow_id.to_string(), "open"],
    );
    match opened {
        Ok(_) => true,
        Err(failure) => {
            // As JSON there is one error for the whole command, or none.
            if !output.is_json() {
                output.fail(&failure);
            }
            false
        }
    }
}

/// Takes pasted addresses until one is right.
fn ask(engine: &Engine, output: &Output) -> Result<Connection, Failure> {
    while let Some(line) = secret_input::pasted("Paste the address: ")? {
        if line.trim().is_empty() {
            continue;
        }
        match callback::complete(line, engine) {
            Err(failure) if failure.code() == Some(ErrorCode::ValidationError) => output.fail(&failure),
            end => return end,
        }
    }
    Err(Failure::new(
        ErrorCode::ValidationError,
        "No address was pasted.",
        "Send it to `tokenry callback` by standard input, or start again.",
    ))
}

fn wait(answer: &AuthorizeAnswer, engine: &Engine, output: &Output) -> Result<Connection, Failure> {
    let target = path(&["v1", "flows", &answer.flow_id.to_string()]) + "?wait_seconds=30";
    let (mut away, mut refusals) = (0, 0);
    loop {
        let asked = Instant::now();
        let target = format!("{target}&refusals_seen={refusals}");
        match engine.ask::<Flow>(&Request::new(Method::Get, target)) {
            Ok(flow) if flow.status == FlowStatus::Waiting => {
                away = 0;
                if flow.refusals > refusals {
                    refusals = flow.refusals;
                    let why = flow.message.unwrap_or_default();
                    output.say(&format!(
                        "An answer came and was not taken: {}. Still waiting.",
                        why.trim_end_matches('.')
                    ));
                }
            }
            Ok(flow) => return ended(flow, engine),
            Err(failure) if is_away(&failure) && away < AWAY_MAX => away += 1,
            Err(failure) => return Err(failure),
        }
        // An engine that does not hold the question is not asked without a pause.
        std::thread::sleep(Duration::from_secs(1).saturating_sub(asked.elapsed()));
    }
}

fn is_away(failure: &Failure) -> bool {
    matches!(failure.code(), None | Some(ErrorCode::Internal))
}

fn ended(flow: Flow, engine: &Engine) -> Result<Connection, Failure> {
    let (code, message) = match flow.status {
        FlowStatus::Connected | FlowStatus::Waiting => {
            return engine.get(&["v1", "connections", &flow.connection_id.to_string()]);
        }
        FlowStatus::Failed => (
            ErrorCode::ProviderError,
            "The provider did not connect the account.",
        ),
        FlowStatus::Cancelled => (ErrorCode::ConsentDenied, "The connect was called off."),
        FlowStatus::Expired => (ErrorCode::FlowExpired, "Nobody answered in time."),
    };
    let message = flow.message.unwrap_or_else(|| message.to_owned());
    Err(Failure::told(flow.code.unwrap_or(code), message))
}

/// Who is connected now, as what, and what was not granted.
fn connected(connection: &Connection) -> String {
    let mut words = format!("Connected {}", connection.name);
    if let Some(account) = &connection.account {
        let who = account
            .email
            .as_ref()
            .or(account.name.as_ref())
            .unwrap_or(&account.subject);
        words += &format!(" as {who}");
    }
    words.push('.');
    if !connection.missing_scopes.is_empty() {
        words += &format!(" Not granted: {}.", connection.missing_scopes.join(" "));
    }
    words
}
