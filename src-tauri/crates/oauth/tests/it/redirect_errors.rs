//! Answers that say no, in the words and encodings of real servers.

use tokenry_oauth::redirect::{
    Outcome, Refused, claimed_state, judge_deep_link, judge_loopback, judge_query,
};

#[test]
fn a_description_may_be_latin_1_or_not_encoded_at_all() {
    for written in [
        "Acc%E8s+refus%E9",
        "Acc%C3%A8s%20refus%C3%A9",
        "Accès+refusé",
        "Acc%C3%A8s refusé",
    ] {
        for name in [
            "error_description",
            "error_message",
            "error_reason",
            "error%5Fdescription",
        ] {
            let query = format!("error=invalid_scope&{name}={written}&state=s");
            for said in [
                judge_query(&query).unwrap().outcome,
                judge_loopback(&format!("/cb/x?{query}")).unwrap().outcome,
                judge_deep_link(&format!("io.github.tokenry:/cb/x?{query}"))
                    .unwrap()
                    .outcome,
            ] {
                let Outcome::Error { description, .. } = said else {
                    panic!("an error")
                };
                assert_eq!(description.as_deref(), Some("Accès refusé"), "{query}");
            }
        }
    }
    for elsewhere in [
        "error=é&state=s",
        "error=e&state=é",
        "error=e&state=s&x=é",
        "é=e&state=s",
        "e e&state=s",
    ] {
        assert_eq!(
            judge_query(elsewhere).unwrap_err(),
            Refused::IllegalCharacter,
            "{elsewhere}"
        );
    }
    for elsewhere in [
        "error=%E9&state=s",
        "error=e&state=%E9",
        "error=e&state=s&error_uri=%E9",
    ] {
        assert_eq!(
            judge_query(elsewhere).unwrap_err(),
            Refused::BadEncoding,
            "{elsewhere}"
        );
    }
}

/// Facebook, for an app that is not set up: `error_code` and `error_message`, and no `error`.
#[test]
fn an_error_under_other_names_is_an_error() {
    for (query, named, described) in [
        (
            "error_code=1349126&error_message=App+not+set+up",
            "1349126",
            Some("App not set up"),
        ),
        ("error_code=7", "7", None),
        ("error_message=No", "error", Some("No")),
        ("error_description=No", "error", Some("No")),
        ("error=&error_code=7&error_description=", "7", None),
        ("error=e&error_code=7&error_message=No", "e", Some("No")),
        ("error=e&error_message=B&error_description=A", "e", Some("A")),
    ] {
        let Outcome::Error {
            error, description, ..
        } = judge_query(&format!("{query}&state=s")).unwrap().outcome
        else {
            panic!("an error: {query}")
        };
        assert_eq!(
            (error.as_str(), description.as_deref()),
            (named, described),
            "{query}"
        );
    }
    let code = judge_query("code=c&error_code=0&error_message=&state=s")
        .unwrap()
        .outcome;
    assert!(
        matches!(code, Outcome::Code(_)),
        "only `error` contradicts a code"
    );
}

/// Checklist A3.7, in the words of LinkedIn, Facebook and others.
#[test]
fn a_denial_is_known_by_its_names_and_nothing_else_is_one() {
    let is_denied = |query: &str| match judge_query(&format!("{query}&state=s")).unwrap().outcome {
        Outcome::Error { denied, .. } => denied,
        Outcome::Code(_) => panic!("an error: {query}"),
    };
    for query in [
        "error=access_denied",
        "error=user_cancelled_login",
        "error=user_cancelled_authorize",
        "error=user_canceled",
        "error=USER_DENIED",
        "error=consent_declined",
        "error=login_cancelled",
        "error_code=200&error_message=Permissions+error&error_reason=user_denied",
        "error=server_said_no&error_subcode=cancel",
    ] {
        assert!(is_denied(query), "{query}");
    }
    for query in [
        "error=invalid_scope",
        "error=server_error&error_description=access+denied",
        "error=temporarily_unavailable",
        "error=login_required",
        "error=request_rejected",
        "error_code=200&error_message=denied",
    ] {
        assert!(!is_denied(query), "{query}");
    }
}

#[test]
fn a_refused_answer_still_tells_the_state_it_claims() {
    let claimed = |raw: &str| claimed_state(raw).map(|state| state.expose().to_owned());
    for raw in [
        "/cb/x?code=a&code=b&state=s%3D",
        "io.github.tokenry:/cb/x?error=%FF&state=s%3D#_",
        "?state=s%3D",
    ] {
        assert_eq!(claimed(raw).as_deref(), Some("s="), "{raw}");
    }
    for raw in [
        "",
        "/cb/x",
        "/cb/x?code=c",
        "/cb/x#?state=s",
        "/cb/x?state",
        "/cb/x?state=%",
        "state=s",
    ] {
        assert_eq!(claimed(raw), None, "{raw}");
    }
}
