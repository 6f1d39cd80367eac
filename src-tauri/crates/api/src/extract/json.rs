//! Reads JSON bodies and query strings.

use crate::error::ApiError;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokenry_core::json_problem;

/// Reads a body. An error names the field, and never repeats a value, which may be a secret.
pub(super) fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // Serde would also accept the fields as a list, in their order.
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_some_and(|byte| matches!(byte, b'[' | b'"')) {
        return Err(ApiError::field("body", "must be a JSON object, like {}"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        match inner.classify() {
            Category::Data => {
                let place = format!(" at line {} column {}", inner.line(), inner.column());
                let text = inner.to_string();
                field_error(&path, "body", text.strip_suffix(&place).unwrap_or(&text))
            }
            Category::Io | Category::Syntax | Category::Eof => not_json(&inner),
        }
    })?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

/// Reads a query string in the same way.
pub(super) fn query<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(pairs)
        .map_err(|error| field_error(&error.path().to_string(), "query", &error.inner().to_string()))
}

fn not_json(error: &serde_json::Error) -> ApiError {
    ApiError::field(
        "body",
        format!("is not JSON (line {}, column {})", error.line(), error.column()),
    )
}

fn field_error(path: &str, whole: &str, text: &str) -> ApiError {
    let (field, wrong) = json_problem(path, whole, text);
    ApiError::field(&field, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;
    use tokenry_contract::{EventQuery, FlowQuery, GrantType, Members, Redirect, Rotation};

    /// A body with a field of every kind.
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only read")]
    struct Sample {
        name: String,
        client_id: String,
        client_secret: Option<String>,
        use_pkce: Option<bool>,
        grant_type: Option<GrantType>,
        redirect: Option<Redirect>,
        rotation: Option<Rotation>,
        default_scopes: Option<Vec<String>>,
        authorize_params: Option<BTreeMap<String, String>>,
    }

    fn wrong(text: &str) -> crate::error::Fields {
        match body::<Sample>(text.as_bytes()) {
            Err(ApiError::Fields(fields)) => fields,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_error_in_a_body_names_its_field() {
        let cases = [
            (r#"{"client_id":"x"}"#, "name", "is missing"),
            (r#"{"name":"a","name":"b"}"#, "name", "is given twice"),
            (
                r#"{"name":"a","client_id":"b","nmae":1}"#,
                "nmae",
                "is not known here",
            ),
            (r#"{"name":1}"#, "name", "must be a string"),
            (
                r#"{"name":"a","client_id":"b","grant_type":"implicit"}"#,
                "grant_type",
                "must be",
            ),
            (
                r#"{"name":"a","client_id":"b","rotation":{"kind":"grace"}}"#,
                "rotation.seconds",
                "is missing",
            ),
            (
                r#"{"name":"a","client_id":"b","default_scopes":["x",1]}"#,
                "default_scopes[1]",
                "must be a string",
            ),
            (r#"["a", "b"]"#, "body", "must be a JSON object"),
            ("", "body", "is not JSON"),
            ("{", "body", "is not JSON"),
            (r#"{"name":"a","client_id":"b"} x"#, "body", "is not JSON"),
        ];
        for (text, field, says) in cases {
            let fields = wrong(text);
            let (found, message) = fields.iter().next().unwrap();
            assert!(found == field && message.contains(says), "{text}: {fields:?}");
        }
    }

    #[test]
    fn members_that_are_read_one_by_one_are_unique_and_in_an_object() {
        for (text, field, says) in [
            (r#"{"name":"a","b":1,"name":"c"}"#, "name", "is given twice"),
            ("[]", "body", "must be a JSON object"),
            ("1", "body", "must be a JSON object"),
            (r#"{"name":"a"} x"#, "body", "is not JSON"),
        ] {
            match body::<Members>(text.as_bytes()) {
                Err(ApiError::Fields(fields)) => {
                    assert!(fields[field].contains(says), "{text}: {fields:?}");
                }
                _ => panic!("{text} was read"),
            }
        }
    }

    #[test]
    fn a_nested_field_is_named_with_the_outer_one() {
        let nested = |credential: &str| {
            let text = format!(r#"{{"authorizeUrl":"a","clientId":"b","credential":{credential}}}"#);
            match body::<tokenry_contract::InitialiseRequest>(text.as_bytes()) {
                Err(ApiError::Fields(fields)) => fields.into_keys().next().unwrap(),
                other => panic!("{other:?}"),
            }
        };
        for (credential, field) in [
            ("{}", "credential.id"),
            (r#"{"id":"a"}"#, "credential.organisationId"),
            (r#"{"id":1,"organisationId":"b"}"#, "credential.id"),
            (r#"{"id":"a","id":"b","organisationId":"c"}"#, "credential.id"),
            (r#"{"id":"a","organisationId":"b","more":1}"#, "credential.more"),
            ("1", "credential"),
        ] {
            assert_eq!(nested(credential), field, "{credential}");
        }
    }

    #[test]
    fn a_value_is_never_repeated_in_an_error() {
        for text in [
            r#"{"name":"a","client_id":"b","use_pkce":"hunter2"}"#,
            r#"{"name":"a","client_id":"b","use_pkce":"x, expected hunter2"}"#,
            r#"{"name":"a","client_id":"b","use_pkce":"x, expected hunter2 at line 1 column 2"}"#,
            r#"{"name":"a","client_id":"b","redirect":"hunter2"}"#,
            r#"{"name":"a","client_id":"b","client_secret":["hunter2"]}"#,
            r#""hunter2""#,
            r#"{"name":"a","client_id":"b","client_secret":hunter2}"#,
        ] {
            assert!(!format!("{:?}", wrong(text)).contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        let text = format!(r#"{{"name":{}"#, "[".repeat(100_000));
        assert_eq!(wrong(&text).into_keys().collect::<Vec<_>>(), ["name"]);
    }

    #[test]
    fn a_query_is_read_as_strictly_as_a_body() {
        assert_eq!(
            query::<FlowQuery>("wait_seconds=5").unwrap().wait_seconds,
            Some(5)
        );
        assert_eq!(query::<EventQuery>("").unwrap().limit, None);
        for (text, field) in [
            ("wait_seconds=soon", "wait_seconds"),
            ("wait=5", "wait"),
            ("wait_seconds=1&wait_seconds=2", "wait_seconds"),
        ] {
            match query::<FlowQuery>(text) {
                Err(ApiError::Fields(fields)) => assert!(fields.contains_key(field), "{text}: {fields:?}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
