//! The authorization endpoint: who is sent where, and who is asked.

use super::setup::{CALLBACK, CHALLENGE, ISSUER, Setup, query, query_with};
use crate::{
    ConsentDecision, PromptAnswer, Unredirectable, authorization_server::tests::setup::Answered,
    tests::common::ui,
};
use std::collections::BTreeSet;
use tokenry_core::{ApiScope, Caller, Code, EventKind, Outcome, Rule, Secret};

/// A13.3: a bad client or address is told to the person, and the browser is sent nowhere; no prompt appears.
#[tokio::test]
async fn with_a_bad_client_or_address_nothing_is_sent_anywhere() {
    let setup = Setup::new().await;
    let good = query("script");
    let twice = |name: &str, value: &str| format!("{good}&{name}={value}");
    for query in [
        query_with("script", "client_id", "unknown"),
        query_with("script", "client_id", ""),
        query_with("script", "client_id", "SCRIPT"),
        twice("client_id", "script"),
        twice("client_id", "server"),
        String::new(),
        "client_id=script".to_owned(),
    ] {
        let refused = setup.go(&query).await.unwrap_err();
        let unknown = matches!(
            refused,
            Unredirectable::UnknownClient | Unredirectable::UnknownPlace
        );
        assert!(unknown && refused.http_status() == 400, "{query}: {refused:?}");
    }
    for uri in [
        "",
        "https://evil.example/cb",
        "http://127.0.0.1:9999/cb/../x",
        "http://127.0.0.1:9999@evil.example/cb",
        "http://127.0.0.1:9999/cb#x",
        "http://localhost:9999/cb",
        "com.example.app:/cb",
        "com.example.app:/cb?x=1&y=2",
        "javascript:alert(1)",
    ] {
        let refused = setup
            .go(&query_with("script", "redirect_uri", uri))
            .await
            .unwrap_err();
        assert!(matches!(refused, Unredirectable::UnknownPlace), "{uri}");
    }
    let refused = setup
        .go(&twice("redirect_uri", "http://127.0.0.1:9999/cb"))
        .await
        .unwrap_err();
    assert!(matches!(refused, Unredirectable::UnknownPlace));
    for garbage in [
        "%",
        "a=%00",
        "a=%0d%0a",
        "a=%ff",
        &"a&".repeat(40),
        &"a".repeat(20_000),
    ] {
        let refused = setup.go(&format!("{good}&{garbage}")).await.unwrap_err();
        assert!(
            matches!(refused, Unredirectable::Unreadable(_)),
            "{}",
            &garbage[..2.min(garbage.len())]
        );
    }
    assert!(setup.nothing_is_asked());
}

/// A13.4 and A13.9: every other error goes to the app, with its state as it came and with who we are.
#[tokio::test]
async fn every_other_error_goes_to_the_app_with_its_state_and_our_issuer() {
    let setup = Setup::new().await;
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("scope", "everything", "invalid_scope"),
        ("scope", "", "invalid_scope"),
        ("request", "eyJ", "request_not_supported"),
    ] {
        let redirect = setup.go(&query_with("script", name, value)).await.unwrap();
        assert!(
            redirect.location().starts_with(&format!("{CALLBACK}?error=")),
            "{name}"
        );
        let answered = Answered::of(redirect.location());
        assert_eq!(answered.get("error"), error, "{name}={value}");
        assert!(!answered.get("error_description").is_empty());
        assert_eq!((answered.get("state"), answered.get("iss")), ("st&te 1", ISSUER));
        assert_eq!(answered.get("code"), "");
    }
    let repeated = format!("{}&state=other", query("script"));
    let answered = Answered::of(setup.go(&repeated).await.unwrap().location());
    assert_eq!(
        (answered.get("error"), answered.get("state")),
        ("invalid_request", "")
    );
    assert!(setup.nothing_is_asked());
}

