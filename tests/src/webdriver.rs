//! The real window, driven through WebKitWebDriver.

use crate::process::Running;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long making a session may take before it is tried again: now and then the first one hangs.
const SESSION_TIMEOUT: Duration = Duration::from_secs(20);

/// A driver with the window it opened. The window closes when this is dropped.
pub struct Window {
    /// Finds and clicks.
    pub client: Client,
    driver: Running,
}

impl Window {
    /// Starts the driver in the environment of `command`, which is made by a session or a profile and whose
    /// program must be `WebKitWebDriver`, and opens the app in it.
    pub async fn open(command: impl Fn() -> Command, app: &Path, arguments: &[&str]) -> Self {
        for _ in 0..3 {
            let port = free_port();
            let mut driver = command();
            driver
                .arg(format!("--port={port}"))
                .env("TAURI_WEBVIEW_AUTOMATION", "true");
            let driver = Running::start(driver);
            wait_for_port(port);
            match tokio::time::timeout(SESSION_TIMEOUT, session(port, app, arguments)).await {
                Ok(Ok(client)) => return Self { client, driver },
                Ok(Err(error)) => panic!("no session: {error}; {}", driver.stderr()),
                Err(_) => drop(driver),
            }
        }
        panic!("the driver made no session in three tries");
    }

    /// Ends the session and with it the window.
    pub async fn close(self) {
        let Self { client, driver } = self;
        // A window that is gone already needs no closing.
        let _ = client.close().await;
        drop(driver);
    }
}

async fn session(
    port: u16,
    app: &Path,
    arguments: &[&str],
) -> Result<Client, fantoccini::error::NewSessionError> {
    let options = json!({"binary": app.to_str().unwrap(), "args": arguments});
    let capabilities = [("webkitgtk:browserOptions".to_owned(), options)];
    ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities.into_iter().collect())
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
}

/// A port that is free at this moment; the driver cannot choose one itself.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn wait_for_port(port: u16) {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    crate::process::wait_for("the driver's port", || TcpStream::connect(address).ok());
}
