//! pip and uv get their tokens from Tokenry, which answers in place of `keyring`; and the headers of a request.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tokenry_e2e::accounts::{add, connect_at_testkit, connected, connection, testkit_provider, token};
use tokenry_e2e::process::{Finished, Running, program};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::python;
use tokenry_e2e::readme::block;
use tokenry_e2e::sandbox::Sandbox;
use tokenry_e2e::token_server::server;
use tokenry_testkit::{Behaviour, Server, http};

struct Stage {
    sandbox: Sandbox,
    profile: Profile,
    server: Running,
    /// Where the package index is.
    address: String,
    _engine: Running,
}

impl Stage {
    /// A connection `forge` that the package index takes, and Tokenry on the path by the names that clients look for.
    fn new() -> Self {
        let (sandbox, mut profile, engine) = connected("forge");
        let (server, ready) = server("packages.py", &profile, profile.scratch(), &sandbox, &[]);
        let links = profile.scratch().join("links");
        std::fs::create_dir(&links).unwrap();
        for name in ["keyring", "credential-helper-tokenry"] {
            std::os::unix::fs::symlink(program("tokenry"), links.join(name)).unwrap();
        }
        let path = std::env::var_os("PATH").unwrap();
        let path = std::iter::once(links).chain(std::env::split_paths(&path));
        profile.set("PATH", std::env::join_paths(path).unwrap());
        Self {
            address: ready["address"].as_str().unwrap().to_owned(),
            sandbox,
            profile,
            server,
            _engine: engine,
        }
    }

    fn bind(&self) {
        let simple = format!("{}/simple/", self.address);
        self.profile
            .tokenry(&["bind", &simple, "--connection", "forge"])
            .success();
    }

    /// The index with this user name in its address.
    fn index(&self, user: &str) -> String {
        self.address.replace("http://", &format!("http://{user}@")) + "/simple/"
    }

    fn pip(&self, index: &str, target: &Path) -> Finished {
        let mut pip = python::command("python", self.profile.env());
        pip.env("PIP_CONFIG_FILE", "/dev/null")
            .args([
                "-m",
                "pip",
                "--no-input",
                "--disable-pip-version-check",
                "install",
            ])
            .args([
                "--keyring-provider",
                "subprocess",
                "--no-cache-dir",
                "--index-url",
                index,
            ])
            .args(["greeting", "--target"])
            .arg(target);
        Running::start(self.here(pip)).wait()
    }

    fn uv(&self, options: &[&str], target: &Path) -> Finished {
        let mut uv = python::command("uv", self.profile.env());
        uv.env("UV_NO_MANAGED_PYTHON", "1")
            .args(["pip", "install", "--keyring-provider", "subprocess", "--no-cache"])
            .args(options)
            .args(["greeting", "--target"])
            .arg(target);
        Running::start(self.here(uv)).wait()
    }

    fn here(&self, mut command: Command) -> Command {
        command.current_dir(self.profile.scratch());
        command
    }

    fn target(&self, name: &str) -> std::path::PathBuf {
        self.profile.scratch().join(name)
    }

    /// The user name of the next request with a good token. pip tries its luck without a password first.
    fn user_with_token(&mut self) -> String {
        loop {
            let seen: Value = serde_json::from_str(&self.server.line()).unwrap();
            if seen["good"] == true {
                return seen["user"].as_str().unwrap().to_owned();
            }
        }
    }

    /// What a client of the specification of credential helpers gets for this request.
    fn headers(&self, request: &str) -> Finished {
        let mut helper = Command::new("credential-helper-tokenry");
        helper.env_clear().envs(self.profile.env()).arg("get");
        let mut running = Running::start(self.here(helper));
        running.write(request);
        running.wait()
    }
}

#[test]
fn pip_installs_from_a_bound_index_and_gets_no_token_for_another() {
    let mut stage = Stage::new();
    let target = stage.target("pip");
    let unbound = stage.pip(&stage.index("ada"), &target);
    assert_ne!(unbound.code, 0, "{unbound:?}");
    assert!(!target.join("greeting.py").exists());
    stage.bind();
    let installed = stage.pip(&stage.index("ada"), &target).success();
    assert!(target.join("greeting.py").exists());
    assert_eq!(stage.user_with_token(), "ada");
    let token = token(&stage.profile, "forge");
    assert!(!installed.stdout.contains(&token) && !installed.stderr.contains(&token));
}

#[test]
fn uv_installs_with_a_user_name_in_the_address_and_without_one() {
    let mut stage = Stage::new();
    stage.bind();
    let index = stage.index("ada");
    stage
        .uv(&["--no-config", "--index-url", &index], &stage.target("named"))
        .success();
    assert!(stage.target("named").join("greeting.py").exists());
    assert_eq!(stage.user_with_token(), "ada");
    let config = stage.target("uv.toml");
    let text = format!(
        "[[index]]\nname = \"forge\"\nurl = \"{}/simple/\"\ndefault = true\nauthenticate = \"always\"\n",
        stage.address
    );
    std::fs::write(&config, text).unwrap();
    let options = ["--config-file", config.to_str().unwrap()];
    stage.uv(&options, &stage.target("nameless")).success();
    assert!(stage.target("nameless").join("greeting.py").exists());
}

