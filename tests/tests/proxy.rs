//! `tokenry proxy`: the real curl gets what an API gives to a token, and never the token.
#![allow(clippy::unwrap_used)]

use rustix::process::Signal;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use tokenry_e2e::accounts::{connected, token};
use tokenry_e2e::process::{Finished, Running};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::Sandbox;
use tokenry_e2e::token_server::server;

struct Stage {
    _sandbox: Sandbox,
    profile: Profile,
    /// The address of the API.
    api: String,
    _server: Running,
    _engine: Running,
}

impl Stage {
    /// A connection `work`, and an API that takes its token. It is not bound.
    fn new() -> Self {
        let (sandbox, profile, engine) = connected("work");
        let (server, ready) = server("api.py", &profile, profile.scratch(), &sandbox, &[]);
        Self {
            api: format!("{}/v1", ready["address"].as_str().unwrap()),
            _sandbox: sandbox,
            profile,
            _server: server,
            _engine: engine,
        }
    }

    fn bound() -> Self {
        let stage = Self::new();
        stage
            .profile
            .tokenry(&["bind", &stage.api, "--connection", "work"])
            .success();
        stage
    }

    /// As the README starts it, with other options for the file.
    fn proxy(&self, options: &[&str]) -> Proxy {
        let readme = include_str!("../../README.md");
        let line = readme
            .lines()
            .find(|line| line.starts_with("tokenry proxy"))
            .unwrap();
        let line = line.strip_suffix(" --token-file proxy.token").unwrap();
        let line = line.replace(
            "github --to https://api.github.com",
            &format!("work --to {}", self.api),
        );
        let arguments = [&line.split(' ').skip(1).collect::<Vec<_>>(), options].concat();
        let mut process = self.profile.tokenry_running(&arguments);
        let told: Value = serde_json::from_str(&process.line()).unwrap();
        Proxy { told, process }
    }

    /// curl with these options, which may hold the token of the proxy.
    fn curl(&self, options: &[&str]) -> Finished {
        let mut curl = Command::new("curl");
        curl.env_clear()
            .envs(self.profile.env())
            .current_dir(self.profile.scratch())
            .args(["--silent", "--max-time", "50", "--write-out", "\n%{http_code}"])
            .args(options);
        Running::start(curl).wait()
    }

    /// The status and the body of a request with the token of the proxy.
    fn get(&self, proxy: &Proxy, path: &str, options: &[&str]) -> (String, Value) {
        let url = format!("{}{path}", proxy.url());
        let bearer = format!("Authorization: Bearer {}", proxy.token());
        let finished = self
            .curl(&[&[&*url, "--header", &*bearer], options].concat())
            .success();
        let (body, status) = finished.stdout.rsplit_once('\n').unwrap();
        (
            status.to_owned(),
            serde_json::from_str(body).unwrap_or(Value::Null),
        )
    }
}

struct Proxy {
    told: Value,
    process: Running,
}

impl Proxy {
    fn url(&self) -> &str {
        self.told["url"].as_str().unwrap()
    }

    fn token(&self) -> String {
        match self.told["token"].as_str() {
            Some(token) => token.to_owned(),
            None => {
                let text = std::fs::read_to_string(self.told["token_file"].as_str().unwrap()).unwrap();
                text.trim().to_owned()
            }
        }
    }
}

#[test]
fn a_caller_of_the_proxy_gets_what_the_api_gives_to_the_token_and_not_the_token() {
    let stage = Stage::bound();
    let proxy = stage.proxy(&[]);
    let options = [
        "--header",
        "Cookie: a=b",
        "--header",
        "X-Own: 1",
        "--dump-header",
        "head",
    ];
    let (status, echo) = stage.get(&proxy, "/echo?x=%2F", &options);
    assert_eq!(status, "200", "{echo}");
    assert_eq!(echo["path"], "/v1/echo?x=%2F");
    let secret = token(&stage.profile, "work");
    let headers = &echo["headers"];
    assert_eq!(headers["authorization"], format!("Bearer {secret}"));
    assert_eq!(headers["x-own"], "1");
    assert_eq!(
        headers["host"],
        stage.api.strip_prefix("http://").unwrap().trim_end_matches("/v1")
    );
    assert!(headers.get("cookie").is_none(), "{headers}");
    let head = std::fs::read_to_string(stage.profile.scratch().join("head")).unwrap();
    let head = head.to_lowercase();
    assert!(
        !head.contains("set-cookie") && !head.contains("timeout=5"),
        "{head}"
    );
    assert!(!proxy.told.to_string().contains(&secret) && !proxy.process.stderr().contains(&secret));
    let (status, _) = stage.get(&proxy, "/moved", &["--location"]);
    assert_eq!(status, "200", "a redirect leads through the proxy");
}

