//! Follows a sign-in until it ends.

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
    AuthorizeAnswer, Connection, ErrorCode, FLOW_LIFETIME_SECONDS, Flow, FlowStatus, OAuthProvider,
    PatchConnection, Redirect, Success, USUAL_RESPONSE_SECONDS, sanitize_for_display,
};

/// The engine may be unavailable this often, for example while it hands over to the desktop app.
const MAX_RETRIES: u32 = 3;

/// Shows the URL, waits for the sign-in, and shows its outcome.
pub(super) fn follow(
    answer: &AuthorizeAnswer,
    provider: &OAuthProvider,
    name: &str,
    no_browser: bool,
    engine: &Engine,
    output: &Output,
) -> Result<(), Failure> {
    let asks = answer.redirect == Redirect::Paste && std::io::stdin().is_terminal();
    let cancel = || cancel(answer.flow_id, engine, output);
    let connection = interrupt::or_else(cancel, || {
        let by_hand = no_browser || !open_browser(answer, engine, output);
        if browser::is_far_away() && answer.redirect != Redirect::Paste {
            output.say(&format!(
                "This is an SSH session: a browser on another machine cannot reach this one. To sign in there, press \
                 Ctrl-C and run `tokenry connect {name} --redirect paste`."
            ));
        }
        announce(answer, by_hand, output)?;
        if asks {
            ask(engine, output)
        } else {
            wait(answer.flow_id, Some(provider), engine, output)
        }
    })?;
    finished(&connection, engine, output)
}

/// Shows what was connected, and asks for a name where it has none.
pub(super) fn finished(connection: &Connection, engine: &Engine, output: &Output) -> Result<(), Failure> {
    done(connection, output)?;
    twins(connection, engine, output);
    name_it(connection, engine, output)
}

/// Says that the same account is connected twice. An app may not be allowed to list the others.
fn twins(connection: &Connection, engine: &Engine, output: &Output) {
    let all: Vec<Connection> = engine.get(&["v1", "connections"]).unwrap_or_default();
    let shown = all.into_iter().filter(|shown| shown.id == connection.id);
    super::show::notices(&shown.collect::<Vec<_>>(), output);
}

/// Asks at a terminal for a label, where nothing tells whose account was connected.
fn name_it(connection: &Connection, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let is_known = connection.account.is_some() || connection.label.is_some();
    if is_known || output.is_json() || !std::io::stdin().is_terminal() {
        return Ok(());
    }
    output.say(&format!(
        "{} does not say whose account this is.",
        connection.provider_name
    ));
    loop {
        let line = secret_input::shown_line("Label (press Enter for none): ")?.unwrap_or_default();
        let label = line.trim();
        if label.is_empty() {
            return Ok(());
        }
        let change = PatchConnection {
            label: Some(label.to_owned()),
            ..PatchConnection::default()
        };
        let id = connection.id.to_string();
        match engine.send_body::<Connection>(Method::Patch, &["v1", "connections", &id], &change) {
            Ok(named) => {
                output.say(&format!("It is called {}.", named.name));
                return Ok(());
            }
            Err(failure) if failure.code() == Some(ErrorCode::Conflict) => output.fail(&failure),
            Err(failure) if failure.code() == Some(ErrorCode::ValidationError) => output.fail(&failure),
            Err(failure) => return Err(failure),
        }
    }
}

/// Shows the account that was connected, and a warning if something is wrong with the connection.
pub(super) fn done(connection: &Connection, output: &Output) -> Result<(), Failure> {
    output.done(connection, &connected(connection))?;
    if let Some(trouble) = &connection.trouble {
        output.say(&format!("warning: {}", trouble.message));
    }
    Ok(())
}

/// Interrupting the command cancels the sign-in: a later response must not create a connection.
pub(super) fn cancel(flow: uuid::Uuid, engine: &Engine, output: &Output) {
    let cancelled: Result<Success, Failure> =
        engine.send(Method::Delete, &["v1", "flows", &flow.to_string()]);
    match cancelled {
        Ok(_) => {
            // The terminal shows ^C in the current line.
            output.say("");
            output.say("Cancelled. Nothing was connected.");
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
            "Open this URL in a browser. This command ends when you are connected, or {until}."
        ));
    } else {
        output.say("Finish signing in in your browser. If it does not open, open this URL:");
        output.say(&answer.browser_url);
        output.say(&format!(
            "Waiting. This command ends when you are connected, or {until}."
        ));
    }
    if answer.redirect == Redirect::Paste {
        output.say("When the browser shows a page that does not load, copy its URL.");
        if !std::io::stdin().is_terminal() {
            output.say("Send the URL to `tokenry callback` by standard input.");
        }
    }
    Ok(())
}

