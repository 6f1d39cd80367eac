//! Restores into a profile that holds something else under the same ids and names.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_living_connection_is_replaced_only_when_the_user_names_it() {
    let (world, engine, file) = backed_up(true).await;
    set_rotation(&engine, Rotation::None).await;
    let change = patch(json!({"display_name": "Renamed"}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    world.pass(100);
    engine.refresh(&ui(), NAME).await.unwrap();
    let preview = read(&engine, &file, identity()).await.unwrap();
    let (provider, connection) = (
        item(&preview, RestoreKind::Provider),
        item(&preview, RestoreKind::Connection),
    );
    assert_eq!(provider.state, RestoreState::Conflict);
    assert!(
        provider
            .differences
            .iter()
            .any(|change| change.field == "display_name" && change.from.as_deref() == Some("Renamed"))
    );
    let before = engine.provider(&ui(), NAME).await.unwrap().settings.display_name;
    let tokens = token(&engine, 0).await.unwrap().access_token;
    let left = apply(&engine, &preview, &[]).await.unwrap();
    assert_eq!((left.added, left.replaced), (0, 0));
    assert_eq!(
        engine.provider(&ui(), NAME).await.unwrap().settings.display_name,
        before
    );
    assert_eq!(
        token(&engine, 0).await.unwrap().access_token.expose(),
        tokens.expose()
    );
    // Both of them are named.
    let preview = read(&engine, &file, identity()).await.unwrap();
    let mut named = vec![provider.id.as_str()];
    if connection.state == RestoreState::Conflict {
        named.push(connection.id.as_str());
    }
    let replaced = apply(&engine, &preview, &named).await.unwrap();
    assert_eq!(replaced.replaced, named.len() as u64);
    assert_ne!(
        engine.provider(&ui(), NAME).await.unwrap().settings.display_name,
        "Renamed"
    );
}

/// A refresh token in a file goes only where the user sees it go.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_not_restored_at_a_provider_whose_endpoints_differ_here() {
    let (world, engine, file) = backed_up(true).await;
    engine.shutdown().await;
    let other = Elsewhere::of(&world);
    let engine = other.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    let elsewhere = patch(json!({"token_endpoint": "http://127.0.0.1:9/elsewhere"}));
    engine.change_provider(&ui(), NAME, elsewhere).await.unwrap();
    let preview = read(&engine, &file, identity()).await.unwrap();
    let (provider, connection) = (
        item(&preview, RestoreKind::Provider),
        item(&preview, RestoreKind::Connection),
    );
    assert_eq!(
        (provider.state, connection.state),
        (RestoreState::Conflict, RestoreState::New)
    );
    assert_eq!(connection.needs.as_ref(), Some(&provider.id));
    let left = apply(&engine, &preview, &[]).await.unwrap();
    assert_eq!((left.added, left.left), (1, 2), "the credential alone");
    assert!(engine.connections(&ui()).await.unwrap().is_empty());
    let preview = read(&engine, &file, identity()).await.unwrap();
    let replaced = apply(&engine, &preview, &[&provider.id]).await.unwrap();
    assert_eq!((replaced.added, replaced.replaced), (1, 1));
    assert!(
        world
            .server
            .accepts(token(&engine, 0).await.unwrap().access_token.expose())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_another_person_is_never_replaced_and_a_taken_name_gets_a_label() {
    let (world, engine, file) = backed_up(true).await;
    engine.shutdown().await;
    let other = Elsewhere::of(&world);
    let engine = other.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    world.server.set(|behaviour| {
        behaviour.accounts = vec![Account::new("sub-2", "Grace Hopper", "grace@example.com")];
    });
    world.sign_in(&engine, ConnectOptions::default()).await.unwrap();
    let preview = read(&engine, &file, identity()).await.unwrap();
    let connection = item(&preview, RestoreKind::Connection);
    assert_eq!(connection.state, RestoreState::New);
    assert!(
        connection.note.as_ref().unwrap().contains("label"),
        "{connection:?}"
    );
    apply(&engine, &preview, &[]).await.unwrap();
    let names: Vec<_> = engine
        .connections(&ui())
        .await
        .unwrap()
        .into_iter()
        .map(|view| view.name)
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(
        names.contains(&NAME.to_owned()) && names.contains(&connection.name),
        "{names:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_the_preview_restores_nothing() {
    let (_world, engine, file) = backed_up(true).await;
    let change = patch(json!({"display_name": "One"}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    let preview = read(&engine, &file, identity()).await.unwrap();
    let change = patch(json!({"display_name": "Two"}));
    engine.change_provider(&ui(), NAME, change).await.unwrap();
    let provider = item(&preview, RestoreKind::Provider).id.clone();
    let error = apply(&engine, &preview, &[&provider]).await.unwrap_err();
    assert!(error.contains("changed since"), "{error}");
    assert_eq!(
        engine.provider(&ui(), NAME).await.unwrap().settings.display_name,
        "Two"
    );
    let unknown = apply(&engine, &preview, &["00000000-0000-0000-0000-000000000001"])
        .await
        .unwrap_err();
    assert!(unknown.contains("not in conflict"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_states_of_a_backup_are_told_in_the_order_of_its_kinds() {
    let (_world, engine, file) = backed_up(true).await;
    let preview = read(&engine, &file, identity()).await.unwrap();
    let same = RestoreState::Same;
    assert_eq!(
        states(&preview),
        [
            (RestoreKind::Provider, same),
            (RestoreKind::Credential, same),
            (RestoreKind::Connection, same)
        ]
    );
}
