//! Faults that a test queues for an endpoint.

use crate::answer::{Answer, Content, Delivery};
use crate::{Flaw, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An endpoint that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// RFC 6749 §3.2.
    Token,
    /// RFC 7009.
    Revocation,
    /// OpenID Connect Core §5.3.
    Userinfo,
}

/// One way to go wrong. Where a fault is said to be *processed*, the server has done what it was asked for (a
/// refresh token is replaced by then); otherwise it has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Processed, then the connection is closed without an answer.
    LoseAnswer,
    /// Processed, then half of the answer is sent and the connection is cut.
    CutAnswer,
    /// Processed, then 500.
    Error500AfterRotating,
    /// 500, not processed.
    Error500BeforeRotating,
    /// The login page of a hotel, with 200. Not processed.
    CaptivePortalHtml200,
    /// A firewall's page, with 403. Not processed.
    ProxyForbiddenHtml403,
    /// 503 and `temporarily_unavailable`. Not processed.
    TemporarilyUnavailable {
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// An error answer as RFC 6749 §5.2 has it. Not processed.
    OauthError {
        /// The HTTP status; some servers say 200.
        status: u16,
        /// `error`.
        error: String,
    },
    /// The token is said to be dead, in other words than those of RFC 6749. Not processed.
    Refused(Refusal),
    /// Processed, and something beside the refresh token is wrong with the answer.
    Flawed(Flaw),
    /// 401 `invalid_client`. Not processed.
    InvalidClient,
    /// Processed, without `expires_in`.
    OmitExpiresIn,
    /// Processed, `expires_in` is a text.
    ExpiresInAsText,
    /// Processed, `expires_in` is this value, whatever it is.
    ExpiresIn(Value),
    /// Processed, with these members, too: an object.
    Members(Value),
    /// Processed, `token_type` is `bearer`.
    LowerCaseBearer,
    /// Processed, `token_type` is this.
    TokenType(String),
    /// Processed, without `scope`.
    NoScope,
    /// Processed, and this is all that was granted.
    NarrowerScope(String),
    /// Processed, the answer is form-encoded.
    FormEncoded,
    /// Processed, the JSON text ends in its middle.
    TruncatedJson,
    /// Processed, `access_token` stands twice in the JSON text.
    DuplicateKey,
    /// Processed, an answer of 8 MiB.
    HugeBody,
    /// Processed, answered after so many milliseconds.
    SlowAnswer(u64),
    /// A 302 to this address. Not processed.
    Redirect302To(String),
    /// A 307 to this address, which asks for the body to be sent there again. Not processed.
    Redirect307To(String),
    /// No answer; the connection is closed at the end.
    Hang {
        /// Whether the request is processed before.
        processed: bool,
        /// For how many milliseconds; `None` until [`Server::release`](crate::Server::release).
        millis: Option<u64>,
    },
    /// Waits for [`Server::release`](crate::Server::release), then processes and answers as it should.
    Gate,
}

impl Fault {
    /// The answer of a fault that does not process the request.
    pub(crate) fn instead(&self, nth: usize) -> Option<Answer> {
        Some(match self {
            Self::Refused(refusal) => refusal.answer(nth),
            Self::Error500BeforeRotating => Answer::json(500, json!({"error": "server_error"})),
            Self::CaptivePortalHtml200 => {
                Answer::html(200, "<!doctype html><title>Hotel Wi-Fi</title>Room number?")
            }
            Self::ProxyForbiddenHtml403 => Answer::html(
                403,
                "<!doctype html><title>403 Forbidden</title>Blocked by policy",
            ),
            Self::TemporarilyUnavailable { retry_after } => {
                let answer = Answer::json(503, json!({"error": "temporarily_unavailable"}));
                match retry_after {
                    Some(seconds) => answer.header("retry-after", &seconds.to_string()),
                    None => answer,
                }
            }
            Self::OauthError { status, error } => Answer::error(*status, error),
            Self::InvalidClient => Answer::error(401, "invalid_client"),
            Self::Redirect302To(url) => Answer::empty(302).header("location", url),
            Self::Redirect307To(url) => Answer::empty(307).header("location", url),
            _ => return None,
        })
    }

    /// What is left of a good answer once this fault got at it.
    pub(crate) fn spoil(&self, mut answer: Answer) -> Delivery {
        match self {
            Self::LoseAnswer | Self::Hang { .. } => return Delivery::Close,
            Self::Error500AfterRotating => answer = Answer::json(500, json!({"error": "server_error"})),
            Self::CutAnswer => answer.content = Content::Cut(answer.content.text()),
            Self::HugeBody => answer.content = Content::Huge,
            Self::TruncatedJson => {
                let text = answer.content.text();
                answer.content = Content::Json(text[..text.len() / 2].to_owned());
            }
            Self::DuplicateKey => {
                let rest = answer.content.text();
                answer.content = Content::Json(rest.replacen('{', r#"{"access_token":"at-twice","#, 1));
            }
            Self::FormEncoded => answer.form_encode(),
            Self::OmitExpiresIn => answer.member("expires_in", None),
            Self::ExpiresInAsText => {
                let seconds = answer
                    .get("expires_in")
                    .map(|value| Value::String(value.to_string()));
                answer.member("expires_in", seconds);
            }
            Self::ExpiresIn(value) => answer.member("expires_in", Some(value.clone())),
            Self::Members(members) => {
                for (name, value) in members.as_object().into_iter().flatten() {
                    answer.member(name, Some(value.clone()));
                }
            }
            Self::LowerCaseBearer => answer.member("token_type", Some("bearer".into())),
            Self::TokenType(name) => answer.member("token_type", Some(name.as_str().into())),
            Self::NoScope => answer.member("scope", None),
            Self::Flawed(flaw) => answer = flaw.spoil(answer),
            Self::NarrowerScope(scope) => answer.member("scope", Some(scope.as_str().into())),
            _ => {}
        }
        Delivery::Send(answer)
    }
}
