//! The OpenAPI document: complete, valid, and what the routes say.

use crate::populated::{document, example, operations, validator};
use serde_json::Value;
use std::collections::BTreeSet;
use tokenry_core::ApiScope;

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

/// The tokens of our own authorization server are for this API, not for a provider.
const OURS: &str = "post /oauth/token";

/// Those that hand out a token.
const TOKEN_OPERATIONS: [&str; 3] = [
    "post /v1/connections/{id}/token",
    "post /v1/oauth-providers/{id}/token",
    "post /v1/resolve",
];

/// ARCHITECTURE.md: no response of any operation carries a refresh token, a client secret or a private key.
#[test]
fn no_response_can_carry_a_secret_and_only_token_responses_an_access_token() {
    let document = document();
    let mut token_operations = Vec::new();
    for operation in operations(&document) {
        let (name, operation) = (operation.name(), operation.said);
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
            // The id token that a caller asks for, by the right to a token.
            let is_asked_for = secret == "id_token" && TOKEN_OPERATIONS.contains(&name.as_str());
            let is_ours = is_asked_for || (name == OURS && secret == "refresh_token");
            assert!(!found.contains(secret) || is_ours, "{name} can answer {secret}");
        }
        if found.contains("access_token") && name != OURS {
            token_operations.push(name);
        }
    }
    assert_eq!(token_operations, TOKEN_OPERATIONS);
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

/// Their errors are those of RFC 6749 §5.2.
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
    for operation in operations(&document) {
        let (name, operation) = (operation.name(), operation.said);
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
                // A browser is redirected, or shows the user a text.
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

/// By which scheme, and with which scopes of it. One of the listed requirements is enough.
#[test]
fn every_operation_names_its_authentication_and_scopes() {
    let document = document();
    let schemes = &document["components"]["securitySchemes"];
    for operation in operations(&document) {
        let ways = operation.said["security"].as_array();
        let ways = ways.unwrap_or_else(|| panic!("{} says nothing", operation.name()));
        assert!(!ways.is_empty(), "{} has no callers", operation.name());
        for (scheme, scopes) in ways.iter().flat_map(|way| way.as_object().unwrap()) {
            assert!(!schemes[scheme].is_null(), "{} {scheme}", operation.name());
            for scope in scopes.as_array().unwrap() {
                let known = scope.as_str().unwrap().parse::<ApiScope>();
                assert!(known.is_ok(), "{} {scope}", operation.name());
            }
        }
    }
}

/// For generated clients, with a description of each scope.
#[test]
fn the_authorization_server_is_described_with_all_its_scopes() {
    let document = document();
    let scheme = &document["components"]["securitySchemes"]["oauth"];
    let flow = &scheme["flows"]["authorizationCode"];
    assert_eq!(scheme["type"], "oauth2");
    assert_eq!(flow["authorizationUrl"], "/oauth/authorize");
    assert_eq!(
        (&flow["tokenUrl"], &flow["refreshUrl"]),
        (&"/oauth/token".into(), &"/oauth/token".into())
    );
    let said = flow["scopes"].as_object().unwrap();
    assert_eq!(said.len(), ApiScope::ALL.len());
    for scope in ApiScope::ALL {
        assert_eq!(said[scope.as_str()], scope.words());
    }
}

/// Each example is valid against its schema.
#[test]
fn every_request_and_response_has_a_valid_example() {
    let document = document();
    let fits = |name: &str, content: &Value| {
        let shown = example(&document, content).unwrap_or_else(|| panic!("{name} has no example"));
        let wrong = validator(&document, &content["schema"]).validate(shown);
        assert!(wrong.is_ok(), "{name}: {wrong:?} in {shown}");
        assert!(!shown.is_null(), "{name}");
    };
    for operation in operations(&document) {
        let name = operation.name();
        let contents = |body: &Value| body["content"].as_object().cloned().unwrap_or_default();
        for content in contents(&operation.said["requestBody"]).values() {
            fits(&name, content);
        }
        let responses = operation.said["responses"].as_object().unwrap();
        let successes: Vec<_> = responses
            .iter()
            .filter(|(status, _)| status.starts_with(['2', '3']))
            .collect();
        assert_eq!(successes.len(), 1, "{name}");
        let (status, success) = successes[0];
        let contents = contents(success);
        contents.values().for_each(|content| fits(&name, content));
        // A redirect has no body, only a location.
        assert_eq!(contents.is_empty(), status.starts_with('3'), "{name}");
        for header in success["headers"]
            .as_object()
            .into_iter()
            .flat_map(|all| all.values())
        {
            assert!(header["example"].is_string(), "{name}");
        }
    }
}

#[test]
fn no_schema_is_so_loose_that_an_example_proves_nothing() {
    let document = document();
    let nothing = serde_json::json!({"example": [null]});
    for operation in operations(&document) {
        let content = &operation.said["requestBody"]["content"]["application/json"];
        if let Some(schema) = content.get("schema") {
            assert!(
                !validator(&document, schema).is_valid(&nothing),
                "{}",
                operation.name()
            );
        }
    }
}

/// Every string in it, by the name of its field.
fn strings<'a>(field: &'a str, value: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::String(text) => found.push((field, text)),
        Value::Array(list) => list.iter().for_each(|value| strings(field, value, found)),
        Value::Object(map) => map.iter().for_each(|(field, value)| strings(field, value, found)),
        _ => {}
    }
}

/// So a search for leaked secrets does not report them, and no reader takes an example for a valid secret.
#[test]
fn every_placeholder_of_a_secret_contains_example() {
    const SECRETS: &[&str] = &[
        "access_token",
        "refresh_token",
        "client_secret",
        "code",
        "code_verifier",
        "number",
        "passphrase",
        "state",
        "token",
    ];
    let document = document();
    let mut found = Vec::new();
    strings("", &document["components"]["examples"], &mut found);
    let is_word = |byte: char| byte.is_ascii_alphanumeric() || "+=_-".contains(byte);
    let mut secrets = BTreeSet::new();
    for (field, text) in found {
        let says_so = |part: &str| part.to_ascii_lowercase().contains("example");
        // The states of the vault, of a job and of an item are not secrets.
        if SECRETS.contains(&field) && !["unlocked", "done", "new"].contains(&text) {
            assert!(says_so(text), "{field}: {text}");
            secrets.insert(field);
        }
        for long in text.split(|c| !is_word(c)).filter(|part| part.len() >= 20) {
            // A fingerprint is the hash of a token, here of `abc`, and digits alone.
            let is_id = uuid::Uuid::parse_str(long).is_ok() || field == "fingerprint";
            assert!(is_id || says_so(long), "{field}: {long}");
        }
    }
    assert_eq!(secrets, SECRETS.iter().copied().collect());
}
