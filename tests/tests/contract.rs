//! The OpenAPI document is true: whatever it allows and much that it does not is sent to a running engine, and every
//! answer is one that the document declares, of the type and the shape it declares, and none is our fault (500).
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::time::Duration;
use tokenry_e2e::accounts::{PASSPHRASE, add, connect_at_testkit, stop, testkit_provider};
use tokenry_e2e::process::Running;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::python;
use tokenry_testkit::{Behaviour, Server};

/// Left alone: they end the engine or the vault, or never end themselves.
const LEFT_ALONE: &[&str] = &[
    "/v1/hand-over",
    "/v1/lock",
    "/v1/events/stream",
    "/oauth/authorize",
];

const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// How long that may take: a minute on a machine that has time, and only a broken program takes this long.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A running engine that is reached on 127.0.0.1, with everything allowed.
struct Reached {
    profile: Profile,
    engine: Running,
}

impl Reached {
    fn start() -> Self {
        let mut profile = Profile::headless();
        // Sign-ins are started by the dozen; nothing is to be opened for them.
        profile.set("BROWSER", "true");
        let arguments = ["--vault", "passphrase", "--passphrase-fd", "0"];
        let open = ["--approve", "all", "--loopback"];
        let engine = profile.serve_with(&[&arguments[..], &open].concat(), &format!("{PASSPHRASE}\n"));
        Self { profile, engine }
    }

    /// `schemathesis` over every operation. Where `name` is given, it is what the names in a path are.
    fn examine(&self, name: Option<&str>, more: &[&str]) {
        let mut command = python::command("schemathesis", self.profile.env());
        let config = self.profile.scratch().join("schemathesis.toml");
        std::fs::write(&config, configuration(name)).unwrap();
        let api: Value =
            serde_json::from_slice(&std::fs::read(self.profile.home().join("loopback.json")).unwrap())
                .unwrap();
        command
            .current_dir(self.profile.scratch())
            .env("API_TOKEN", api["token"].as_str().unwrap())
            .arg("--config-file")
            .arg(&config)
            .args(["run", &format!("http://127.0.0.1:{}/openapi.json", api["port"])])
            .args(["--checks", CHECKS, "--seed", "1", "--no-shrink"])
            .args(["--phases", "coverage,fuzzing", "--max-examples", "10"])
            // How fast data is made, and how much of it is thrown away, is no property of ours.
            .args(["--suppress-health-check", "all", "--warnings", "off"])
            .args(["--request-timeout", "60", "--continue-on-failure"])
            .args(more);
        for path in LEFT_ALONE {
            command.args(["--exclude-path", path]);
        }
        let seen = Running::start(command).wait_within(TIMEOUT);
        assert_eq!(seen.code, 0, "{}{}", seen.stdout, seen.stderr);
    }
}

/// The token goes by the environment: a command line is seen by others.
fn configuration(name: Option<&str>) -> String {
    let mut text = "headers = { Authorization = \"Bearer ${API_TOKEN}\" }\n".to_owned();
    // What a provider said, and what this machine lacks, is told with a 5xx of its own and is not our fault.
    text += "[checks.not_a_server_error]\nexpected-statuses = [\"2xx\", \"3xx\", \"4xx\", 502, 503]\n";
    if let Some(name) = name.map(|name| json!(name)) {
        text += "[parameters]\n\"path.hub_id\" = \"default\"\n";
        for parameter in ["id", "name", "connector_id"] {
            text += &format!("\"path.{parameter}\" = {name}\n");
        }
    }
    text
}

#[test]
fn every_answer_of_an_empty_engine_is_as_the_document_declares_it() {
    let reached = Reached::start();
    reached.examine(None, &[]);
    assert_eq!(stop(reached.engine).code, 0);
}

/// What there is stays there: what would delete or replace it is left to the other test.
#[test]
fn every_answer_about_what_is_there_is_as_the_document_declares_it() {
    let server = Server::start(Behaviour::default());
    let reached = Reached::start();
    let profile = &reached.profile;
    add(
        profile,
        &testkit_provider(&server, "kit", &json!({"kind": "none"})),
    )
    .success();
    connect_at_testkit(profile, &["kit"]).success();
    reached.examine(
        Some("kit"),
        &["--exclude-method", "DELETE", "--exclude-method", "PUT"],
    );
    assert_eq!(stop(reached.engine).code, 0);
}
