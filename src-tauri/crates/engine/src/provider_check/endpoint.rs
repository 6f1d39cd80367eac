//! What the answer of an endpoint says of its address.

use tokenry_core::{CheckedItem, clean};
use tokenry_oauth::{Failure, probe::Probed};
use url::Url;

/// What an endpoint is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A page for a browser. Without parameters it may well answer with an error.
    Page,
    /// It refuses a request without a grant.
    Api,
    /// It answers everybody.
    Document,
}

/// The address of an endpoint. Without one there is nothing to tell, or that it cannot be checked.
pub(super) fn address(name: &str, setting: Option<&str>) -> Result<Url, Option<CheckedItem>> {
    let Some(text) = setting else { return Err(None) };
    if text.contains(['{', '}']) {
        let text = "A part of its address is only known after a sign-in.";
        return Err(Some(CheckedItem::not_checked(name, text)));
    }
    text.parse().map_err(|_| {
        let text = format!("{} is not an address.", clean(text));
        Some(CheckedItem::problem(name, text, correct(name)))
    })
}

/// Judges what an endpoint answered to a probe.
pub(super) fn judged(
    name: &str,
    setting: Option<&str>,
    kind: Kind,
    probed: Result<Probed, Failure>,
) -> CheckedItem {
    let host = host(setting);
    let probed = match probed {
        Ok(probed) => probed,
        Err(failure) => return unreachable(name, &failure),
    };
    let status = probed.status;
    let found = |what: &str| format!("{host} {what} (HTTP {status}).");
    let is_success = (200..300).contains(&status);
    match status {
        404 | 405 | 410 => CheckedItem::problem(name, found("has nothing at this address"), correct(name)),
        500.. => CheckedItem::problem(
            name,
            found("answers with an error of its own"),
            format!("Try again in a while. If it stays: {}", correct(name)),
        ),
        300..400 if kind != Kind::Page => {
            CheckedItem::problem(name, found("redirects, which is never followed"), correct(name))
        }
        _ if kind == Kind::Api && is_success && probed.is_page => {
            CheckedItem::problem(name, found("answers with a web page"), correct(name))
        }
        _ if kind == Kind::Document && (!is_success || probed.is_page) => {
            CheckedItem::problem(name, found("does not give the document"), correct(name))
        }
        _ => CheckedItem::ok(name, found("answers")),
    }
}

/// Judges how an endpoint refused a token that is made up. A refusal in the provider's own words is what is wanted.
pub(super) fn refused(name: &str, setting: Option<&str>, outcome: Result<(), Failure>) -> CheckedItem {
    match &outcome {
        Ok(()) => CheckedItem::ok(name, format!("{} answers.", host(setting))),
        Err(Failure::Rejected { error, .. }) if is_wrong_address(error) => {
            let text = format!("{} has nothing at this address ({error}).", host(setting));
            CheckedItem::problem(name, text, correct(name))
        }
        Err(Failure::InvalidGrant { .. } | Failure::Rejected { .. }) => CheckedItem::ok(
            name,
            format!("{} answers, and refuses a made-up token.", host(setting)),
        ),
        Err(failure) => unreachable(name, failure),
    }
}

/// Whether a refusal without words says that nothing is at an address.
fn is_wrong_address(error: &str) -> bool {
    matches!(error, "HTTP 404" | "HTTP 405" | "HTTP 410")
}

/// An endpoint that did not answer, or another server did. The failure says what to do.
pub(super) fn unreachable(name: &str, failure: &Failure) -> CheckedItem {
    CheckedItem::problem(name, failure.to_string(), correct(name))
}

pub(super) fn correct(name: &str) -> String {
    format!("Correct {name} in the provider's settings.")
}

pub(super) fn host(setting: Option<&str>) -> String {
    let url = setting.and_then(|text| text.parse::<Url>().ok());
    let host = url.as_ref().and_then(Url::host_str);
    clean(host.unwrap_or("the server"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_core::CheckResult;

    #[test]
    fn an_address_is_judged_by_the_status_that_its_use_leads_to() {
        use CheckResult::{Ok as Good, Problem};
        for (kind, status, is_page, result) in [
            (Kind::Page, 200, true, Good),
            (Kind::Page, 302, false, Good),
            (Kind::Page, 400, true, Good),
            (Kind::Page, 404, true, Problem),
            (Kind::Page, 503, true, Problem),
            (Kind::Api, 401, false, Good),
            (Kind::Api, 403, true, Good),
            (Kind::Api, 400, false, Good),
            (Kind::Api, 200, false, Good),
            (Kind::Api, 200, true, Problem),
            (Kind::Api, 301, false, Problem),
            (Kind::Api, 405, false, Problem),
            (Kind::Document, 200, false, Good),
            (Kind::Document, 200, true, Problem),
            (Kind::Document, 403, false, Problem),
        ] {
            let probed = Probed {
                status,
                date: None,
                is_page,
            };
            let item = judged("x_endpoint", Some("https://a.example/x"), kind, Ok(probed));
            assert_eq!(item.result, result, "{kind:?} {status} {is_page}");
            assert_eq!(item.next.is_some(), result == Problem);
            assert!(item.text.contains("a.example"), "{}", item.text);
        }
    }

    #[test]
    fn an_endpoint_that_is_only_known_after_a_sign_in_is_not_asked() {
        assert_eq!(address("x", None), Err(None));
        let item = address("x", Some("https://{shop}.example/x"))
            .unwrap_err()
            .unwrap();
        assert_eq!(item.result, CheckResult::NotChecked);
        let item = address("x", Some("nonsense\u{1b}[2J")).unwrap_err().unwrap();
        assert_eq!(item.result, CheckResult::Problem);
        assert!(!item.text.contains('\u{1b}'), "{}", item.text);
    }
}
