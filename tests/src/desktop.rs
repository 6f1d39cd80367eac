//! A person at a desktop: a session with a keyring and a display, a profile, and a browser that opens by itself.

use crate::browser::Browser;
use crate::desktop_session::DesktopSession;
use crate::display::Eye;
use crate::process::{Running, program, wait_for};
use crate::profile::Profile;
use crate::screen::Screen;
use crate::socket::ask;
use crate::webdriver::Window;
use serde_json::{Value, json};
use std::cell::Cell;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tokenry_testkit::Server;

/// Everything the desktop app needs around it.
pub struct Desktop {
    // The profile's folder goes before the session's.
    /// Where the app keeps everything.
    pub profile: Profile,
    /// The session it runs in.
    pub session: DesktopSession,
    /// How many of the opened addresses were looked at.
    looked_at: Cell<usize>,
}

impl Desktop {
    /// A desktop where nothing runs yet.
    pub fn start() -> Self {
        let mut session = DesktopSession::with_display();
        catch_the_browser(&mut session);
        Self {
            profile: Profile::in_session(&session),
            session,
            looked_at: Cell::new(0),
        }
    }

    /// The same without consent, for tests of something else.
    pub fn trusting() -> Self {
        let mut desktop = Self::start();
        desktop.set("TOKENRY_APPROVE", "all");
        desktop
    }

    /// Sets a variable for the apps that are started from now on.
    pub fn set(&mut self, name: &str, value: impl Into<OsString> + Clone) {
        self.session.set(name, value.clone());
        self.profile.set(name, value);
    }

    /// Opens the app's window under a driver.
    pub async fn open_window(&self, arguments: &[&str]) -> Screen {
        let driver = || {
            let mut command = self.session.command("WebKitWebDriver");
            command.envs(self.profile.env());
            command
        };
        let window = Window::open(driver, &program("tokenry-desktop"), arguments).await;
        Screen::new(window, Eye::open(&self.session)).await
    }

    /// Adds this server as a provider whose connections need no user, with a connection of each label.
    pub fn connect_machine(&self, server: &Server, name: &str, labels: &[String]) {
        let provider = json!({
            "name": name, "grant_type": "client_credentials", "token_endpoint": server.token_endpoint(),
            "client_id": "tokenry-confidential", "client_secret": "testkit-secret",
            "token_endpoint_auth_method": "client_secret_post",
        });
        let (status, answer) = ask(&self.profile, "POST", "/v1/oauth-providers", &provider);
        assert_eq!(status, 201, "{answer}");
        let path = format!("/v1/oauth-providers/{name}/connect");
        for label in labels {
            let (status, answer) = ask(&self.profile, "POST", &path, &json!({ "label": label }));
            assert_eq!(status, 200, "{answer}");
        }
    }

    /// Adds this server, which signs everybody in at once, as a provider, and connects its account there. The
    /// connection's name is the provider's.
    pub async fn connect(&self, screen: &Screen, server: &Server, name: &str) {
        let fields = [
            ("name", name.to_owned()),
            ("client_id", "tokenry".to_owned()),
            ("authorization_endpoint", server.authorization_endpoint().into()),
            ("token_endpoint", server.token_endpoint().into()),
            ("userinfo_endpoint", server.userinfo_endpoint().into()),
            ("default_scopes", "openid profile offline_access".to_owned()),
        ];
        screen.add_provider(&fields).await;
        screen.click(&format!("connect-{name}")).await;
        Browser::new().open(&self.opened_address());
        screen
            .reads(&format!("connection-{name}"), "ada@example.com")
            .await;
    }

    /// Enables the HTTP API on 127.0.0.1 in the settings, and returns its port.
    pub async fn open_loopback(&self, screen: &Screen) -> u16 {
        screen.click("nav-settings").await;
        screen.click("field-loopback").await;
        let told = wait_for("the HTTP API", || {
            fs::read(self.profile.home().join("loopback.json")).ok()
        });
        let told: Value = serde_json::from_slice(&told).unwrap();
        let port = told["port"].as_u64().unwrap();
        screen.reads("loopback-state", &format!("127.0.0.1:{port}")).await;
        u16::try_from(port).unwrap()
    }

    /// Registers an app in the window, as one that can keep no secret, and gives its client id.
    pub async fn register_public_app(&self, screen: &Screen, name: &str, redirect_uri: &str) -> String {
        screen.click("nav-apps").await;
        screen.click("register-app").await;
        screen.fill("field-name", name).await;
        screen.fill("field-redirect_uris", redirect_uri).await;
        screen.click("field-public").await;
        screen.click("confirm-register").await;
        screen.see(&format!("app-{name}")).await;
        let (_, apps) = ask(&self.profile, "GET", "/v1/apps", &Value::Null);
        let mut apps = apps.as_array().unwrap().iter();
        let app = apps.find(|app| app["name"] == name).unwrap();
        assert_eq!(app["public"], true, "{app}");
        app["id"].as_str().unwrap().to_owned()
    }

    /// Starts the app as a person does, with no driver, and waits until its engine answers.
    pub fn start_app(&self, arguments: &[&str]) -> Running {
        let app = Running::start(self.profile.command("tokenry-desktop", arguments));
        wait_for("the app's engine", || {
            (self.profile.tokenry(&["status"]).code == 0).then_some(())
        });
        app
    }

    /// Opens a link through the real `xdg-open`, as a browser hands one over. An app that this starts is of its process
    /// group, and ends with what is returned.
    pub fn open_link(&self, link: &str) -> Running {
        let mut command = self.session.command("xdg-open");
        command.envs(self.profile.env()).arg(link);
        Running::start(command)
    }

    /// The next address that the app opened in the browser; waits for it.
    #[track_caller]
    pub fn opened_address(&self) -> String {
        let file = self.session.root().join("opened");
        let address = wait_for("the browser's start", || {
            let text = fs::read_to_string(&file).unwrap_or_default();
            // Only whole lines: the last one may still be under way.
            let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            lines
                .nth(self.looked_at.get())
                .map(|line| line.trim_end().to_owned())
        });
        self.looked_at.set(self.looked_at.get() + 1);
        address
    }

    /// From now on there is no browser: the opener fails where the file that it writes to is a folder. Only for a
    /// desktop that has opened no address yet.
    pub fn break_the_browser(&self) {
        fs::create_dir(self.session.root().join("opened")).unwrap();
    }

    /// There is one again.
    pub fn mend_the_browser(&self) {
        fs::remove_dir(self.session.root().join("opened")).unwrap();
    }
}

/// Puts a program before the real `xdg-open` that writes http addresses down, which are the browser's, and hands
/// everything else on.
fn catch_the_browser(session: &mut DesktopSession) {
    let folder = session.root().join("bin");
    fs::create_dir(&folder).unwrap();
    let path = session.env().get("PATH").cloned().unwrap_or_default();
    let real = std::env::split_paths(&path)
        .map(|folder| folder.join("xdg-open"))
        .find(|program| program.exists())
        .expect("xdg-open is installed");
    let opener = folder.join("xdg-open");
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in\n  http:*|https:*) printf '%s\\n' \"$1\" >>'{}' ;;\n  *) exec '{}' \"$@\" ;;\nesac\n",
        session.root().join("opened").display(),
        real.display()
    );
    fs::write(&opener, script).unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    let mut folders = vec![folder];
    folders.extend(std::env::split_paths(&path));
    session.set("PATH", std::env::join_paths(folders).unwrap());
}
