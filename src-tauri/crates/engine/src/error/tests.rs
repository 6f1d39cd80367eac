//! Tests of the error texts.

use super::*;

/// Each error that holds another text, with one that ends as a sentence and one that does not.
fn with_inner(text: &str) -> Vec<Error> {
    let own = || text.to_owned();
    let description = || Some(own());
    vec![
        Error::StaysLocked(own()),
        Error::no_vault(text),
        Error::no_vault(&Error::no_vault(text).to_string()),
        Error::ReadOnly(own()),
        Error::not_found("provider", "x", own()),
        Error::Invalid(
            [("a", own()), ("b", own())]
                .map(|(k, v)| (k.to_owned(), v))
                .into(),
        ),
        Error::Conflict(own()),
        Error::ConsentDenied(description()),
        Error::AuthorizationRefused {
            error: "e".to_owned(),
            description: description(),
        },
        Error::Provider {
            failure: Failure::Rejected {
                error: "invalid_client".to_owned(),
                description: description(),
                status: 401,
            },
            next_try_at: Some(Timestamp::UNIX_EPOCH),
            wait: None,
        },
        Error::Provider {
            failure: Failure::InvalidGrant {
                description: description(),
            },
            next_try_at: None,
            wait: None,
        },
        Error::Redirect(Refused::TooLong),
        Error::RedirectRefused(own()),
        Error::Unavailable(own()),
        Error::Internal(own()),
        Error::NotAllowed {
            rule: Rule::Denied,
            wait: None,
        },
        Error::CannotAsk,
        Error::UserAbsent,
        Error::no_grant(&[Operation::StartFlow, Operation::ReadCredential]),
        Error::TooManyQuestions,
        Error::FlowExpired,
        Error::Locked,
    ]
}

#[test]
fn no_text_of_an_error_has_doubled_punctuation_or_says_a_thing_twice() {
    for inner in ["Something broke. Try again.", "something broke"] {
        for error in with_inner(inner) {
            for text in [error.to_string(), tokenry_core::sentence(&error.to_string())] {
                for doubled in ["..", ".;", ".,", ";;", "; ;", ". .", "  ", ".: ", "::"] {
                    assert!(!text.contains(doubled), "{doubled:?}: {text}");
                }
                let twice = text.matches("there is no vault yet").count();
                assert!(twice < 2, "{text}");
            }
        }
    }
}

#[test]
fn a_validation_error_names_each_field() {
    let error = Error::Invalid(
        [("a", "is bad"), ("b", "is worse")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
    );
    assert_eq!(error.to_string(), "a is bad; b is worse");
    assert_eq!(error.code(), Code::ValidationError);
}

#[test]
fn an_error_of_the_authorization_endpoint_names_the_step_that_can_mend_it() {
    for (code, step) in [
        ("invalid_scope", "`--scope`"),
        ("invalid_target", "`--set resource=`"),
        ("server_error", "try again later"),
        ("temporarily_unavailable", "try again later"),
        ("unauthorized_client", "`tokenry provider show`"),
    ] {
        let error = Error::AuthorizationRefused {
            error: code.to_owned(),
            description: None,
        };
        let text = error.to_string();
        assert!(text.contains(code) && text.contains(step), "{text}");
    }
}
