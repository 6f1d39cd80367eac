use serde_json::Value;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::to_value(tokenry_api::openapi()).unwrap()
}

/// (method and path, operation) of everything there is.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        methods
            .as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    all.collect()
}

/// The names of all properties that a schema can hold, followed through every reference.
fn properties<'a>(
    document: &'a Value,
    schema: &'a Value,
    seen: &mut BTreeSet<&'a str>,
    found: &mut BTreeSet<&'a str>,
) {
    match schema {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(Value::as_str)
                && seen.insert(reference)
            {
                properties(document, document.pointer(&reference[1..]).unwrap(), seen, found);
            }
            if let Some(named) = map.get("properties").and_then(Value::as_object) {
                found.extend(named.keys().map(String::as_str));
            }
            map.values()
                .for_each(|value| properties(document, value, seen, found));
        }
        Value::Array(list) => list
            .iter()
            .for_each(|value| properties(document, value, seen, found)),
        _ => {}
    }
}

#[test]
fn the_committed_document_is_what_the_routes_say() {
    let committed = include_str!("../../openapi.json");
    let today = tokenry_api::openapi().to_pretty_json().unwrap() + "\n";
    assert!(
        committed == today,
        "run `cargo xtask codegen` and commit what it writes"
    );
    assert_eq!(document()["openapi"], "3.1.0");
}

/// The tokens of our own authorization server open this API, and no provider.
const OURS: &str = "post /oauth/token";

/// architecture.md: no response of any operation carries a refresh token, a client secret or a private key.
#[test]
fn no_answer_can_carry_a_secret_and_only_the_token_operation_an_access_token() {
    let document = document();
    let mut token_operations = Vec::new();
    for (name, operation) in operations(&document) {
        let mut found = BTreeSet::new();
        properties(
            &document,
            &operation["responses"],
            &mut BTreeSet::new(),
            &mut found,
        );
        assert!(!found.is_empty(), "{name} answers nothing that is known");
        for secret in [
            "refresh_token",
            "client_secret",
            "private_key",
            "passphrase",
            "code_verifier",
            "id_token",
            "password",
        ] {
            let is_ours = name == OURS && secret == "refresh_token";
            assert!(!found.contains(secret) || is_ours, "{name} can answer {secret}");
        }
        if found.contains("access_token") && name != OURS {
            token_operations.push(name);
        }
    }
    assert_eq!(
        token_operations,
        [
            "post /v1/connections/{id}/token",
            "post /v1/oauth-providers/{id}/token"
        ]
    );
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let holders: Vec<_> = schemas
        .iter()
        .filter(|(_, s)| s["properties"].get("access_token").is_some())
        .collect();
    assert_eq!(
        holders.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["OAuthTokenAnswer", "TokenAnswer"]
    );
}

/// They answer errors as RFC 6749 §5.2 has them.
const FOR_CLIENTS: &[&str] = &[
    "post /oauth/token",
    "post /oauth/revoke",
    "post /oauth/introspect",
];

#[test]
fn every_operation_has_a_summary_a_tag_a_name_of_its_own_and_its_errors() {
    let document = document();
    let tags: BTreeSet<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].clone().to_string())
        .collect();
    let mut names = BTreeSet::new();
    for (name, operation) in operations(&document) {
        assert!(
            operation["summary"].as_str().is_some_and(|text| text.len() > 3),
            "{name}"
        );
        assert!(tags.contains(&operation["tags"][0].to_string()), "{name}");
        assert!(
            names.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{name}"
        );
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses.iter().filter(|(status, _)| !status.starts_with('2')) {
            let schema = response["content"]["application/json"]["schema"]["$ref"].as_str();
            let is_told = match schema.and_then(|schema| schema.strip_prefix("#/components/schemas/")) {
                Some("ErrorEnvelope") => true,
                // RFC 6749 §5.2.
                Some("OAuthErrorAnswer") => FOR_CLIENTS.contains(&name.as_str()),
                // A browser is sent on, or its person is told in a text.
                None => {
                    name == "get /oauth/authorize"
                        && (status == "303" || !response["content"]["text/plain"].is_null())
                }
                Some(_) => false,
            };
            assert!(is_told, "{name} {status}");
        }
        assert!(
            (responses.contains_key("403") || FOR_CLIENTS.contains(&name.as_str()))
                && responses.contains_key("500"),
            "{name}"
        );
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let place = if name.contains(&format!("{{{}}}", parameter["name"].as_str().unwrap())) {
                "path"
            } else {
                "query"
            };
            assert_eq!(parameter["in"], place, "{name} {parameter}");
        }
    }
    assert!(names.len() > 50);
}