/// A13.8: the question says which app, what it proved, where its code goes, its scopes in words, and what can be
/// chosen; the grant is what was chosen, and it is in the log before the app hears of it.
#[tokio::test]
async fn the_person_sees_what_is_wanted_and_the_grant_is_what_they_chose() {
    let setup = Setup::new().await;
    let browser = tokenry_peer::of_process(rustix::process::getuid().as_raw(), std::process::id());
    let asked = query_with("script", "scope", "tokens:read connections:read");
    let end = setup.engine.now() + std::time::Duration::from_secs(600);
    let (redirect, prompt) = tokio::join!(
        setup.engine.authorize(Some(browser.clone()), ISSUER, &asked),
        async {
            let prompt = setup.question().await;
            setup.say(&prompt, setup.yes(Some(end))).await;
            prompt
        }
    );
    assert_eq!(
        (prompt.app.as_deref(), prompt.app_proved),
        (Some("script"), false)
    );
    assert_eq!(
        (prompt.pid, &prompt.program),
        (Some(browser.pid), &browser.program)
    );
    assert_eq!(
        prompt.api_scopes,
        [ApiScope::ConnectionsRead, ApiScope::TokensRead]
    );
    assert!(prompt.api_scopes.iter().all(|scope| !scope.words().is_empty()));
    assert_eq!(prompt.authorization.as_ref().unwrap().redirect_uri, CALLBACK);
    assert_eq!(prompt.choices.len(), 1);
    assert!(!prompt.for_session && prompt.notes[0].contains("no secret"));

    let answered = Answered::of(redirect.unwrap().location());
    assert!(answered.location.starts_with(CALLBACK));
    assert_eq!((answered.get("state"), answered.get("iss")), ("st&te 1", ISSUER));
    assert!(answered.get("code").len() > 40, "256 bits");
    let grants = setup.grants("script");
    assert_eq!((grants.len(), grants[0].expires_at), (1, Some(end)));
    assert_eq!(grants[0].connections, setup.connections());
    let (mut events, _) = setup.engine.events(&ui(), None, 3).await.unwrap();
    // Its line is written a moment later, and the clock stands still here.
    let asked = events
        .iter()
        .position(|event| event.kind == EventKind::ConsentAsked);
    assert_eq!(events.remove(asked.unwrap()).app, Some(setup.id("script")));
    assert_eq!(events[0].kind, EventKind::AppAuthorized);
    assert_eq!(
        (events[0].app, events[0].rule),
        (Some(setup.id("script")), Some(Rule::Once))
    );
    assert_eq!(events[1].kind, EventKind::ConsentDecided);
}

/// A13.5 (RFC 8252 §8.6): knowing a public app's id does not prove to be the app.
#[tokio::test]
async fn a_public_app_is_asked_about_each_time_and_one_with_a_secret_once() {
    let setup = Setup::new().await;
    setup.code("script").await;
    setup.code("script").await;
    assert_eq!(
        setup.grants("script").len(),
        1,
        "the very same grant is kept once"
    );

    setup.code("server").await;
    let at_once = setup.go(&query("server")).await.unwrap();
    assert_ne!(Answered::of(at_once.location()).get("code"), "");
    let wider = query_with("server", "scope", "tokens:read activity:read");
    let answered = setup.go_and_answer(&wider, PromptAnswer::Deny).await;
    assert_eq!(answered.get("error"), "access_denied");
    let (events, _) = setup.engine.events(&ui(), None, 50).await.unwrap();
    let grant = setup.grants("server")[0].id;
    assert!(events.iter().any(|event| event.rule == Some(Rule::Grant(grant))));
    assert!(events.iter().any(|event| event.kind == EventKind::AppAuthorized
        && event.outcome == Outcome::Refused
        && event.rule == Some(Rule::Denied)));
}

