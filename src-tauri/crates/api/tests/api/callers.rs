//! Who may call what: as the document says, and no more. Everything is called, with its own example, by apps whose
//! tokens have just the scopes that are said to be needed, and by apps that lack one of them.

use crate::{
    furnished::{Furnished, Operation, document, operations, validator},
    support::program,
};
use serde_json::Value;
use std::collections::BTreeSet;
use tokenry_api::oauth;
use tokenry_core::ApiScope;

type Scopes = BTreeSet<ApiScope>;

/// What a token needs, in every way that is enough; none when no token helps.
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

/// All scopes but one of each way in.
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

/// What takes no bearer token is for clients and for everybody, and proves nobody to be an app.
#[test]
fn the_paths_that_a_door_opens_without_a_token_are_those_that_are_said_to_need_none() {
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
        // By its own token and by one of the authorization server an app may do the same.
        assert_eq!(
            enough(operation, "oauth"),
            enough(operation, "app"),
            "{}",
            operation.name()
        );
    }
}

#[tokio::test]
async fn an_app_that_lacks_a_scope_an_operation_needs_is_refused() {
    let document = document();
    let furnished = Furnished::new().await;
    let mut tried = 0;
    for operation in operations(&document) {
        let ways = enough(operation, "oauth");
        if oauth::is_public(operation.path) || ways.iter().any(Scopes::is_empty) {
            continue;
        }
        for scopes in never_enough(&ways) {
            let answer = furnished.call(&document, operation, furnished.app(&scopes)).await;
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

/// And the answer is as the document says, too.
#[tokio::test]
async fn an_app_with_just_the_scopes_an_operation_needs_is_answered_as_the_document_says() {
    let document = document();
    let mut tried = 0;
    for operation in operations(&document) {
        for scopes in enough(operation, "oauth") {
            // What was done for one would be in the way of the next.
            let furnished = Furnished::new().await;
            let answer = furnished.call(&document, operation, furnished.app(&scopes)).await;
            let said = &operation.said["responses"][answer.status.to_string()];
            assert!(!said.is_null(), "{} answers {}", operation.name(), answer.status);
            // There is no window here, and no passphrase opens this vault.
            if matches!(operation.id(), "show_window" | "unlock") {
                assert_eq!(answer.code(), "conflict", "{}", answer.text);
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

/// A program without a token, which its person allows everything.
#[tokio::test]
async fn a_program_may_do_what_needs_no_proof_and_nothing_else() {
    let document = document();
    for operation in operations(&document) {
        // It also knows the code there, or does not: that is tried in the engine's own tests.
        if oauth::is_public(operation.path) || operation.id() == "answer_prompt" {
            continue;
        }
        let furnished = Furnished::new().await;
        let answer = furnished.call(&document, operation, program()).await;
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
