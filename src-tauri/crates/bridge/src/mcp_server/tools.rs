//! The tools, as a client sees them.

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) const LIST: &str = "list_connections";
pub(super) const REQUEST: &str = "request";
pub(super) const SIGN_IN: &str = "sign_in";

/// All of them.
pub(super) fn all() -> Vec<Tool> {
    vec![
        Tool::new(
            LIST,
            "List the accounts that the user connected: name, provider, account, status and scopes.",
            schema(json!({"type": "object", "properties": {}, "additionalProperties": false})),
        )
        .with_annotations(ToolAnnotations::new().read_only(true)),
        Tool::new(
            REQUEST,
            "Send one HTTP request with the token of a connection, to an address that its provider serves. The user is \
             asked for permission. The answer is cut after 256 KiB; redirects are not followed.",
            schema(json!({
                "type": "object",
                "properties": {
                    "connection": {"type": "string", "description": "A name from list_connections"},
                    "url": {"type": "string", "description": "The whole address, with https://"},
                    "method": {"type": "string", "enum": super::request::METHODS, "default": "GET"},
                    "headers": {
                        "type": "object",
                        "additionalProperties": {"type": "string"},
                        "description": "Headers such as Accept. Authorization and Cookie are refused",
                    },
                    "body": {"type": "string", "description": "Sent as it is; JSON unless headers name a Content-Type"},
                },
                "required": ["connection", "url"],
                "additionalProperties": false,
            })),
        )
        .with_annotations(ToolAnnotations::new().open_world(true)),
        Tool::new(
            SIGN_IN,
            "Ask the user to sign in to a connection again: opens the browser, and returns at once. Use it when a request \
             says that a sign-in is needed.",
            schema(json!({
                "type": "object",
                "properties": {"connection": {"type": "string", "description": "A name from list_connections"}},
                "required": ["connection"],
                "additionalProperties": false,
            })),
        ),
    ]
}

fn schema(value: Value) -> Arc<JsonObject> {
    Arc::new(value.as_object().cloned().unwrap_or_default())
}