#[tokio::test]
async fn a_grant_that_was_taken_away_or_has_ended_has_to_be_asked_for_again() {
    let setup = Setup::new().await;
    let end = setup.engine.now() + std::time::Duration::from_secs(60);
    setup.grant("server", &[ApiScope::TokensRead], Some(end));
    assert!(
        setup
            .go(&query("server"))
            .await
            .unwrap()
            .location()
            .contains("code=")
    );
    setup.world.pass(60);
    assert_eq!(
        setup
            .go_and_answer(&query("server"), PromptAnswer::Deny)
            .await
            .get("error"),
        "access_denied"
    );
    setup.world.pass(60);
    let grant = setup.grant("server", &[ApiScope::TokensRead], None);
    assert!(
        setup
            .go(&query("server"))
            .await
            .unwrap()
            .location()
            .contains("code=")
    );
    setup.take_away(grant);
    assert_eq!(
        setup
            .go_and_answer(&query("server"), PromptAnswer::Deny)
            .await
            .get("error"),
        "access_denied"
    );
    // Not asked again at once, either.
    let paused = setup.go(&query("server")).await.unwrap();
    assert_eq!(Answered::of(paused.location()).get("error"), "access_denied");
}

/// An answer that does not fit is refused, and the question waits for one that does.
async fn refused(setup: &Setup, answer: PromptAnswer, field: &str) {
    let prompt = setup.question().await;
    let proof = crate::Proof::Number(prompt.number.clone());
    let refused = setup
        .engine
        .answer(&Caller::Consent, prompt.id, &proof, answer)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::ValidationError);
    assert!(refused.fields().unwrap().contains_key(field), "{refused}");
    assert_eq!(setup.question().await.id, prompt.id);
}

#[tokio::test]
async fn a_grant_that_would_end_before_it_begins_is_none() {
    let setup = Setup::new().await;
    let asked = query("script");
    let (redirect, ()) = tokio::join!(setup.go(&asked), async {
        refused(&setup, setup.yes(Some(setup.engine.now())), "until").await;
        assert!(setup.grants("script").is_empty());
        let prompt = setup.question().await;
        setup.say(&prompt, PromptAnswer::Deny).await;
    });
    let answered = Answered::of(redirect.unwrap().location());
    assert_eq!(answered.get("error"), "access_denied");
}

#[tokio::test]
async fn an_app_is_authorized_after_an_answer_that_is_for_programs() {
    let setup = Setup::new().await;
    let asked = query("script");
    let (redirect, ()) = tokio::join!(setup.go(&asked), async {
        for wrong in [PromptAnswer::Once, PromptAnswer::Session] {
            refused(&setup, wrong, "decision").await;
        }
        let prompt = setup.question().await;
        setup.say(&prompt, setup.yes(None)).await;
    });
    assert_ne!(Answered::of(redirect.unwrap().location()).get("code"), "");
    assert_eq!(setup.grants("script")[0].connections, setup.connections());
}

#[tokio::test]
async fn at_lock_an_open_request_ends_and_while_locked_there_is_none() {
    let setup = Setup::new().await;
    let asked = query("script");
    let (redirect, ()) = tokio::join!(setup.go(&asked), async {
        setup.question().await;
        setup.engine.lock(&ui()).await.unwrap();
    });
    let answered = Answered::of(redirect.unwrap().location());
    assert_eq!(answered.get("error"), "temporarily_unavailable");
    assert_eq!(setup.go(&asked).await.unwrap_err().http_status(), 423);
}

/// An app that the user removes while its prompt is open hears nothing.
#[tokio::test]
async fn nothing_is_sent_to_an_app_that_was_removed_meanwhile() {
    let setup = Setup::new().await;
    let (id, asked) = (setup.id("script"), query("script"));
    let (redirect, ()) = tokio::join!(setup.go(&asked), async {
        let prompt = setup.question().await;
        let store = setup.store();
        store
            .change(setup.engine.now(), |transaction| transaction.delete_app(id))
            .unwrap();
        setup.say(&prompt, setup.yes(None)).await;
    });
    assert!(matches!(redirect.unwrap_err(), Unredirectable::UnknownClient));
    assert!(setup.store().index().grants().next().is_none());
}

