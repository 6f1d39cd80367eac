//! Ways in which the server refuses a refresh.

use crate::answer::{Answer, Content};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The ways in which servers in the wild say that a refresh token is dead, beyond `invalid_grant` as RFC 6749 §5.2
/// has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// `invalid_grant` with 403.
    Forbidden403,
    /// `bad_refresh_token` inside of a 200 (GitHub).
    BadRefreshTokenIn200,
    /// `invalid_code`.
    InvalidCode,
    /// `interaction_required` with a description of several lines and a trace id that changes (Entra).
    InteractionRequired,
    /// `invalid_request`, and the reason in its description.
    InvalidRequest,
    /// `errors`, a list of objects (Fitbit).
    ErrorsList,
    /// `errors`, a list of texts.
    ErrorsTexts,
    /// `status` and `message`, and no `error`.
    StatusAndMessage,
    /// 200, and `status` 401 inside of it.
    StatusIn200,
    /// `error` is an object (Google, Meta).
    ErrorObject,
    /// `detail` (FastAPI, Django REST framework).
    Detail,
    /// A problem document (RFC 9457).
    Problem,
    /// `fault` (Apigee).
    Fault,
    /// The error as a form.
    FormEncoded,
    /// 400 without a body.
    Empty400,
    /// 401 without a body, called HTML (Express).
    Empty401Html,
    /// 403 without a body.
    Empty403,
    /// JSON that is called HTML (PHP).
    JsonAsHtml,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Forbidden403,
        Self::BadRefreshTokenIn200,
        Self::InvalidCode,
        Self::InteractionRequired,
        Self::InvalidRequest,
        Self::ErrorsList,
        Self::ErrorsTexts,
        Self::StatusAndMessage,
        Self::StatusIn200,
        Self::ErrorObject,
        Self::Detail,
        Self::Problem,
        Self::Fault,
        Self::FormEncoded,
        Self::Empty400,
        Self::Empty401Html,
        Self::Empty403,
        Self::JsonAsHtml,
    ];

    /// What a user should be shown of it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Forbidden403 | Self::JsonAsHtml => "invalid_grant (“testkit says no”)",
            Self::BadRefreshTokenIn200 => "bad_refresh_token",
            Self::InvalidCode => "invalid_code",
            Self::InteractionRequired => "interaction_required (“AADSTS50076: Use MFA. Trace ID: ",
            Self::InvalidRequest => "invalid_request (“refresh token is invalid”)",
            Self::ErrorsList => "invalid_grant (“Refresh token invalid”)",
            Self::ErrorsTexts => "Refresh token expired",
            Self::StatusAndMessage => "Invalid refresh token",
            Self::StatusIn200 => "Unauthorized",
            Self::ErrorObject => "UNAUTHENTICATED (“Invalid credentials”)",
            Self::Detail => "Token is invalid or expired",
            Self::Problem => "Bad Request (“The token has expired”)",
            Self::Fault => "keymanagement.service.invalid_refresh_token (“Invalid Refresh Token”)",
            Self::FormEncoded => "expired_token (“gone”)",
            Self::Empty400 => "HTTP 400",
            Self::Empty401Html => "HTTP 401",
            Self::Empty403 => "HTTP 403",
        }
    }

    /// `nth` counts the answers of the server.
    pub(crate) fn answer(self, nth: usize) -> Answer {
        match self {
            Self::Forbidden403 => Answer::error(403, "invalid_grant"),
            Self::BadRefreshTokenIn200 => Answer::json(200, json!({"error": "bad_refresh_token"})),
            Self::InvalidCode => Answer::json(400, json!({"error": "invalid_code"})),
            Self::InteractionRequired => {
                let words = format!("AADSTS50076: Use MFA.\r\nTrace ID: {nth:08x}-0000\r\nTimestamp: {nth}Z");
                Answer::json(
                    400,
                    json!({"error": "interaction_required", "error_description": words}),
                )
            }
            Self::InvalidRequest => Answer::json(
                400,
                json!({"error": "invalid_request", "error_description": "refresh token is invalid"}),
            ),
            Self::ErrorsList => Answer::json(
                401,
                json!({"errors": [{"errorType": "invalid_grant", "message": "Refresh token invalid"}],
                       "success": false}),
            ),
            Self::ErrorsTexts => Answer::json(422, json!({"errors": ["Refresh token expired"]})),
            Self::StatusAndMessage => {
                Answer::json(400, json!({"status": 400, "message": "Invalid refresh token"}))
            }
            Self::StatusIn200 => Answer::json(200, json!({"status": 401, "error": "Unauthorized"})),
            Self::ErrorObject => Answer::json(
                401,
                json!({"error": {"code": 401, "message": "Invalid credentials", "status": "UNAUTHENTICATED"}}),
            ),
            Self::Detail => Answer::json(401, json!({"detail": "Token is invalid or expired"})),
            Self::Problem => Answer::json(
                400,
                json!({"type": "about:blank", "title": "Bad Request", "status": 400,
                       "detail": "The token has expired"}),
            ),
            Self::Fault => Answer::json(
                401,
                json!({"fault": {"faultstring": "Invalid Refresh Token",
                       "detail": {"errorcode": "keymanagement.service.invalid_refresh_token"}}}),
            ),
            Self::FormEncoded => Answer {
                content: Content::Form("error=expired_token&error_description=gone".to_owned()),
                ..Answer::empty(400)
            },
            Self::Empty400 => Answer::empty(400),
            Self::Empty401Html => Answer::html(401, ""),
            Self::Empty403 => Answer::empty(403),
            Self::JsonAsHtml => Answer::html(
                400,
                r#"{"error":"invalid_grant","error_description":"testkit says no"}"#,
            ),
        }
    }
}
