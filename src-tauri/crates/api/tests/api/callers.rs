//! Who may call what: as the document says, and no more. Every operation is called with its own example by apps whose
//! tokens have just the needed scopes, and by apps that lack one of them.

use crate::{
    populated::{Operation, Populated, document, operations, validator},
    support::program,
};
use serde_json::Value;
use std::collections::BTreeSet;
use tokenry_api::oauth;
use tokenry_core::ApiScope;

type Scopes = BTreeSet<ApiScope>;

/// The sets of scopes that are enough for a token; none when no token is.
fn enough(operation: Operation<'_>, scheme: &str) -> Vec<Scopes> {
    let requirements = operation.said["security"].as_array().unwrap().iter();
    let of_scheme = requirements.filter_map(|requirement| requirement.get(scheme));
    let scopes = |list: &Value| {
        let names = list.as_array().unwrap().iter();
        names
            .map(|name| name.as_str().unwrap().parse().unwrap())
            .collect()
    };
    of_scheme.map(scopes).collect()
}

fn says(operation: Operation<'_>, requirement: &str) -> bool {
    let all = operation.said["security"].as_array().unwrap();
    all.contains(&serde_json::from_str(requirement).unwrap())
}

/// All scopes except one of each sufficient set.
fn never_enough(ways: &[Scopes]) -> Vec<Scopes> {
    let all: Scopes = ApiScope::ALL.iter().copied().collect();
    ways.iter().fold(vec![all], |before, way| {
        let without = |scope: &ApiScope| {
            let scope = *scope;
            before.iter().map(move |have| have - &Scopes::from([scope]))
        };
        way.iter().flat_map(without).collect()
    })
}

/// An operation without a bearer token is for OAuth clients or for everybody.
#[test]
fn the_public_paths_are_those_that_need_no_token_in_the_document() {
    let document = document();
    for operation in operations(&document) {
        let ways = ["oauth", "app", "loopback", "window"];
        let needs = ways.iter().any(|way| !enough(operation, way).is_empty());
        assert_eq!(oauth::is_public(operation.path), !needs, "{}", operation.name());
        assert_eq!(
            oauth::takes_a_form(operation.path),
            !enough(operation, "client").is_empty(),
            "{}",
            operation.name()
        );
        // With its own token and with one of the authorization server an app may do the same.
        assert_eq!(
            enough(operation, "oauth"),
            enough(operation, "app"),
            "{}",
            operation.name()
        );
    }
}

#[tokio::test]
async fn an_app_without_a_scope_that_an_operation_needs_is_refused() {
    let document = document();
    let populated = Populated::new().await;
    let mut tried = 0;
    for operation in operations(&document) {
        let ways = enough(operation, "oauth");
        if oauth::is_public(operation.path) || ways.iter().any(Scopes::is_empty) {
            continue;
        }
        for scopes in never_enough(&ways) {
            let answer = populated.call(&document, operation, populated.app(&scopes)).await;
            assert_eq!(
                (answer.status, answer.code()),
                (403, "permission_denied"),
                "{} with {scopes:?}: {}",
                operation.name(),
                answer.text
            );
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}

/// The response is as the document says, too.
#[tokio::test]
async fn an_app_with_just_the_needed_scopes_gets_the_documented_response() {
    let document = document();
    let mut tried = 0;
    for operation in operations(&document) {
        for scopes in enough(operation, "oauth") {
            // A new fixture, since the calls change it.
            let populated = Populated::new().await;
            let answer = populated.call(&document, operation, populated.app(&scopes)).await;
            let said = &operation.said["responses"][answer.status.to_string()];
            assert!(!said.is_null(), "{} answers {}", operation.name(), answer.status);
            // The fixture has no window, no passphrase unlocks its vault, its provider was made of no preset, and its
            // tokens are bound to no key.
            let cannot = [
                "show_window",
                "unlock",
                "show_preset_update",
                "apply_preset",
                "dpop_proof",
                // It has no supervisor of such sockets.
                "open_agent_socket",
                "close_agent_socket",
            ];
            if cannot.contains(&operation.id()) {
                assert_eq!(answer.code(), "conflict", "{}", answer.text);
                continue;
            }
            // No recovery code was made that the example could confirm.
            if operation.id() == "confirm_recovery_code" {
                assert_eq!(answer.code(), "validation_error", "{}", answer.text);
                continue;
            }
            assert!(
                answer.status < 300,
                "{} with {scopes:?}: {}",
                operation.name(),
                answer.text
            );
            if let Some(schema) = said["content"]["application/json"].get("schema") {
                let wrong = validator(&document, schema).validate(&answer.json);
                assert!(
                    wrong.is_ok(),
                    "{}: {wrong:?} in {}",
                    operation.name(),
                    answer.text
                );
            }
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}

/// A program without a token, whose prompts are all allowed.
#[tokio::test]
async fn a_program_may_do_what_needs_no_authentication_and_nothing_else() {
    let document = document();
    for operation in operations(&document) {
        // A program may answer with a code: the engine's own tests show that.
        if oauth::is_public(operation.path) || operation.id() == "answer_prompt" {
            continue;
        }
        let populated = Populated::new().await;
        let answer = populated.call(&document, operation, program()).await;
        let may = says(operation, "{}");
        assert_eq!(answer.status != 403, may, "{}: {}", operation.name(), answer.text);
        assert_eq!(
            may,
            says(operation, r#"{"loopback": []}"#),
            "{}",
            operation.name()
        );
        assert_eq!(
            says(operation, r#"{"window": []}"#),
            !may && enough(operation, "oauth").is_empty(),
            "{}",
            operation.name()
        );
    }
}