#[test]
fn the_proxy_serves_callers_with_its_token_that_name_it_and_sends_nothing_elsewhere() {
    let stage = Stage::bound();
    let proxy = stage.proxy(&[]);
    let url = proxy.url();
    let bearer = format!("Authorization: Bearer {}", proxy.token());
    let address = url.strip_prefix("http://").unwrap();
    let echo = format!("{url}/echo");
    let above = format!("{url}/../echo");
    let encoded = format!("{url}/%2e%2e/echo");
    for (status, options) in [
        ("401", &[&*echo][..]),
        ("401", &[&echo, "--header", "Authorization: Bearer another"]),
        (
            "403",
            &[&echo, "--header", &bearer, "--header", "Host: evil.example"],
        ),
        ("405", &[&echo, "--header", &bearer, "--request", "TRACE"]),
        ("400", &[&above, "--header", &bearer, "--path-as-is"]),
        ("400", &[&encoded, "--header", &bearer, "--path-as-is"]),
        // An open proxy: another host, and a tunnel. A proxy's caller names the other host.
        (
            "403",
            &["http://evil.example/", "--header", &bearer, "--proxy", url],
        ),
        (
            "400",
            &[
                "http://evil.example/",
                "--header",
                &bearer,
                "--proxy",
                url,
                "--header",
                &format!("Host: {address}"),
            ],
        ),
    ] {
        let finished = stage.curl(options);
        assert!(
            finished.stdout.ends_with(&format!("\n{status}")),
            "{options:?}: {finished:?}"
        );
        assert!(!finished.stdout.contains("sha256"), "{finished:?}");
    }
    let tunnel = stage.curl(&["https://evil.example/", "--proxy", url, "--proxy-header", &bearer]);
    assert_ne!(tunnel.code, 0, "{tunnel:?}");
}

#[test]
fn a_token_that_the_api_refuses_is_renewed_once_and_the_body_is_sent_again() {
    let stage = Stage::bound();
    let proxy = stage.proxy(&[]);
    let first = token(&stage.profile, "work");
    std::fs::write(stage.profile.scratch().join("refused"), &first).unwrap();
    let (status, echo) = stage.get(&proxy, "/echo", &["--data", "once"]);
    assert_eq!((&*status, &echo["length"]), ("200", &4.into()), "{echo}");
    let second = token(&stage.profile, "work");
    assert_ne!(first, second);
    assert_eq!(echo["headers"]["authorization"], format!("Bearer {second}"));
}

#[test]
fn bodies_pass_through_the_proxy_in_both_directions_while_they_are_made() {
    let stage = Stage::bound();
    let proxy = stage.proxy(&[]);
    // Longer than what is kept, and without a length.
    let big = stage.profile.scratch().join("big");
    std::fs::write(&big, vec![7; 3_000_000]).unwrap();
    for options in [
        &["--data-binary", "@big", "--header", "Expect: 100-continue"][..],
        &["--data-binary", "@big", "--header", "Transfer-Encoding: chunked"],
    ] {
        let (status, echo) = stage.get(&proxy, "/echo", options);
        assert_eq!((&*status, &echo["length"]), ("200", &3_000_000.into()), "{echo}");
    }
    let mut curl = Command::new("curl");
    curl.env_clear()
        .envs(stage.profile.env())
        .args(["--silent", "--no-buffer", "--max-time", "50"])
        .args(["--header", &format!("Authorization: Bearer {}", proxy.token())])
        .arg(format!("{}/flow", proxy.url()));
    let mut flow = Running::start(curl);
    assert_eq!(flow.line(), "first");
    stage.get(&proxy, "/go", &[]);
    assert_eq!(flow.line(), "second");
    flow.wait().success();
}

#[test]
fn the_token_for_callers_can_be_in_a_file_of_the_user_alone_until_the_proxy_ends() {
    let stage = Stage::bound();
    let file = stage.profile.scratch().join("bearer");
    let proxy = stage.proxy(&["--token-file", file.to_str().unwrap()]);
    assert_eq!(proxy.told.get("token"), None);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(stage.get(&proxy, "/echo", &[]).0, "200");
    proxy.process.signal(Signal::TERM);
    proxy.process.wait().success();
    assert!(!file.exists());
}

#[test]
fn a_proxy_to_an_address_that_the_connection_does_not_serve_does_not_start() {
    let stage = Stage::new();
    let refused = stage.profile.tokenry(&["proxy", "work", "--to", &stage.api]);
    assert_eq!(refused.code, 15, "{refused:?}");
    assert!(refused.stderr.contains("tokenry bind"), "{refused:?}");
}

#[test]
fn a_proxy_at_a_port_that_is_in_use_does_not_start_and_names_the_port() {
    let stage = Stage::bound();
    let proxy = stage.proxy(&[]);
    let address = proxy.url().strip_prefix("http://").unwrap();
    let options = ["proxy", "work", "--to", &stage.api, "--listen", address];
    let refused = stage.profile.tokenry(&options);
    assert_eq!(refused.code, 2, "{refused:?}");
    let told = format!("{address} is already in use");
    assert!(refused.stderr.contains(&told), "{refused:?}");
}

/// SECURITY.md, "Programs that get tokens".
#[test]
fn the_arguments_and_the_environment_of_the_proxy_hold_no_secret() {
    let stage = Stage::bound();
    let proxy = stage.proxy(&[]);
    assert_eq!(stage.get(&proxy, "/echo", &[]).0, "200");
    let of_process = |name: &str| format!("/proc/{}/{name}", proxy.process.id());
    let read = |name: &str| String::from_utf8_lossy(&std::fs::read(of_process(name)).unwrap()).into_owned();
    for secret in [token(&stage.profile, "work"), proxy.token()] {
        for name in ["cmdline", "environ"] {
            assert!(!read(name).contains(&secret), "{name}");
        }
    }
    let status = read("status");
    assert!(status.contains("tokenry-bridge"), "{status}");
    let core = read("limits");
    let core = core.lines().find(|line| line.starts_with("Max core file size"));
    assert_eq!(core.unwrap().split_whitespace().nth(4), Some("0"));
}
