//! What the README says to paste does what it says when it is pasted.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use tokenry_e2e::accounts::{PASSPHRASE, stop};
use tokenry_e2e::desktop_session::DesktopSession;
use tokenry_e2e::display::Eye;
use tokenry_e2e::process::{Finished, Running, program, wait_for};
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Server};

const README: &str = include_str!("../../README.md");

/// A person's shell, with the programs on its path and the profile in its usual place.
struct Shell(Profile);

impl Shell {
    fn new() -> Self {
        let profile = Profile::headless();
        let runtime = profile.scratch().join("run");
        std::fs::create_dir(&runtime).unwrap();
        std::fs::set_permissions(&runtime, PermissionsExt::from_mode(0o700)).unwrap();
        Self(profile)
    }

    fn at_home(&self, mut command: Command) -> Command {
        let ours = program("tokenry").parent().unwrap().to_owned();
        let theirs = std::env::var_os("PATH").unwrap();
        let path = std::iter::once(ours).chain(std::env::split_paths(&theirs));
        command
            .env_remove("TOKENRY_HOME")
            .env("XDG_RUNTIME_DIR", self.0.scratch().join("run"))
            .env("PATH", std::env::join_paths(path).unwrap());
        command
    }

    fn serve(&self) -> Running {
        let options = ["--loopback", "--approve", "all"];
        let vault = ["--vault", "passphrase", "--passphrase-fd", "0"];
        let command = self.0.command("tokenry-serve", &[&options[..], &vault].concat());
        let mut engine = Running::start(self.at_home(command));
        engine.write(&format!("{PASSPHRASE}\n"));
        engine.close_stdin();
        engine.line();
        engine
    }

    /// What is pasted, with this on its standard input.
    fn run(&self, pasted: &str, input: &str) -> Finished {
        let mut command = Command::new("sh");
        command
            .args(["-euc", pasted])
            .env_clear()
            .envs(self.0.env())
            .current_dir(self.0.scratch());
        let mut running = Running::start(self.at_home(command));
        running.write(input);
        running.wait()
    }

    /// A connection with client credentials, under this name.
    fn add_service(&self, server: &Server, name: &str) {
        let provider = json!({
            "name": name, "grant_type": "client_credentials", "client_id": "tokenry-confidential",
            "client_secret": "testkit-secret", "token_endpoint_auth_method": "client_secret_post",
            "token_endpoint": server.token_endpoint(), "issuer": server.issuer(),
        });
        let pasted = format!("tokenry provider add --from - && tokenry connect {name}");
        self.run(&pasted, &provider.to_string()).success();
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.scratch().join(name)
    }
}

/// The blocks for a shell that hold this word, in their order.
fn blocks(word: &str) -> Vec<&'static str> {
    let fenced = README.split("```sh\n").skip(1);
    let blocks = fenced.map(|rest| rest.split("```").next().unwrap());
    let found: Vec<_> = blocks.filter(|block| block.contains(word)).collect();
    assert!(!found.is_empty(), "the README has no block with {word}");
    found
}

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_lines_for_apps_and_for_curl_work_when_they_are_pasted() {
    let (server, shell) = (Server::start(Behaviour::default()), Shell::new());
    let engine = shell.serve();
    shell.add_service(&server, "github");

    let said = shell.run(blocks("tokenry app add")[0], "").success();
    assert!(said.stdout.contains("tokens:read"), "{said:?}");
    assert_eq!(mode(&shell.file("backup.token")), 0o600);

    let token = shell.run(blocks("--app-token-file")[0], "").success().stdout;
    let events = shell
        .run("tokenry --json events --app backup", "")
        .success()
        .stdout;
    assert!(events.contains("token_handed_out"), "{events}");

    let local = blocks("curl ")
        .into_iter()
        .filter(|block| !block.contains("https://"));
    let answers: Vec<_> = local.map(|block| shell.run(block, "").success().stdout).collect();
    let answers: Vec<Vec<Value>> = answers.iter().map(|text| documents(text)).collect();
    let [by_socket, by_loopback] = &answers[..] else {
        panic!("a block for each interface: {answers:?}")
    };
    assert_eq!(by_socket[0][0]["name"], "github", "{by_socket:?}");
    assert_eq!(by_socket[1]["access_token"], token.trim_end());
    assert!(by_loopback[0]["issuer"].is_string(), "{by_loopback:?}");
    assert!(
        by_loopback[1].to_string().contains("tokens:read"),
        "{by_loopback:?}"
    );
    assert_eq!(by_loopback[2][0]["id"], by_socket[0][0]["id"]);
    stop(engine).success();
}

