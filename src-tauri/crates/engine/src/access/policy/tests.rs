//! The decision table of the policy.

use super::*;
use std::collections::BTreeSet;
use tokenry_core::{AppCaller, GrantId, OsRandom, Peer, SystemClock};

fn peer() -> Peer {
    Peer {
        uid: 1000,
        pid: 42,
        started: 7,
        program: Some("/usr/bin/script".to_owned()),
        session: Some(1),
        helper: None,
        remote: None,
    }
}

/// An app, another one, two connections, two credentials and a moment.
struct Scene {
    app: AppId,
    other: AppId,
    connection: ConnectionId,
    foreign: ConnectionId,
    credential: CredentialId,
    now: Timestamp,
}

impl Scene {
    fn new() -> Self {
        Self {
            app: AppId::new(&SystemClock, &OsRandom),
            other: AppId::new(&SystemClock, &OsRandom),
            connection: ConnectionId::new(&SystemClock, &OsRandom),
            foreign: ConnectionId::new(&SystemClock, &OsRandom),
            credential: CredentialId::new(&SystemClock, &OsRandom),
            now: Timestamp::from_second(1_800_000_000).unwrap(),
        }
    }

    fn grant(&self, scopes: &[ApiScope]) -> Grant {
        Grant {
            id: GrantId::new(&SystemClock, &OsRandom),
            app: self.app,
            scopes: scopes.iter().copied().collect(),
            connections: BTreeSet::from([self.connection]),
            credentials: BTreeSet::from([self.credential]),
            token_scopes: None,
            while_locked: false,
            expires_at: None,
            created_at: self.now,
            last_used_at: None,
        }
    }

    fn caller(&self, grant: Option<GrantId>) -> Caller {
        Caller::App(AppCaller {
            app: self.app,
            grant,
            scopes: None,
            token: None,
            peer: Some(peer()),
        })
    }

    fn decide(&self, caller: &Caller, operation: Operation, target: &Target, grants: &[&Grant]) -> Decision {
        self.decide_in(caller, operation, target, grants, ConsentMode::Possible)
    }

    fn decide_in(
        &self,
        caller: &Caller,
        operation: Operation,
        target: &Target,
        grants: &[&Grant],
        asking: ConsentMode,
    ) -> Decision {
        decide(&Question {
            caller,
            operation,
            target,
            grants,
            session: false,
            asking,
            now: self.now,
        })
    }

    fn of(&self, connection: ConnectionId) -> Target {
        Target {
            connection: Some(connection),
            ..Target::default()
        }
    }
}