fn decision(setup: &Setup, number: &Secret, approve: bool) -> ConsentDecision {
    ConsentDecision {
        client_id: "script".to_owned(),
        redirect_uri: CALLBACK.to_owned(),
        scope: "tokens:read".to_owned(),
        state: Some("st&te 1".to_owned()),
        code_challenge: CHALLENGE.to_owned(),
        number: number.clone(),
        approve,
        connections: setup.connections(),
        credentials: BTreeSet::new(),
        until: None,
    }
}

/// `POST /oauth/consent`: decided in the window that asks, about just the request that is open.
#[tokio::test]
async fn a_decision_counts_only_from_the_window_that_asks_and_for_the_very_request() {
    let setup = Setup::new().await;
    let asked = query("script");
    let (redirect, ()) = tokio::join!(setup.go(&asked), async {
        let number = setup.question().await.number;
        let program = Caller::Program(tokenry_peer::unknown());
        for caller in [ui(), program, Caller::Engine] {
            let error = setup
                .engine
                .consent(&caller, decision(&setup, &number, true))
                .await
                .unwrap_err();
            assert_eq!(error.code(), Code::PermissionDenied, "{caller:?}");
        }
        type Spoil = fn(&mut ConsentDecision);
        let cases: [(Spoil, Code); 9] = [
            (
                |d| d.redirect_uri = "http://127.0.0.1:9998/cb".to_owned(),
                Code::NotFound,
            ),
            (
                |d| d.scope = "tokens:read activity:read".to_owned(),
                Code::NotFound,
            ),
            (|d| d.state = None, Code::NotFound),
            (|d| d.code_challenge = "x".repeat(43), Code::NotFound),
            (|d| d.client_id = "server".to_owned(), Code::NotFound),
            (|d| d.client_id = "unknown".to_owned(), Code::ValidationError),
            (|d| d.scope = "everything".to_owned(), Code::ValidationError),
            (
                |d| d.until = Some(tokenry_core::Timestamp::UNIX_EPOCH),
                Code::ValidationError,
            ),
            (|d| d.number = Secret::new("0".repeat(32)), Code::PermissionDenied),
        ];
        for (spoil, code) in cases {
            let mut spoilt = decision(&setup, &number, true);
            spoil(&mut spoilt);
            let error = setup.engine.consent(&Caller::Consent, spoilt).await.unwrap_err();
            assert_eq!(error.code(), code, "{error}");
        }
        setup
            .engine
            .consent(&Caller::Consent, decision(&setup, &number, true))
            .await
            .unwrap();
        let again = setup
            .engine
            .consent(&Caller::Consent, decision(&setup, &number, true))
            .await;
        assert_eq!(again.unwrap_err().code(), Code::NotFound);
    });
    assert_ne!(Answered::of(redirect.unwrap().location()).get("code"), "");
}

#[tokio::test]
async fn a_person_who_says_no_gives_nothing() {
    let setup = Setup::new().await;
    let asked = query("script");
    let (redirect, ()) = tokio::join!(setup.go(&asked), async {
        let number = setup.question().await.number;
        setup
            .engine
            .consent(&Caller::Consent, decision(&setup, &number, false))
            .await
            .unwrap();
    });
    assert_eq!(
        Answered::of(redirect.unwrap().location()).get("error"),
        "access_denied"
    );
    assert_eq!(setup.grants("script").len(), 0);
}

/// The answer may name only what was offered.
#[tokio::test]
async fn what_was_not_offered_cannot_be_chosen() {
    let setup = Setup::new().await;
    let asked = query_with("script", "scope", "activity:read");
    let (redirect, ()) = tokio::join!(setup.go(&asked), async {
        let prompt = setup.question().await;
        assert!(prompt.choices.is_empty());
        refused(&setup, setup.yes(None), "connections").await;
        setup.say(&prompt, PromptAnswer::Deny).await;
    });
    assert_eq!(Answered::of(redirect.unwrap().location()).get("code"), "");
    assert_eq!(setup.connections(), BTreeSet::from([setup.connection().await]));
}
