//! git gets its tokens from Tokenry: the real git, at a real git server, with tokens of a real authorization server.
#![allow(clippy::unwrap_used)]

use std::process::Command;
use tokenry_e2e::accounts::{connected, token};
use tokenry_e2e::process::{Finished, Running, program};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::Sandbox;
use tokenry_e2e::token_server::server;

struct Stage {
    _sandbox: Sandbox,
    profile: Profile,
    /// Where the git server is.
    address: String,
    _server: Running,
    _engine: Running,
}

impl Stage {
    /// A connection `forge` that the git server takes, and a git that asks Tokenry.
    fn new(options: &[&str]) -> Self {
        let (sandbox, profile, engine) = connected("forge");
        let folder = profile.scratch().join("repositories");
        std::fs::create_dir(&folder).unwrap();
        let (server, ready) = server("repositories.py", &profile, &folder, &sandbox, options);
        let stage = Self {
            address: ready["address"].as_str().unwrap().to_owned(),
            _sandbox: sandbox,
            profile,
            _server: server,
            _engine: engine,
        };
        let bare = folder.join("x.git");
        stage
            .git(&["init", "--bare", "--quiet", bare.to_str().unwrap()])
            .success();
        stage
            .git(&["-C", bare.to_str().unwrap(), "config", "http.receivepack", "true"])
            .success();
        let helper = format!("!'{}' git-credential", program("tokenry").display());
        stage
            .git(&["config", "--global", "credential.helper", &helper])
            .success();
        stage
    }

    fn git(&self, arguments: &[&str]) -> Finished {
        self.git_with(arguments, "")
    }

    fn git_with(&self, arguments: &[&str], input: &str) -> Finished {
        let mut git = Command::new("git");
        git.env_clear()
            .envs(self.profile.env())
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
            .current_dir(self.profile.scratch())
            .args(arguments);
        let mut running = Running::start(git);
        running.write(input);
        running.wait()
    }

    fn bind(&self) {
        self.profile
            .tokenry(&["bind", &self.address, "--connection", "forge"])
            .success();
    }

    /// The git server refuses this token from now on, though the provider takes it.
    fn refuse(&self, token: &str) {
        std::fs::write(self.profile.scratch().join("repositories/refused"), token).unwrap();
    }

    /// Clones, commits and pushes.
    fn push(&self, to: &str) {
        let url = format!("{}/x.git", self.address);
        self.git(&["clone", "--quiet", &url, to]).success();
        let file = self.profile.scratch().join(to).join("file");
        std::fs::write(file, "text").unwrap();
        self.git(&["-C", to, "add", "file"]).success();
        self.git(&["-C", to, "commit", "--quiet", "-m", "subject"])
            .success();
        self.git(&["-C", to, "push", "--quiet", "origin", "HEAD:main"])
            .success();
    }
}

#[test]
fn git_clones_and_pushes_with_the_token_as_password_at_a_bound_address() {
    let stage = Stage::new(&[]);
    let url = format!("{}/x.git", stage.address);
    let unbound = stage.git(&["ls-remote", &url]);
    assert_ne!(
        unbound.code, 0,
        "no token goes to a host that was not named: {unbound:?}"
    );
    stage.bind();
    stage.push("copy");
    let listed = stage.git(&["ls-remote", &url]).success();
    assert!(listed.stdout.contains("refs/heads/main"), "{listed:?}");
    let config = std::fs::read_to_string(stage.profile.scratch().join("copy/.git/config")).unwrap();
    assert!(!config.contains(&token(&stage.profile, "forge")));
}

#[test]
fn git_sends_a_bearer_token_where_the_server_wants_one() {
    let stage = Stage::new(&["--bearer"]);
    stage.bind();
    stage.push("copy");
}

#[test]
fn a_token_that_the_server_refused_is_refreshed_at_the_next_try() {
    let stage = Stage::new(&[]);
    stage.bind();
    let url = format!("{}/x.git", stage.address);
    stage.git(&["ls-remote", &url]).success();
    let first = token(&stage.profile, "forge");
    stage.refuse(&first);
    let refused = stage.git(&["ls-remote", &url]);
    assert_ne!(refused.code, 0, "git asks once: {refused:?}");
    stage.git(&["ls-remote", &url]).success();
    assert_ne!(token(&stage.profile, "forge"), first);
}

#[test]
fn git_learns_when_a_password_ends_and_gets_no_refresh_token() {
    let stage = Stage::new(&[]);
    stage.bind();
    let host = stage.address.strip_prefix("http://").unwrap();
    let asked = format!("protocol=http\nhost={host}\nusername=me\n\n");
    let filled = stage.git_with(&["credential", "fill"], &asked).success().stdout;
    let value = |key: &str| {
        filled
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
    };
    assert_eq!(value("username"), Some("me"), "{filled}");
    assert_eq!(value("password"), Some(token(&stage.profile, "forge").as_str()));
    let shown = stage
        .profile
        .tokenry(&["status", "forge", "--json"])
        .success()
        .json();
    let end: i64 = value("password_expiry_utc").unwrap().parse().unwrap();
    let mut date = Command::new("date");
    date.args(["-u", "+%s", "-d", shown["expires_at"].as_str().unwrap()]);
    let told: i64 = Running::start(date)
        .wait()
        .success()
        .stdout
        .trim()
        .parse()
        .unwrap();
    assert_eq!(end, told);
    assert!(!filled.contains("refresh"), "{filled}");
}