#[test]
fn the_lines_that_set_up_a_tool_leave_its_configuration_as_it_was() {
    let shell = Shell::new();
    let config = Path::new(&shell.0.env()["HOME"]).join(".gitconfig");
    let before = "[user]\n\tname = Ada\n";
    std::fs::write(&config, before).unwrap();
    let said = shell.run(blocks("tokenry setup git")[0], "").success();
    assert!(said.stdout.contains("not set up"), "{said:?}");
    assert!(
        said.stdout.contains("+[credential \"https://github.com\"]"),
        "{said:?}"
    );
    assert!(
        said.stdout.contains("-[credential \"https://github.com\"]"),
        "{said:?}"
    );
    assert_eq!(std::fs::read_to_string(&config).unwrap(), before);
}

#[test]
fn the_lines_for_the_clients_of_oidc_agent_work_when_they_are_pasted() {
    let (server, shell) = (Server::start(Behaviour::default()), Shell::new());
    let engine = shell.serve();
    shell.add_service(&server, "github");
    let token = shell.run("tokenry token github", "").success().stdout;
    let told = shell.run(blocks("oidc-token")[0], "").success().stdout;
    assert_eq!(told, token);
    stop(engine).success();
}

#[test]
fn run_opens_the_app_on_a_profile_that_knows_the_sandbox_and_asks_nothing() {
    let mut session = DesktopSession::with_display();
    let target = program("xtask").ancestors().nth(2).unwrap().to_owned();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    session.set("CARGO_TARGET_DIR", target);
    session.set("CARGO_MANIFEST_DIR", root.join("src-tauri/crates/xtask"));
    let profile = Profile::in_session(&session);
    let eye = Eye::open(&session);
    let arguments = ["run", "--no-build", "--profile", profile.home().to_str().unwrap()];
    // The second time the Sandbox is known, and has another port.
    let mut addresses = Vec::new();
    for _ in 0..2 {
        let mut run = Running::start(profile.command("xtask", &arguments));
        wait_for("the window", || eye.sees_painted("Tokenry").then_some(()));
        // Where no engine was listening yet, the next command would start one.
        wait_for("the engine", || {
            (profile.tokenry(&["status"]).code == 0).then_some(())
        });
        let provider = profile
            .tokenry(&["--json", "provider", "show", "sandbox"])
            .success();
        addresses.push(provider.json()["token_endpoint"].as_str().unwrap().to_owned());
        let events = profile.tokenry(&["--json", "events"]).success().stdout;
        assert!(
            !events.contains("consent_asked") && !eye.sees("Permission request - Tokenry"),
            "{events}"
        );
        // Ctrl-C in its terminal reaches the app, too.
        run.interrupt_group();
        wait_for("the window's end", || (!eye.sees("Tokenry")).then_some(()));
        run.kill();
    }
    assert_ne!(addresses[0], addresses[1]);
}

/// The JSON documents in this text, one after the other.
fn documents(text: &str) -> Vec<Value> {
    let all = serde_json::Deserializer::from_str(text).into_iter();
    all.map(|document| document.unwrap_or_else(|error| panic!("{error} in {text}")))
        .collect()
}
