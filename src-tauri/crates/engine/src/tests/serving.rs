//! Which connection serves an address: bindings, and the hosts that presets name.

use crate::tests::apps::{grant, registered};
use crate::tests::common::{NAME, World, paste, ui};
use crate::{ConnectOptions, ConnectionChange, Engine, Error};
use tokenry_core::{ApiScope, Caller, Code, NamedBy, ProviderPatch, ServingConnection};
use tokenry_testkit::{Account, Behaviour};

fn bound(addresses: &[&str]) -> ConnectionChange {
    ConnectionChange {
        bindings: Some(addresses.iter().map(|&address| address.to_owned()).collect()),
        ..ConnectionChange::default()
    }
}

async fn bind(engine: &Engine, name: &str, addresses: &[&str]) -> Result<Vec<String>, Error> {
    let changed = engine.change_connection(&ui(), name, bound(addresses)).await?;
    Ok(changed.connection.bindings)
}

async fn serving(engine: &Engine, caller: &Caller, address: &str) -> Vec<(String, String)> {
    let found = engine.serving(caller, address).await.unwrap();
    let found = found.into_iter();
    found.map(|one| (one.connection_name, one.address)).collect()
}

fn pair(name: &str, address: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), address.to_owned())]
}

/// Two accounts, `NAME/work` and `NAME/home`.
async fn two() -> (World, Engine, [String; 2]) {
    let world = World::new(Behaviour {
        accounts: vec![
            Account::new("sub-1", "Ada", "ada@example.com"),
            Account::new("sub-2", "Ada", "ada@home.example"),
        ],
        ..Behaviour::default()
    });
    let engine = world.start().await;
    engine.add_provider(&ui(), world.provider(NAME)).await.unwrap();
    for label in ["work", "home"] {
        let how = ConnectOptions {
            label: Some(label.to_owned()),
            ..ConnectOptions::default()
        };
        world.sign_in(&engine, paste(how)).await.unwrap();
    }
    let names = ["work", "home"].map(|label| format!("{NAME}/{label}"));
    (world, engine, names)
}

/// A connection of a provider that was added for this resource.
async fn for_resource(resource: &str) -> (World, Engine) {
    let world = World::new(Behaviour::default());
    let engine = world.start().await;
    let provider = world.provider(NAME).with("resource", resource);
    engine.add_provider(&ui(), provider).await.unwrap();
    world
        .sign_in(&engine, paste(ConnectOptions::default()))
        .await
        .unwrap();
    (world, engine)
}

#[tokio::test]
async fn the_longest_bound_path_wins_and_an_unnamed_host_is_served_by_none() {
    let (_world, engine, [work, home]) = two().await;
    let kept = bind(
        &engine,
        &work,
        &["GitHub.com/", "https://github.com", "github.com/acme"],
    )
    .await;
    assert_eq!(kept.unwrap(), ["https://github.com", "https://github.com/acme"]);
    bind(&engine, &home, &["https://github.com/acme/private"])
        .await
        .unwrap();
    for (address, expected) in [
        (
            "https://github.com/acme/private/x.git",
            pair(&home, "https://github.com/acme/private"),
        ),
        (
            "https://github.com/acme/privately",
            pair(&work, "https://github.com/acme"),
        ),
        ("https://github.com/", pair(&work, "https://github.com")),
        ("https://gitlab.com/acme", Vec::new()),
        ("https://github.com.evil.example/acme", Vec::new()),
    ] {
        assert_eq!(serving(&engine, &ui(), address).await, expected, "{address}");
    }
}

#[tokio::test]
async fn an_address_is_bound_to_one_connection_until_it_is_taken_away_there() {
    let (_world, engine, [work, home]) = two().await;
    bind(&engine, &work, &["github.com"]).await.unwrap();
    let taken = bind(&engine, &home, &["https://github.com/"]).await.unwrap_err();
    assert_eq!(taken.code(), Code::Conflict);
    assert!(taken.to_string().contains(&work), "{taken}");
    bind(&engine, &work, &[]).await.unwrap();
    bind(&engine, &home, &["github.com"]).await.unwrap();
    let wrong = ["http://github.com", "github.com?x", "https://", "ftp://x.example"];
    for address in wrong {
        let refused = bind(&engine, &home, &[address]).await.unwrap_err();
        assert_eq!(refused.code(), Code::ValidationError, "{address}");
    }
    let many: Vec<_> = (0..101)
        .map(|number| format!("https://{number}.example"))
        .collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert!(bind(&engine, &home, &many).await.is_err());
    assert_eq!(
        serving(&engine, &ui(), "https://github.com").await,
        pair(&home, "https://github.com"),
        "what was refused changed nothing"
    );
}

#[tokio::test]
async fn an_app_learns_only_of_the_connections_that_it_may_see() {
    let (_world, engine, [work, home]) = two().await;
    bind(&engine, &work, &["https://a.example"]).await.unwrap();
    bind(&engine, &home, &["https://b.example"]).await.unwrap();
    let (_, caller) = registered(&engine, "mailer").await;
    let to_home = grant("mailer", &[ApiScope::ConnectionsRead], &[&home]);
    engine.give_grant(&ui(), to_home).await.unwrap();
    assert!(serving(&engine, &caller, "https://a.example").await.is_empty());
    assert_eq!(
        serving(&engine, &caller, "https://b.example").await,
        pair(&home, "https://b.example")
    );
}

#[tokio::test]
async fn an_app_that_may_only_have_tokens_learns_where_those_may_go() {
    let (_world, engine, [work, home]) = two().await;
    bind(&engine, &work, &["https://a.example"]).await.unwrap();
    bind(&engine, &home, &["https://b.example"]).await.unwrap();
    let (_, caller) = registered(&engine, "mailer").await;
    for scope in [ApiScope::ActivityRead, ApiScope::TokensRead] {
        let refused = engine.serving(&caller, "https://b.example").await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{scope:?}");
        let to_home = grant("mailer", &[scope], &[&home]);
        engine.give_grant(&ui(), to_home).await.unwrap();
    }
    assert!(serving(&engine, &caller, "https://a.example").await.is_empty());
    assert_eq!(
        serving(&engine, &caller, "https://b.example").await,
        pair(&home, "https://b.example")
    );
}

#[tokio::test]
async fn the_resource_that_a_provider_was_added_for_is_served() {
    let (_world, engine) = for_resource("https://mcp.example/mcp").await;
    let found = engine.serving(&ui(), "https://mcp.example/mcp/x").await.unwrap();
    assert_eq!(found[0].named_by, NamedBy::Resource);
    assert!(
        engine
            .serving(&ui(), "https://mcp.example/other")
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_provider_that_changes_serves_its_new_address_at_once() {
    let (_world, engine) = for_resource("https://mcp.example/mcp").await;
    for (before, now) in [("mcp", "other"), ("other", "mcp")] {
        let address = |path: &str| format!("https://mcp.example/{path}");
        assert!(!engine.serving(&ui(), &address(before)).await.unwrap().is_empty());
        let change = ProviderPatch::default().with("resource", address(now).as_str());
        engine.change_provider(&ui(), NAME, change).await.unwrap();
        let of_provider = |found: Vec<ServingConnection>| found.iter().any(|one| one.address == address(now));
        assert!(of_provider(engine.serving(&ui(), &address(now)).await.unwrap()));
    }
}