/// How each caller fares without any grant, operation by operation: window, consent window, engine, program.
/// `+` is yes, `?` is ask, `-` is no.
#[test]
fn the_table_of_callers_and_operations() {
    let table = [
        (Operation::ReadProviders, "+--+"),
        (Operation::Discover, "+--+"),
        (Operation::WriteProviders, "+--?"),
        (Operation::DeleteProvider, "+--?"),
        (Operation::MoveEndpoint, "+--?"),
        (Operation::StartFlow, "+--?"),
        (Operation::FinishFlow, "+-+?"),
        (Operation::StepUp, "+--?"),
        (Operation::ReadConnections, "+-++"),
        (Operation::WriteConnection, "+--?"),
        (Operation::Token, "+--?"),
        (Operation::Refresh, "+-+?"),
        (Operation::Disconnect, "+--?"),
        (Operation::ListCredentials, "+--+"),
        (Operation::ReadCredential, "+--?"),
        (Operation::WriteCredentials, "+--?"),
        (Operation::DeleteCredential, "+--?"),
        (Operation::ReadActivity, "+--+"),
        (Operation::ReadApps, "+--+"),
        (Operation::WriteApps, "+--?"),
        (Operation::DeleteApp, "+--?"),
        (Operation::ReadSettings, "+--+"),
        (Operation::Settings, "+---"),
        (Operation::AutoLock, "+--?"),
        (Operation::AuthorizeApp, "----"),
        (Operation::ReadPrompts, "++-+"),
        (Operation::Answer, "-+--"),
        (Operation::AcceptOlder, "+--?"),
        (Operation::WriteSlots, "+--?"),
        (Operation::CutOff, "+--?"),
        (Operation::Forward, "+--+"),
        (Operation::CheckVault, "+--+"),
        (Operation::CheckProvider, "+--+"),
        (Operation::SalvageVault, "+--?"),
        (Operation::Engine, "+--+"),
        (Operation::HandOver, "---?"),
        (Operation::Backup, "+--?"),
        (Operation::Restore, "+--?"),
        (Operation::BackupJobs, "+--+"),
    ];
    let listed = BTreeSet::from(table.map(|(operation, _)| operation));
    assert_eq!(listed, Operation::ALL.iter().copied().collect());
    let scene = Scene::new();
    for (operation, expected) in table {
        let callers = [
            Caller::Ui,
            Caller::Consent,
            Caller::Engine,
            Caller::Program(peer()),
        ];
        let found: String = callers
            .iter()
            .map(
                |caller| match scene.decide(caller, operation, &Target::default(), &[]) {
                    Decision::Allow(_) => '+',
                    Decision::Ask => '?',
                    Decision::Deny(_) => '-',
                },
            )
            .collect();
        assert_eq!(found, expected, "{operation:?}");
        // A prompt is part of the API, so what the user is prompted for has a word there, and nothing else has.
        let is_prompted = expected.contains('?') || operation == Operation::AuthorizeApp;
        assert_eq!(
            serde_json::to_value(operation).is_ok(),
            is_prompted,
            "{operation:?}"
        );
    }
}

/// api.md: each operation with the scope it needs, and with each of the others.
#[test]
fn an_app_may_do_what_its_scopes_say_and_nothing_else() {
    let scene = Scene::new();
    let target = Target {
        connection: Some(scene.connection),
        credential: Some(scene.credential),
        owner: Some(scene.app),
        is_own: false,
        scopes: None,
    };
    for &operation in Operation::ALL {
        for &scope in ApiScope::ALL {
            let grant = scene.grant(&[scope]);
            let decision = scene.decide(&scene.caller(None), operation, &target, &[&grant]);
            let expected = match operation {
                Operation::Engine => Decision::Allow(Rule::SameUser),
                _ if operation.scopes().is_empty() => Decision::Deny(Rule::NotForThisCaller),
                _ if !operation.scopes().contains(&scope) => Decision::Deny(Rule::NoGrant),
                // Secrets that would go elsewhere, a provider that would go, a connection that would do more: the user is
                // asked, whatever was granted.
                Operation::MoveEndpoint | Operation::DeleteProvider | Operation::StepUp => Decision::Ask,
                _ => Decision::Allow(Rule::Grant(grant.id)),
            };
            assert_eq!(decision, expected, "{operation:?} with {scope}");
        }
    }
}

#[test]
fn a_grant_is_good_for_its_connections_and_for_those_the_app_made() {
    let scene = Scene::new();
    let grant = scene.grant(&[ApiScope::TokensRead]);
    let token = |target: &Target| scene.decide(&scene.caller(None), Operation::Token, target, &[&grant]);
    assert_eq!(
        token(&scene.of(scene.connection)),
        Decision::Allow(Rule::Grant(grant.id))
    );
    assert_eq!(token(&scene.of(scene.foreign)), Decision::Deny(Rule::NoGrant));
    let own = |owner| Target {
        owner: Some(owner),
        ..scene.of(scene.foreign)
    };
    assert_eq!(token(&own(scene.app)), Decision::Allow(Rule::Grant(grant.id)));
    assert_eq!(token(&own(scene.other)), Decision::Deny(Rule::NoGrant));
}

