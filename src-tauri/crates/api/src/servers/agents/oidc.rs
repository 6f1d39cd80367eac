//! The protocol of oidc-agent: one JSON object, plain or in an encrypted session, and one in answer.

mod message;
mod session;

use super::{
    connection::Client,
    tokens::{Account, IssuedToken, Requester, Wish},
};
use message::{Period, Request, Start};
use serde::Serialize;
use session::Session;
use std::{io, time::Duration};
use tokenry_engine::{Error, TokenView};
use zeroize::Zeroizing;

/// Serves one request.
pub(super) async fn serve(mut client: Client, requester: &Requester) -> io::Result<()> {
    let mut session = None;
    let request = match received(&mut client, &mut session).await {
        Ok(request) => request,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            // A client takes an answer in plain text in an encrypted session, too.
            let answer = failure(&format!("Bad Request: {error}"), None);
            return client.write(&answer).await;
        }
        Err(error) => return Err(error),
    };
    let answer = client.while_connected(answer(&request, requester)).await?;
    let answer = match session {
        Some(session) => session.sealed(&answer)?,
        None => answer,
    };
    client.write(&answer).await
}

/// Reads the request, in an encrypted session if the client begins with a key.
async fn received(client: &mut Client, session: &mut Option<Session>) -> io::Result<Request> {
    match client.read(message::start).await? {
        Start::Plain(request) => Ok(request),
        Start::Key(key) => {
            let new = session.insert(Session::with(&key));
            client.write(new.public_key().as_bytes()).await?;
            let sealed = client.read(message::sealed).await?;
            Request::read(&new.opened(&sealed)?)
        }
    }
}

type Answer = Zeroizing<Vec<u8>>;

async fn answer(request: &Request, requester: &Requester) -> Answer {
    let answered = match request.request.as_str() {
        "access_token" => token(request, requester, false).await,
        "id_token" => token(request, requester, true).await,
        "loaded_accounts" => requester.accounts().await.map(|accounts| {
            let status = SUCCESS;
            json(&AccountsAnswer {
                status,
                info: &accounts,
            })
        }),
        "check" => return json(&CheckAnswer { status: SUCCESS }),
        other => return failure(unsupported(other).0, Some(unsupported(other).1)),
    };
    answered.unwrap_or_else(|error| failure(&crate::envelope(&error).error.message, None))
}

async fn token(request: &Request, requester: &Requester, is_id_token: bool) -> Result<Answer, Error> {
    let account = match (&request.account, &request.issuer) {
        // `oidc-token` calls an issuer without TLS an account.
        (Some(address), _) if address.contains("://") => Account::AtIssuer(address),
        (Some(account), _) => Account::Named(account),
        (None, Some(issuer)) => Account::AtIssuer(issuer),
        (None, None) => {
            let next = "Bad Request: an account or an issuer is missing";
            return Ok(failure(next, Some("`tokenry list` shows all connections.")));
        }
    };
    let (min_valid, renew) = match request.min_valid_period {
        Period::Seconds(seconds) => (Duration::from_secs(seconds), false),
        Period::New => (Duration::ZERO, true),
    };
    let wish = Wish {
        min_valid,
        renew,
        scope: request.scope.clone(),
        audience: request.audience.clone(),
        id_token: is_id_token,
    };
    let IssuedToken { token, issuer } = requester.token(account, wish).await?;
    let issuer = issuer.unwrap_or_default();
    Ok(match is_id_token {
        true => id_token_answer(&token, &issuer),
        false => json(&TokenAnswer {
            status: SUCCESS,
            access_token: token.access_token.expose(),
            issuer: &issuer,
            // 0 is how oidc-agent says that the end is unknown.
            expires_at: token.expires_at.map_or(0, |end| end.as_second()),
        }),
    })
}

fn id_token_answer(token: &TokenView, issuer: &str) -> Answer {
    match &token.id_token {
        Some(id_token) => json(&IdTokenAnswer {
            status: SUCCESS,
            id_token: id_token.expose(),
            issuer,
        }),
        None => failure("the provider gave no id token", None),
    }
}

/// What is wrong with a request that is not one for a token, and the command that does it.
fn unsupported(request: &str) -> (&'static str, &'static str) {
    match request {
        "add" | "gen" | "autogen" | "register" | "code_exchange" | "state_lookup" | "device"
        | "reauthenticate" => (
            "Tokenry adds no accounts over this socket",
            "Run `tokenry connect NAME`, or take over oidc-agent's accounts with `tokenry import oidc-agent`.",
        ),
        "remove" | "remove_all" | "delete" | "delete_client" => (
            "Tokenry removes no accounts over this socket",
            "Run `tokenry disconnect NAME`.",
        ),
        "lock" | "unlock" => (
            "Tokenry is not locked or unlocked over this socket",
            "Run `tokenry lock` or `tokenry unlock`.",
        ),
        "status" | "status_json" | "account_info" => (
            "Tokenry shows its status elsewhere",
            "Run `tokenry status` or `tokenry list`.",
        ),
        "scopes" => (
            "Tokenry lists no scopes over this socket",
            "Run `tokenry provider show NAME`.",
        ),
        "mytoken" | "mytoken_supported_providers" => (
            "Tokenry has no mytokens",
            "Request an access token instead: `oidc-token NAME`.",
        ),
        _ => (
            "Tokenry answers no such request",
            "Requests for tokens and for the list of accounts are answered; for the rest see `tokenry --help`.",
        ),
    }
}

const SUCCESS: &str = "success";

#[derive(Serialize)]
struct TokenAnswer<'a> {
    status: &'static str,
    access_token: &'a str,
    issuer: &'a str,
    expires_at: i64,
}

#[derive(Serialize)]
struct IdTokenAnswer<'a> {
    status: &'static str,
    id_token: &'a str,
    issuer: &'a str,
}

#[derive(Serialize)]
struct AccountsAnswer<'a> {
    status: &'static str,
    info: &'a [String],
}

#[derive(Serialize)]
struct CheckAnswer {
    status: &'static str,
}

#[derive(Serialize)]
struct FailureAnswer<'a> {
    status: &'static str,
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<&'a str>,
}

fn failure(error: &str, info: Option<&str>) -> Answer {
    let status = "failure";
    json(&FailureAnswer { status, error, info })
}

/// Large enough for nearly every token, so that the buffer does not grow and leave a copy behind.
const ANSWER_BYTES: usize = 16 << 10;

fn json(answer: &impl Serialize) -> Answer {
    let mut bytes = Zeroizing::new(Vec::with_capacity(ANSWER_BYTES));
    if serde_json::to_writer(&mut *bytes, answer).is_err() {
        // Texts and numbers always serialize.
        bytes.clear();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_else_oidc_agent_can_do_names_a_command_of_ours() {
        for request in [
            "add",
            "gen",
            "remove",
            "delete",
            "lock",
            "status",
            "scopes",
            "mytoken",
            "file_read",
            "",
            "x\0",
        ] {
            let (error, next) = unsupported(request);
            assert!(next.contains('`') && error.starts_with("Tokenry"), "{request}");
        }
    }

    #[test]
    fn a_failure_is_one_json_object_whatever_the_text_holds() {
        let answer = failure("a\n\"b\"\0", Some("c"));
        let read: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(read["status"], "failure");
        assert_eq!(read["error"], "a\n\"b\"\0");
        assert_eq!(read["info"], "c");
    }
}
