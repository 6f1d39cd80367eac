//! Parts of the error texts.

use std::collections::BTreeMap;
use tokenry_core::{ReauthReason, Rule, Timestamp, within};

pub(super) fn cannot_narrow(is_hard: bool) -> &'static str {
    if is_hard {
        "The whole was not allowed, so nothing was handed out and nothing was sent; ask for a token without limits, or let the user grant the whole scope, in the window under Apps"
    } else {
        "Nothing was sent; ask for a token without an audience or a resource"
    }
}

pub(super) fn not_allowed(rule: Rule) -> &'static str {
    match rule {
        Rule::DeniedBefore => {
            "the user denied this a moment ago and will not be prompted again yet; repeat it only when the user wants it"
        }
        Rule::Unanswered => {
            "an unanswered prompt is denied, so nothing was handed out; repeat it when the user is there"
        }
        _ => "the user denied this; nothing was handed out and nothing was changed",
    }
}

/// The next step after an error of the authorization endpoint (RFC 6749 §4.1.2.1).
pub(super) fn what_to_check(error: &str) -> &'static str {
    match error {
        "invalid_scope" => {
            "it does not allow one of the scopes: ask for others with `--scope`, or change the default scopes with `tokenry provider edit`"
        }
        "invalid_target" => {
            "it gives no token for this resource: correct it with `tokenry provider edit NAME --set resource=URI`, or clear it with `--set resource=`"
        }
        "server_error" | "temporarily_unavailable" => "the fault is on its side: try again later",
        _ => "check its settings with `tokenry provider show`",
    }
}

pub(super) fn fields_text(fields: &BTreeMap<String, String>) -> String {
    let list: Vec<_> = fields
        .iter()
        .map(|(field, wrong)| format!("{field} {}", within(wrong)))
        .collect();
    list.join("; ")
}

pub(crate) fn reason_text(reason: ReauthReason) -> &'static str {
    match reason {
        ReauthReason::Revoked => "access was revoked at the provider",
        ReauthReason::Expired => "the access token expired and there is no refresh token",
        ReauthReason::LostResponse => "the provider's response was lost, and the new refresh token with it",
        ReauthReason::ScopeMissing => "the provider grants less than is needed",
        ReauthReason::ClientRejected => "the provider no longer accepts the client ID or secret",
        ReauthReason::Refused => "the provider refuses to refresh it",
        ReauthReason::OtherAccount => {
            "the provider answered a refresh with tokens of another account, which are not used"
        }
        ReauthReason::Restored => "it was restored from a backup that does not hold its refresh token",
        ReauthReason::CutOff => "you cut it off, and its tokens were removed",
    }
}

pub(super) fn said(words: &Option<String>) -> String {
    words
        .as_ref()
        .map_or_else(String::new, |words| format!(" (it says: {words})"))
}

pub(super) fn next_try(at: Option<Timestamp>) -> String {
    at.map(|at| format!(" Tokenry retries at {at:.0}."))
        .unwrap_or_default()
}
