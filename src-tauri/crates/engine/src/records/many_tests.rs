//! Ten thousand connections, and an activity log of many pages.

use crate::tests::common::{NAME, World, ui, view};
use std::time::Duration;
use tokenry_core::{ConnectionId, ConnectionStatus, OsRandom, Tokens};
use tokenry_testkit::Behaviour;

const MANY: usize = 10_000;

#[tokio::test]
async fn ten_thousand_connections_start_list_and_hand_out() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let store = engine.store().unwrap();
    let one = view(&engine).await.connection;
    let tokens = store.get::<Tokens>(one.id.row()).unwrap().unwrap();
    store
        .change(engine.now(), |transaction| {
            for number in 1..MANY {
                let mut more = one.clone();
                more.id = ConnectionId::new(&world.clock, &OsRandom);
                more.label = (number < 10).then(|| format!("n{number}"));
                transaction.put(more.id.row(), &more)?;
                transaction.put(more.id.row(), &tokens)?;
            }
            Ok(())
        })
        .unwrap();
    drop(store);
    world.server.clear_log();

    let engine = world.restart(engine).await;
    assert_eq!(engine.status().vault.problem, None);
    assert_eq!(
        engine.status().connections,
        [(ConnectionStatus::Active, MANY as u64)]
    );
    let list = engine.connections(&ui()).await.unwrap();
    assert_eq!(list.len(), MANY);
    assert!(list.windows(2).all(|pair| pair[0].name <= pair[1].name));
    for reference in ["sandbox/n1", "n9", &list[MANY / 2].connection.id.to_string()] {
        engine.token(&ui(), reference, Duration::ZERO).await.unwrap();
    }
    assert!(
        world.server.log().is_empty(),
        "no request to a provider while the tokens are good"
    );
}

#[tokio::test]
async fn the_activity_log_is_read_page_by_page_newest_first() {
    let (_world, engine) = World::connected(Behaviour::default()).await;
    for _ in 0..40 {
        engine.token(&ui(), NAME, Duration::ZERO).await.unwrap();
    }
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let (page, next) = engine.events(&ui(), before, 7).await.unwrap();
        assert!(page.len() <= 7);
        all.extend(page.into_iter().map(|event| event.id));
        if next.is_none() {
            break;
        }
        before = next;
    }
    let (at_once, end) = engine.events(&ui(), None, 500).await.unwrap();
    assert_eq!(end, None);
    assert_eq!(all, at_once.iter().map(|event| event.id).collect::<Vec<_>>());
    assert!(all.len() >= 43, "{}", all.len());
    assert!(at_once.windows(2).all(|pair| pair[0].at >= pair[1].at));
}
