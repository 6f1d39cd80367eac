//! cargo gets its tokens from Tokenry: the real cargo at a small registry that checks each token.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tokenry_e2e::process::{Finished, Running};
use tokenry_e2e::readme::block;
use tokenry_e2e::token_server::TokenServer;

const HELPER: &str = "cargo-credential-tokenry";

/// A registry, and the configuration of cargo that the README shows for it.
fn stage() -> TokenServer {
    let stage = TokenServer::start("crates.py");
    stage.link(HELPER);
    std::fs::create_dir(stage.profile.scratch().join("user/.cargo")).unwrap();
    stage
}

/// The lines of the README, for the connection of this test. The last one binds the address.
fn lines(stage: &TokenServer) -> (String, String) {
    let lines = block("sh", "cargo-credential-tokenry")
        .replace("https://crates.example.com/index", stage.said("address"))
        .replace("work", &stage.name);
    let (config, bind) = lines.split_once("tokenry bind").unwrap();
    (config.to_owned(), format!("tokenry bind{bind}"))
}

/// Makes a library.
fn library(stage: &TokenServer, name: &str, more: &str, source: &str) -> PathBuf {
    let folder = stage.profile.scratch().join(name);
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\ndescription = \"x\"\nlicense = \
         \"MIT\"\n{more}\n[workspace]\n"
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(folder.join("src/lib.rs"), source).unwrap();
    folder
}

/// Runs the cargo that runs this test, with its own rustc.
fn cargo(stage: &TokenServer, folder: &Path, arguments: &[&str]) -> Finished {
    let cargo = std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from);
    let mut command = stage.command(&cargo);
    command
        .env("CARGO_TARGET_DIR", stage.profile.scratch().join("built"))
        .env("CARGO_TERM_COLOR", "never")
        .current_dir(folder)
        .args(arguments);
    let rustc = cargo.with_file_name("rustc");
    if rustc.is_absolute() && rustc.exists() {
        command.env("RUSTC", rustc);
    }
    for name in ["RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    Running::start(command).wait()
}

#[test]
fn cargo_publishes_a_crate_and_builds_another_with_it() {
    let stage = stage();
    let (config, bind) = lines(&stage);
    stage.paste(&config).success();
    let sample = library(&stage, "sample", "", "pub fn answer() -> u8 { 42 }\n");
    let publish = ["publish", "--registry", "private", "--allow-dirty"];
    let unbound = cargo(&stage, &sample, &publish);
    assert_ne!(
        unbound.code, 0,
        "no token goes to a host that was not named: {unbound:?}"
    );
    stage.paste(&bind).success();
    cargo(&stage, &sample, &publish).success();
    let needs = "[dependencies]\nsample = { version = \"1\", registry = \"private\" }\n";
    let user = library(
        &stage,
        "user-of-sample",
        needs,
        "pub fn twice() -> u8 { sample::answer() * 2 }\n",
    );
    cargo(&stage, &user, &["build"]).success();

    stage.refuse(&stage.token());
    let _ = std::fs::remove_dir_all(stage.profile.scratch().join("user/.cargo/registry"));
    std::fs::remove_file(user.join("Cargo.lock")).unwrap();
    let refused = cargo(&stage, &user, &["build"]);
    assert_ne!(refused.code, 0, "the registry checks the token: {refused:?}");
    let login = cargo(&stage, &sample, &["login", "--registry", "private"]);
    assert_ne!(login.code, 0, "{login:?}");
}

#[test]
fn cargo_learns_when_a_token_ends_and_gets_errors_in_its_own_form() {
    let stage = stage();
    stage.bind();
    let index = format!("sparse+{}/", stage.said("address"));
    let request = |kind: &str, url: &str| {
        json!({"v": 1, "kind": kind, "operation": "read", "registry": {"index-url": url}, "args": []})
            .to_string()
    };
    let lines = [
        request("get", &index),
        request("get", "sparse+https://other.example/"),
        request("get", "https://other.example\r/"),
        request("login", &index),
        "S3cr3t".to_owned(),
        request("get", "http://other.example/"),
        request("get", &index),
    ];
    let input = lines.join("\n") + "\n";
    let said = stage.run(HELPER, &["--cargo-plugin"], &input).success();
    let answers: Vec<Value> = said
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [hello, first, others @ .., last] = &answers[..] else {
        panic!("{said:?}");
    };
    assert_eq!(*hello, json!({"v": [1]}));
    let token = format!("Bearer {}", stage.token());
    assert_eq!(first["Ok"]["token"], token);
    assert_eq!(first["Ok"]["cache"], "expires");
    assert!(
        first["Ok"]["expiration"].as_i64().unwrap() > 1_700_000_000,
        "{first}"
    );
    let kinds: Vec<_> = others
        .iter()
        .map(|one| one["Err"]["kind"].as_str().unwrap())
        .collect();
    let expected = [
        "url-not-supported",
        "url-not-supported",
        "operation-not-supported",
        "other",
        // No token goes to http on another machine: cargo asks its next provider.
        "url-not-supported",
    ];
    assert_eq!(kinds, expected, "{said:?}");
    assert_eq!(last, first, "an error ends nothing");
    assert!(
        !said.stdout.contains("S3cr3t") && said.stderr.is_empty(),
        "{said:?}"
    );
    assert_ne!(stage.run(HELPER, &[], "").code, 0, "only cargo runs it");
}