/// evershell-oauth-start: `:own` on what another caller started is refused.
#[test]
fn own_is_what_the_app_itself_started() {
    let scene = Scene::new();
    let grant = scene.grant(&[ApiScope::AuthWriteOwn]);
    let at = |operation, target: &Target| scene.decide(&scene.caller(None), operation, target, &[&grant]);
    let allowed = Decision::Allow(Rule::Grant(grant.id));
    assert_eq!(at(Operation::StartFlow, &Target::default()), allowed);
    for operation in [Operation::StartFlow, Operation::Refresh, Operation::Disconnect] {
        // In the grant's list, and still not its own.
        assert_eq!(
            at(operation, &scene.of(scene.connection)),
            Decision::Deny(Rule::NoGrant),
            "{operation:?}"
        );
        let own = Target {
            owner: Some(scene.app),
            ..scene.of(scene.foreign)
        };
        assert_eq!(at(operation, &own), allowed, "{operation:?}");
    }
}

#[test]
fn the_answer_of_a_flow_is_brought_by_the_app_that_started_it() {
    let scene = Scene::new();
    let grant = scene.grant(&[ApiScope::AuthWrite, ApiScope::AuthWriteOwn]);
    let finish = |owner| {
        let target = Target {
            owner,
            ..Target::default()
        };
        scene.decide(&scene.caller(None), Operation::FinishFlow, &target, &[&grant])
    };
    assert_eq!(finish(Some(scene.app)), Decision::Allow(Rule::Grant(grant.id)));
    assert_eq!(finish(Some(scene.other)), Decision::Deny(Rule::NoGrant));
    assert_eq!(finish(None), Decision::Deny(Rule::NoGrant));
}

#[test]
fn a_grant_that_has_ended_or_is_another_apps_counts_for_nothing() {
    let scene = Scene::new();
    let target = scene.of(scene.connection);
    let denied = Decision::Deny(Rule::NoGrant);
    let mut ended = scene.grant(&[ApiScope::TokensRead]);
    ended.expires_at = Some(scene.now);
    assert_eq!(
        scene.decide(&scene.caller(None), Operation::Token, &target, &[&ended]),
        denied
    );
    let mut foreign = scene.grant(&[ApiScope::TokensRead]);
    foreign.app = scene.other;
    assert_eq!(
        scene.decide(&scene.caller(None), Operation::Token, &target, &[&foreign]),
        denied
    );
}

#[test]
fn an_issued_token_is_good_for_its_own_grant_only() {
    let scene = Scene::new();
    let (narrow, wide) = (
        scene.grant(&[ApiScope::ActivityRead]),
        scene.grant(&[ApiScope::TokensRead]),
    );
    let target = scene.of(scene.connection);
    let with = |grant| scene.decide(&scene.caller(grant), Operation::Token, &target, &[&narrow, &wide]);
    assert_eq!(with(None), Decision::Allow(Rule::Grant(wide.id)));
    assert_eq!(with(Some(narrow.id)), Decision::Deny(Rule::NoGrant));
}

/// security.md, "Local interfaces": a program that asks for less gets less.
#[test]
fn a_limit_on_scopes_covers_what_is_within_it() {
    let scene = Scene::new();
    let mut grant = scene.grant(&[ApiScope::TokensRead]);
    grant.token_scopes = Some(Scopes::parse("read list"));
    let asked = |scopes: Option<&str>| {
        let target = Target {
            scopes: scopes.map(Scopes::parse),
            ..scene.of(scene.connection)
        };
        scene.decide(&scene.caller(None), Operation::Token, &target, &[&grant])
    };
    let allowed = Decision::Allow(Rule::Grant(grant.id));
    assert_eq!(asked(None), allowed);
    assert_eq!(asked(Some("read")), allowed);
    assert_eq!(asked(Some("read write")), Decision::Deny(Rule::NoGrant));
}

