//! `tokenry revoke`: cuts off an app, a connection, or everything.

use super::audit;
use crate::args::RevokeArgs;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::names::{self, Kind};
use crate::output::{Colour, Output, Style};
use crate::table::{Cell, table};
use crate::time::both;
use jiff::Timestamp;
use tokenry_contract::{ErrorCode, RevokeAnswer, RevokeRequest, Revoked, RevokedConnection};

pub(crate) fn run(args: &RevokeArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let body = RevokeRequest {
        app: args.app.clone(),
        connection: args.connection.clone(),
        all: args.all,
    };
    let answer: RevokeAnswer =
        engine
            .send_body(Method::Post, &["v1", "revoke"], &body)
            .map_err(|failure| match &args.connection {
                Some(name) => names::explain(failure, engine, Kind::Connection, name),
                None => failure,
            })?;
    output.data(&answer, |style| text(&answer, Timestamp::now(), style))?;
    output.say(&ended(&answer));
    if !answer.still_valid.is_empty() {
        output.say(
            "What is listed as still valid cannot be taken back here. Tokens end by themselves at the time shown; change \
             API keys and passwords at their services.",
        );
    }
    not_revoked(&answer)
}

fn ended(answer: &RevokeAnswer) -> String {
    let parts = [
        (answer.grants, "grant", "grants"),
        (answer.app_tokens, "app token", "app tokens"),
        (answer.sessions, "session permission", "session permissions"),
        (answer.prompts, "permission request", "permission requests"),
        (answer.sign_ins, "sign-in", "sign-ins"),
    ];
    let named = parts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }));
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        return "No grant and no permission was left to end.".to_owned();
    }
    format!("Ended: {}.", named.join(", "))
}

fn text(answer: &RevokeAnswer, now: Timestamp, style: Style) -> String {
    let mut text = String::new();
    if !answer.connections.is_empty() {
        let row = |connection: &RevokedConnection| -> Vec<Cell> {
            let end = connection
                .tokens_expire_at
                .map_or("–".to_owned(), |at| both(at, now));
            vec![Cell::from(&connection.name), outcome(connection), Cell::from(end)]
        };
        let headings = ["CONNECTION", "AT THE PROVIDER", "LAST TOKEN ENDS"];
        text += &table(&headings, answer.connections.iter().map(row).collect(), style);
    }
    if !answer.still_valid.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text += &audit::still_valid(&answer.still_valid, now, style);
    }
    text
}

/// Never "revoked" without the provider's word.
fn outcome(connection: &RevokedConnection) -> Cell {
    let (words, colour) = match connection.revoked {
        None => ("there were no tokens", Colour::Dim),
        Some(Revoked::Yes) => ("revoked", Colour::Good),
        Some(Revoked::No) => ("not revoked", Colour::Bad),
        Some(Revoked::Pending) => ("not revoked yet; Tokenry keeps trying", Colour::Bad),
        Some(Revoked::Unsupported) => ("not revoked: the provider cannot", Colour::Bad),
    };
    let why = connection.detail.as_deref().map(|why| format!(": {why}"));
    Cell::coloured(&format!("{words}{}", why.unwrap_or_default()), colour)
}

/// The exit code says so, too, when a provider did not revoke.
fn not_revoked(answer: &RevokeAnswer) -> Result<(), Failure> {
    let is_left = |connection: &&RevokedConnection| !matches!(connection.revoked, None | Some(Revoked::Yes));
    let left: Vec<_> = answer
        .connections
        .iter()
        .filter(is_left)
        .map(|connection| connection.name.as_str())
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        ErrorCode::ProviderError,
        format!(
            "Access ended here, but the providers of these connections did not revoke their tokens: {}.",
            left.join(", ")
        ),
        "Remove the access of Tokenry on the provider's website, or wait until the tokens end.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_word_of_the_provider_is_called_revoked() {
        for (revoked, words) in [
            (json!(null), "there were no tokens"),
            (json!("yes"), "revoked"),
            (json!("no"), "not revoked: it said no"),
            (
                json!("pending"),
                "not revoked yet; Tokenry keeps trying: it said no",
            ),
            (
                json!("unsupported"),
                "not revoked: the provider cannot: it said no",
            ),
        ] {
            let detail = (revoked != json!(null) && revoked != json!("yes")).then_some("it said no");
            let connection = json!({"id": "01900000-0000-7000-8000-000000000001", "name": "kit", "revoked": revoked,
                "detail": detail, "tokens_expire_at": null});
            let answer: RevokeAnswer =
                serde_json::from_value(json!({"grants": 1, "app_tokens": 0, "sessions": 2,
                "prompts": 0, "sign_ins": 0, "connections": [connection], "still_valid": []}))
                .unwrap();
            let text = text(&answer, Timestamp::UNIX_EPOCH, Style { colour: false });
            let line = text.lines().nth(1).unwrap();
            assert!(line.starts_with(&format!("kit         {words}")), "{line:?}");
            assert_eq!(not_revoked(&answer).is_ok(), detail.is_none());
            assert_eq!(ended(&answer), "Ended: 1 grant, 2 session permissions.");
        }
    }
}