/// Whether a browser was opened. If not, the user has to open the URL.
///
/// This terminal's `BROWSER` comes first: the engine is another process and does not know it. Over SSH the engine's
/// browser would open on the wrong screen. Every user of this machine can see a browser's arguments, so on this machine
/// it gets a URL of the engine, and not the provider's, which contains the `state`.
fn open_browser(answer: &AuthorizeAnswer, engine: &Engine, output: &Output) -> bool {
    let is_ours = answer.browser_url != answer.authorization_url;
    let named = (is_ours || browser::is_far_away()).then(|| browser::open(&answer.browser_url));
    match named.flatten() {
        Some(true) => return true,
        Some(false) => output.say("Could not open the browser named by BROWSER."),
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
            // With --json the command prints at most one error.
            if !output.is_json() {
                output.fail(&failure);
            }
            false
        }
    }
}

/// Reads pasted URLs until one is accepted.
fn ask(engine: &Engine, output: &Output) -> Result<Connection, Failure> {
    while let Some(line) = secret_input::pasted("Paste the URL: ")? {
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
        "No URL was pasted.",
        "Send the URL to `tokenry callback` by standard input, or start again.",
    ))
}

/// Waits until a sign-in ends. After a while the user hears what the provider may lack.
pub(super) fn wait(
    id: uuid::Uuid,
    mut unasked: Option<&OAuthProvider>,
    engine: &Engine,
    output: &Output,
) -> Result<Connection, Failure> {
    let flow = path(&["v1", "flows", &id.to_string()]);
    let (mut retries, mut refusals) = (0, 0);
    loop {
        let asked = Instant::now();
        let seconds = if unasked.is_some() {
            USUAL_RESPONSE_SECONDS
        } else {
            30
        };
        let target = format!("{flow}?wait_seconds={seconds}&refusals_seen={refusals}");
        match engine.ask::<Flow>(&Request::new(Method::Get, target)) {
            Ok(flow) if flow.status == FlowStatus::Waiting => {
                retries = 0;
                if flow.refusals > refusals {
                    refusals = flow.refusals;
                    let why = flow.message.as_deref().unwrap_or_default();
                    output.say(&format!(
                        "Rejected a response: {}. Still waiting.",
                        why.trim_end_matches('.')
                    ));
                }
                if is_late(&flow)
                    && let Some(provider) = unasked.take()
                {
                    ask_about_redirect(&flow, provider, output);
                }
            }
            Ok(flow) => return ended(flow, engine),
            Err(failure) if is_unavailable(&failure) && retries < MAX_RETRIES => retries += 1,
            Err(failure) => return Err(failure),
        }
        // At most one request per second, in case the engine does not wait.
        std::thread::sleep(Duration::from_secs(1).saturating_sub(asked.elapsed()));
    }
}

/// Whether a response has taken longer than usual.
fn is_late(flow: &Flow) -> bool {
    let left = flow.expires_at.duration_since(Timestamp::now()).as_secs();
    left <= i64::from(FLOW_LIFETIME_SECONDS - USUAL_RESPONSE_SECONDS)
}

/// A provider that does not know the redirect URI says so on a page of its own, of which Tokenry hears nothing.
fn ask_about_redirect(flow: &Flow, provider: &OAuthProvider, output: &Output) {
    let Some(uri) = &flow.redirect_uri else { return };
    let at = match &provider.settings.register_url {
        Some(url) => format!(" at {url}"),
        None => String::new(),
    };
    output.say(&format!(
        "No response yet. If the browser shows an error about the redirect URI: does the provider know {uri}? Register \
         exactly this URI{at}, and try again."
    ));
}

fn is_unavailable(failure: &Failure) -> bool {
    matches!(failure.code(), None | Some(ErrorCode::Internal))
}

fn ended(flow: Flow, engine: &Engine) -> Result<Connection, Failure> {
    let (code, message) = match flow.status {
        FlowStatus::Connected | FlowStatus::Waiting => {
            return engine.get(&["v1", "connections", &flow.connection_id.to_string()]);
        }
        FlowStatus::Failed => (ErrorCode::ProviderError, "Sign-in failed at the provider."),
        FlowStatus::Cancelled => (ErrorCode::ConsentDenied, "The sign-in was cancelled."),
        FlowStatus::Expired => (ErrorCode::FlowExpired, "The sign-in expired."),
    };
    let message = flow.message.unwrap_or_else(|| message.to_owned());
    Err(Failure::of_engine(flow.code.unwrap_or(code), message))
}

/// The connection, its account, and the scopes that were not granted.
fn connected(connection: &Connection) -> String {
    let mut words = format!("Connected {}", connection.name);
    if let Some(account) = &connection.account {
        words += &format!(" as {}", account.display_name);
    }
    words.push('.');
    if !connection.missing_scopes.is_empty() {
        words += &format!(" Not granted: {}.", connection.missing_scopes.join(" "));
    }
    words
}
