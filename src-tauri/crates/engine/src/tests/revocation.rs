//! What a provider answers at its revocation endpoint, and what is told of it.

use crate::Revoked;
use crate::tests::common::{NAME, World, ui, view};
use tokenry_core::{Code, ConnectionStatus};
use tokenry_testkit::{Behaviour, Endpoint, Fault, Kind};

fn refusal(status: u16, error: &str) -> Fault {
    Fault::OauthError {
        status,
        error: error.to_owned(),
    }
}

/// The hint of every revocation, in order.
fn hints(world: &World) -> Vec<String> {
    let log = world.server.log();
    let revocations = log.iter().filter(|request| request.kind == Kind::Revoke);
    revocations
        .map(|request| request.parameter("token_type_hint").unwrap().to_owned())
        .collect()
}

/// A server that cannot revoke is not asked for a week, and the list does not say "disconnecting".
#[tokio::test]
async fn where_nothing_can_revoke_that_is_told_with_the_status_and_ends_at_once() {
    for status in [404, 405, 410, 501] {
        let (world, engine) = World::connected(Behaviour::default()).await;
        world
            .server
            .set(|behaviour| behaviour.revocation_fault = Some(refusal(status, "not_found")));
        let (revoked, detail) = engine.disconnect_and_tell(&ui(), NAME).await.unwrap();
        assert_eq!(revoked, Revoked::Unsupported, "{status}");
        let detail = detail.unwrap();
        assert!(
            detail.contains(&format!("answered {status} at its revocation endpoint")),
            "{detail}"
        );
        assert!(!detail.contains("could not be reached"), "{detail}");
        assert!(engine.connections(&ui()).await.unwrap().is_empty());
        let (events, _) = engine.events(&ui(), None, 50).await.unwrap();
        let told = events.iter().filter_map(|event| event.detail.as_deref());
        assert!(
            told.into_iter()
                .any(|detail| detail.contains(&status.to_string()))
        );
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_told_with_the_status() {
    for status in [500, 502, 503, 429] {
        let (world, engine) = World::connected(Behaviour::default()).await;
        let id = view(&engine).await.connection.id.to_string();
        world
            .server
            .set(|behaviour| behaviour.revocation_fault = Some(refusal(status, "temporarily_unavailable")));
        let (revoked, detail) = engine.disconnect_and_tell(&ui(), NAME).await.unwrap();
        assert_eq!(revoked, Revoked::Pending, "{status}");
        assert!(
            detail
                .unwrap()
                .contains(&format!("answered {status} at its revocation endpoint"))
        );
        let owed = engine.connection(&ui(), &id).await.unwrap().connection;
        assert_eq!(owed.status, ConnectionStatus::Disconnecting);
        assert!(owed.trouble.unwrap().message.contains(&status.to_string()));
        let error = engine.remove_provider(&ui(), NAME, true).await.unwrap_err();
        assert_eq!(error.code(), Code::Conflict);
        assert!(error.to_string().contains(&status.to_string()), "{error}");
    }
}

/// RFC 7009 §2.2.1.
#[tokio::test]
async fn a_kind_of_token_that_is_not_revoked_is_tried_by_the_other_name_and_then_the_access_token() {
    let unsupported = || refusal(400, "unsupported_token_type");
    for (refused, expected, revoked) in [
        (
            1,
            &["refresh_token", "access_token", "access_token"][..],
            Revoked::Yes,
        ),
        (
            2,
            &["refresh_token", "access_token", "access_token"],
            Revoked::Unsupported,
        ),
        (
            4,
            &["refresh_token", "access_token", "access_token", "refresh_token"],
            Revoked::Unsupported,
        ),
    ] {
        let (world, engine) = World::connected(Behaviour::default()).await;
        for _ in 0..refused {
            world.server.queue_at(Endpoint::Revocation, unsupported());
        }
        let (got, detail) = engine.disconnect_and_tell(&ui(), NAME).await.unwrap();
        assert_eq!(
            (got, hints(&world)),
            (revoked, expected.iter().map(|hint| (*hint).to_owned()).collect())
        );
        match refused {
            1 => assert_eq!(detail, None),
            2 => assert!(detail.unwrap().contains("access tokens only")),
            _ => assert!(detail.unwrap().contains("unsupported_token_type")),
        }
        assert!(engine.connections(&ui()).await.unwrap().is_empty());
    }
}
