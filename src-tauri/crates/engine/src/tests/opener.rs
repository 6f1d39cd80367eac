//! What the program that opens a browser is started with.

use crate::ConnectOptions;
use crate::tests::common::{Browser, NAME, ui, until};
use crate::tests::flows::added;
use tokenry_core::Redirect;
use tokenry_testkit::Behaviour;
use tokio::net::TcpStream;

/// security.md, Redirects: the arguments of the program that opens a browser are seen by every user of the machine.
#[tokio::test]
async fn the_browser_is_started_with_an_address_that_holds_nothing_of_the_flow() {
    let (world, engine) = added(Behaviour::default()).await;
    for (redirect, label) in [
        (Redirect::Loopback, "one"),
        (Redirect::Paste, "two"),
        (Redirect::DeepLink, "three"),
    ] {
        let how = ConnectOptions {
            redirect: Some(redirect),
            label: Some(label.to_owned()),
            ..ConnectOptions::default()
        };
        let flow = engine.connect(&ui(), NAME, how).await.unwrap();
        for _ in 0..2 {
            engine.open_flow(&ui(), flow.flow).await.unwrap();
        }
        let opened = std::mem::take(&mut *world.host.opened.lock().unwrap());
        assert_eq!(opened.len(), 2, "{redirect:?}");
        assert_eq!(opened[0], opened[1], "one listener is enough");
        let address = &opened[0];
        assert!(
            address.path().starts_with("/begin/") && address.query().is_none(),
            "{address}"
        );
        assert!(!address.as_str().contains(flow.state.expose()), "{address}");
        let mut browser = Browser::default();
        let passed_on = browser.get(address.as_str()).await;
        assert_eq!(passed_on.status, 303);
        assert_eq!(passed_on.location(), Some(flow.authorization_url.as_str()));
        engine.cancel_flow(&ui(), flow.flow).await.unwrap();
        let is_closed = async || {
            TcpStream::connect(("127.0.0.1", address.port().unwrap()))
                .await
                .err()
        };
        until("the listener closes with its flow", is_closed).await;
    }
}