#[test]
fn an_engine_that_cannot_ask_refuses_or_allows_as_it_was_told_at_start() {
    let scene = Scene::new();
    let program = Caller::Program(peer());
    let at = |operation, asking| scene.decide_in(&program, operation, &Target::default(), &[], asking);
    assert_eq!(
        at(Operation::Token, ConsentMode::Never),
        Decision::Deny(Rule::CannotAsk)
    );
    assert_eq!(
        at(Operation::Token, ConsentMode::AllowAll),
        Decision::Allow(Rule::ApproveAll)
    );
    for asking in [ConsentMode::Never, ConsentMode::AllowAll] {
        // What needs no prompt does not change.
        assert_eq!(
            at(Operation::ReadProviders, asking),
            Decision::Allow(Rule::SameUser)
        );
        assert_eq!(
            at(Operation::Answer, asking),
            Decision::Deny(Rule::NotForThisCaller)
        );
        assert_eq!(
            at(Operation::Settings, asking),
            Decision::Deny(Rule::NotForThisCaller)
        );
    }
}

#[test]
fn what_was_allowed_for_the_session_is_not_asked_again_and_lifts_no_other_limit() {
    let scene = Scene::new();
    let target = Target::default();
    let with = |caller: &Caller, operation| {
        decide(&Question {
            caller,
            operation,
            target: &target,
            grants: &[],
            session: true,
            asking: ConsentMode::Never,
            now: scene.now,
        })
    };
    let program = Caller::Program(peer());
    assert_eq!(with(&program, Operation::Token), Decision::Allow(Rule::Session));
    assert_eq!(
        with(&program, Operation::Answer),
        Decision::Deny(Rule::NotForThisCaller)
    );
    assert_eq!(
        with(&scene.caller(None), Operation::Token),
        Decision::Deny(Rule::NoGrant)
    );
}

/// Checklist A13: `scope` of an access token says what it is good for, even where its grant is wider.
#[test]
fn an_access_token_is_good_for_its_own_scopes_only() {
    let scene = Scene::new();
    let grant = scene.grant(&[ApiScope::TokensRead, ApiScope::ActivityRead]);
    let Caller::App(mut app) = scene.caller(Some(grant.id)) else {
        unreachable!("it is an app")
    };
    app.scopes = Some(BTreeSet::from([ApiScope::ActivityRead]));
    let caller = Caller::App(app);
    let decide = |operation| scene.decide(&caller, operation, &scene.of(scene.connection), &[&grant]);
    assert_eq!(
        decide(Operation::ReadActivity),
        Decision::Allow(Rule::Grant(grant.id))
    );
    assert_eq!(decide(Operation::Token), Decision::Deny(Rule::NoGrant));
}

/// SECURITY.md, "Programs that get tokens": a host sees and requests what its socket is for, and nothing else.
#[test]
fn a_host_may_request_tokens_of_its_connections_and_nothing_else() {
    let scene = Scene::new();
    let host = Caller::Program(Peer {
        program: Some("host build by ssh".to_owned()),
        remote: Some(Remote {
            forward: 1,
            connections: BTreeSet::from([scene.connection]),
        }),
        ..peer()
    });
    let of = |connection| Target {
        connection: Some(connection),
        is_own: true,
        ..Target::default()
    };
    for &operation in Operation::ALL {
        let (own, foreign) = (of(scene.connection), of(scene.foreign));
        let expected = match operation {
            Operation::Token => Decision::Ask,
            Operation::ReadConnections => Decision::Allow(Rule::SameUser),
            _ => Decision::Deny(Rule::NotForThisCaller),
        };
        assert_eq!(
            scene.decide(&host, operation, &own, &[]),
            expected,
            "{operation:?}"
        );
        let decision = scene.decide(&host, operation, &foreign, &[]);
        assert_eq!(decision, Decision::Deny(Rule::NoGrant), "{operation:?}");
    }
    let decision = scene.decide(&host, Operation::Token, &Target::default(), &[]);
    assert_eq!(decision, Decision::Deny(Rule::NotForThisCaller));
}
