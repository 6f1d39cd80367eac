//! Values that are kept from a sign-in: from the redirect and from the token response.

use crate::json::Value;
use crate::paths;
use tokenry_core::{CaptureSource, Captured, MAX_CAPTURED_BYTES, Provider, Secret};

/// The values that the provider's settings keep from a redirect with these parameters.
pub fn of_callback(provider: &Provider, parameters: &[(String, Secret)]) -> Captured {
    let value = |name: &str| parameters.iter().find(|(other, _)| other == name);
    let sources = provider
        .capture_sources()
        .filter_map(|(name, source)| match source {
            CaptureSource::Callback(parameter) => Some((name.to_owned(), value(parameter)?.1.clone())),
            CaptureSource::TokenResponse(_) => None,
        });
    sources.filter(|(_, value)| is_kept(value)).collect()
}

/// The values that they keep from a token response.
pub(crate) fn of_response(provider: &Provider, whole: &Value) -> Captured {
    let sources = provider
        .capture_sources()
        .filter_map(|(name, source)| match source {
            CaptureSource::TokenResponse(path) => match paths::at(whole, path) {
                Some((Value::Text(text), false)) => Some((name.to_owned(), text.clone())),
                Some((Value::Number(number), false)) => Some((name.to_owned(), Secret::new(number.clone()))),
                _ => None,
            },
            CaptureSource::Callback(_) => None,
        });
    sources.filter(|(_, value)| is_kept(value)).collect()
}

fn is_kept(value: &Secret) -> bool {
    let text = value.expose();
    let is_text = |c: char| !c.is_control() && c != char::REPLACEMENT_CHARACTER;
    !text.is_empty() && text.len() <= MAX_CAPTURED_BYTES && text.chars().all(is_text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_core::{OsRandom, ProviderId, ProviderPatch, SystemClock, Timestamp};

    fn keeping(captures: &str) -> Provider {
        let patch = format!(r#"{{"name":"x","client_id":"x","captures":{captures}}}"#);
        let patch: serde_json::Map<_, _> = serde_json::from_str(&patch).unwrap();
        let id = ProviderId::new(&SystemClock, &OsRandom);
        let made = Provider::create(id, ProviderPatch::from(patch), Timestamp::UNIX_EPOCH);
        made.unwrap().0
    }

    fn shown(captured: Captured) -> Vec<String> {
        let pairs = captured.into_iter();
        pairs
            .map(|(name, value)| format!("{name}={}", value.expose()))
            .collect()
    }

    #[test]
    fn values_are_kept_from_where_the_settings_say_and_only_texts_and_numbers() {
        let provider = keeping(
            r#"{"realm":"callback.realmId","none":"callback.x","team":"token_response.team.id",
                "number":"token_response.ids.0","list":"token_response.ids","twice":"token_response.twice",
                "empty":"token_response.empty","control":"token_response.control","long":"token_response.long"}"#,
        );
        let callback =
            [("realmId", "42"), ("code", "c")].map(|(n, v)| (n.to_owned(), Secret::new(v.to_owned())));
        assert_eq!(shown(of_callback(&provider, &callback)), ["realm=42"]);
        let long = "a".repeat(1025);
        let text = format!(
            r#"{{"team":{{"id":"T1"}},"ids":[9007199254740993],"twice":1,"twice":2,"empty":"","control":"a\u0000","long":"{long}"}}"#
        );
        let whole = crate::json::read(text.as_bytes()).unwrap().value;
        assert_eq!(
            shown(of_response(&provider, &whole)),
            ["number=9007199254740993", "team=T1"]
        );
        assert!(of_response(&provider, &Value::Other).is_empty());
    }
}
