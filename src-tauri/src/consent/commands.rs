//! The commands of the consent window: it reads the first prompt and answers it.

use super::{Consent, LABEL, arming::TooEarly};
use crate::{commands::envelope, state::Shell};
use serde_json::Value;
use std::time::Instant;
use tauri::{State, WebviewWindow, ipc::Channel};
use tokenry_api::servers::InProcessResponse;
use tokenry_contract::{ErrorCode, ErrorEnvelope};
use tokenry_engine::Change;
use tokio::sync::broadcast::error::RecvError;

/// What the window may request.
#[derive(Debug, PartialEq, Eq)]
enum Request<'a> {
    ReadPrompts,
    /// The prompt with this id.
    Answer(&'a str),
}

/// Returns the first open prompt, or answers it.
#[tauri::command]
pub(crate) async fn consent_request(
    window: WebviewWindow,
    shell: State<'_, Shell>,
    consent: State<'_, Consent>,
    method: String,
    path: String,
    body: Option<Value>,
) -> Result<InProcessResponse, ErrorEnvelope> {
    only_from_the_consent_window(window.label())?;
    let request = read(&method, &path).ok_or_else(|| {
        denied("this window can only read the open permission request and answer it".to_owned())
    })?;
    if let Request::Answer(id) = request
        && allows(body.as_ref())
    {
        consent.may_allow(id).map_err(too_early)?;
    }
    let server = shell.running().await?.consent;
    let mut answer = server.handle(&method, &path, body).await;
    if request == Request::ReadPrompts {
        only_the_first(&mut answer);
        let first = answer.body.get(0);
        consent.arming().showed(first, Instant::now());
    }
    Ok(answer)
}

/// Tells the window, until it closes, that the prompts have changed, and nothing else.
#[tauri::command]
pub(crate) async fn consent_subscribe(
    window: WebviewWindow,
    shell: State<'_, Shell>,
    channel: Channel<tokenry_contract::Change>,
) -> Result<(), ErrorEnvelope> {
    only_from_the_consent_window(window.label())?;
    let mut changes = shell.running().await?.engine.changes();
    tauri::async_runtime::spawn(async move {
        loop {
            match changes.recv().await {
                Ok(Change::Prompts | Change::Engine) | Err(RecvError::Lagged(_)) => {
                    if channel.send(tokenry_contract::Change::Prompts).is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                Err(RecvError::Closed) => return,
            }
        }
    });
    Ok(())
}

/// Refuses every other window, whatever its capabilities are.
fn only_from_the_consent_window(label: &str) -> Result<(), ErrorEnvelope> {
    if label == LABEL {
        return Ok(());
    }
    Err(denied("only the consent window may do this".to_owned()))
}

fn read<'a>(method: &str, path: &'a str) -> Option<Request<'a>> {
    match method {
        "GET" => (path == "/v1/prompts").then_some(Request::ReadPrompts),
        "POST" => {
            let id = path.strip_prefix("/v1/prompts/")?.strip_suffix("/answer")?;
            let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
            is_id.then_some(Request::Answer(id))
        }
        _ => None,
    }
}

/// Whether the answer could allow anything. Every answer but a plain denial could.
fn allows(body: Option<&Value>) -> bool {
    body.and_then(|body| body.get("decision")) != Some(&Value::String("deny".to_owned()))
}

/// Keeps the first prompt only, so that the window does not get the numbers of the others.
fn only_the_first(answer: &mut InProcessResponse) {
    if let Value::Array(prompts) = &mut answer.body {
        prompts.truncate(1);
    }
}

fn too_early(why: TooEarly) -> ErrorEnvelope {
    denied(why.to_string())
}

fn denied(message: String) -> ErrorEnvelope {
    envelope(ErrorCode::PermissionDenied, message)
}

/// SECURITY.md, "Webview": the consent window cannot do anything else.
#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_reads_the_prompts_and_answers_one_and_everything_else_is_refused() {
        assert_eq!(read("GET", "/v1/prompts"), Some(Request::ReadPrompts));
        let id = "0193f2c4-7a01-7000-8000-000000000001";
        let path = format!("/v1/prompts/{id}/answer");
        assert_eq!(read("POST", &path), Some(Request::Answer(id)));
        for (method, path) in [
            ("GET", "/v1/connections"),
            ("GET", "/v1/prompts?x=1"),
            ("GET", "/v1/prompts/"),
            ("get", "/v1/prompts"),
            ("POST", "/v1/prompts"),
            ("POST", "/v1/prompts//answer"),
            ("POST", "/v1/prompts/../answer"),
            ("POST", "/v1/prompts/%2e%2e/answer"),
            ("POST", "/v1/prompts/a/b/answer"),
            ("POST", "/v1/prompts/ab/answer?x=1"),
            ("POST", "/v1/prompts/ab/answer/"),
            ("POST", "/v1/connections/ab/token"),
            ("POST", "/v1/unlock"),
            ("PUT", "/v1/prompts/ab/answer"),
            ("DELETE", "/v1/prompts/ab/answer"),
            ("", ""),
        ] {
            assert_eq!(read(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn only_a_plain_denial_needs_no_delay() {
        assert!(!allows(Some(&json!({"decision": "deny", "number": "1"}))));
        for body in [
            json!({"decision": "once"}),
            json!({"decision": "session"}),
            json!({"decision": "authorize"}),
            json!({"decision": "Deny"}),
            json!({"decision": ["deny"]}),
            json!({"decision": null}),
            json!({}),
            json!("deny"),
        ] {
            assert!(allows(Some(&body)), "{body}");
        }
        assert!(allows(None));
    }

    #[test]
    fn another_window_is_refused_whatever_its_capabilities_are() {
        assert!(only_from_the_consent_window("consent").is_ok());
        for label in ["main", "", "consent2", "Consent"] {
            let refused = only_from_the_consent_window(label).unwrap_err();
            assert_eq!(refused.error.code, ErrorCode::PermissionDenied, "{label}");
        }
    }

    #[test]
    fn the_numbers_of_the_other_prompts_are_not_returned() {
        let mut answer = InProcessResponse {
            status: 200,
            body: json!([{"id": "a", "number": "1"}, {"id": "b", "number": "2"}]),
        };
        only_the_first(&mut answer);
        assert_eq!(answer.body, json!([{"id": "a", "number": "1"}]));
    }
}