#[test]
fn the_lines_for_pip_and_uv_work_when_they_are_pasted() {
    let mut stage = Stage::new();
    std::fs::remove_file(stage.target("links/keyring")).unwrap();
    let home = stage.profile.env()["HOME"].clone();
    let ours = [
        Path::new(&home).join(".local/bin"),
        program("tokenry").parent().unwrap().into(),
    ];
    let theirs = stage.profile.env()["PATH"].clone();
    let path = ours.into_iter().chain(std::env::split_paths(&theirs));
    stage.profile.set("PATH", std::env::join_paths(path).unwrap());
    let host = stage.address.strip_prefix("http://").unwrap();
    let pasted = (block("sh", "--keyring-provider").to_owned() + "\n")
        .replace("https://me@packages.example", &format!("http://me@{host}"))
        .replace("https://packages.example", &stage.address)
        .replace("--connection github", "--connection forge")
        .replace(
            "greeting\n",
            "greeting --target \"$(mktemp -d ./installed.XXXX)\"\n",
        );
    // `pip` and `uv` are those of the tests.
    let activate = python::command("python", stage.profile.env());
    let bin = Path::new(activate.get_program()).parent().unwrap().display();
    let mut shell = Command::new("sh");
    shell
        .args([
            "-euc",
            &format!("alias pip='{bin}/python -m pip' uv='{bin}/uv'\n{pasted}"),
        ])
        .env_clear()
        .envs(stage.profile.env())
        .envs([
            ("PIP_CONFIG_FILE", "/dev/null"),
            ("UV_NO_CONFIG", "1"),
            ("UV_NO_MANAGED_PYTHON", "1"),
        ]);
    Running::start(stage.here(shell)).wait().success();
    let folders = std::fs::read_dir(stage.profile.scratch()).unwrap().flatten();
    let installed = folders.filter(|folder| folder.path().join("greeting.py").exists());
    assert_eq!(installed.count(), 2);
    assert_eq!(stage.user_with_token(), "me");
}

#[test]
fn a_keyring_without_a_password_is_silent_and_names_the_connections_when_there_are_several() {
    let stage = Stage::new();
    let keyring = |arguments: &[&str]| stage.profile.tokenry(&[&["keyring"], arguments].concat());
    let simple = format!("{}/simple/", stage.address);
    for arguments in [
        &["get", simple.as_str(), "ada"][..],
        &["get", "pypi.example", "ada"],
        &["--mode", "creds", "get", "https://pypi.example/simple/"],
    ] {
        let none = keyring(arguments);
        assert_eq!(
            (none.code, none.stdout.as_str(), none.stderr.as_str()),
            (1, "", ""),
            "{arguments:?}"
        );
    }
    stage.bind();
    let creds = keyring(&["get", &simple, "--mode", "creds"]).success().stdout;
    assert_eq!(creds, format!("oauth2\n{}\n", token(&stage.profile, "forge")));

    // Two accounts at a provider that was added for this address.
    let server = Server::start(Behaviour::default());
    let mut provider = testkit_provider(&server, "other", &json!({"kind": "none"}));
    provider["resource"] = "https://packages.example/".into();
    add(&stage.profile, &provider).success();
    for label in ["home", "work"] {
        connect_at_testkit(&stage.profile, &["other", "--label", label]).success();
    }
    let several = keyring(&["get", "https://packages.example/simple/", "me"]);
    assert_eq!((several.code, several.stdout.as_str()), (16, ""), "{several:?}");
    for word in ["other/home", "other/work", "tokenry bind"] {
        assert!(several.stderr.contains(word), "{several:?}");
    }
}

#[test]
fn a_credential_helper_gives_a_bearer_header_for_a_bound_address_and_none_for_another() {
    let stage = Stage::new();
    let userinfo = stage.sandbox.endpoint("userinfo_endpoint");
    let request = json!({"uri": userinfo.as_str(), "unknown": true}).to_string();
    let unbound = stage.headers(&request).success().json();
    assert_eq!(unbound, json!({"headers": {}}));
    let origin = stage.sandbox.issuer();
    stage
        .profile
        .tokenry(&["bind", origin, "--connection", "forge"])
        .success();
    let answer = stage.headers(&request).success().json();
    assert_eq!(
        answer["expires"],
        connection(&stage.profile, "forge")["expires_at"]
    );
    let header = answer["headers"]["Authorization"][0].as_str().unwrap();
    let reply = http::get(&userinfo, &[("authorization", header)]).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let refused = stage.headers("{\"uri\": \"https://a.example\\r\\nS3cr3t\"}");
    assert_eq!((refused.code, refused.stdout.as_str()), (10, ""), "{refused:?}");
    assert!(!refused.stderr.contains("S3cr3t"), "{refused:?}");
}
