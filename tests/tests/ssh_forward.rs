//! `tokenry ssh-forward`: a real sshd, another user behind it, and what that one can and cannot do.
#![allow(clippy::unwrap_used)]

use rustix::process::geteuid;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokenry_e2e::accounts::{PASSPHRASE, add, sandbox_service, token};
use tokenry_e2e::folder::Folder;
use tokenry_e2e::process::{Finished, Running, TIMEOUT, program, wait_for};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::Sandbox;
use tokenry_e2e::socket::ask;

/// What the user calls the other host.
const HOST: &str = "build";

struct Stage {
    _sandbox: Sandbox,
    profile: Profile,
    engine: Running,
    _sshd: Running,
    /// What the other user may enter: the command line is there.
    there: Folder,
}

impl Stage {
    /// An engine with the connections `forge` and `private`, and a host `build`.
    fn new(approve: &str) -> Self {
        let (sandbox, profile, there) = (Sandbox::start(), Profile::headless(), Folder::new());
        let with = |approve| {
            let arguments = [
                "--vault",
                "passphrase",
                "--passphrase-fd",
                "0",
                "--approve",
                approve,
            ];
            profile.serve_with(&arguments, &format!("{PASSPHRASE}\n"))
        };
        let setup = with("all");
        for name in ["forge", "private"] {
            add(&profile, &sandbox_service(&sandbox, name)).success();
            profile.tokenry(&["connect", name]).success();
        }
        tokenry_e2e::accounts::stop(setup).success();
        let engine = with(approve);
        std::fs::set_permissions(there.path(), PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::copy(program("tokenry"), there.path().join("tokenry")).unwrap();
        let sshd = sshd(&profile, there.path());
        Self {
            _sandbox: sandbox,
            profile,
            engine,
            _sshd: sshd,
            there,
        }
    }

    fn forward(&self, connections: &[&str], command: &str) -> Running {
        let config = self.profile.scratch().join("ssh_config");
        let mut arguments = vec!["ssh-forward", HOST, "--ssh-config", config.to_str().unwrap()];
        for name in connections {
            arguments.extend(["--connection", name]);
        }
        arguments.extend(["--", command]);
        self.profile.tokenry_running(&arguments)
    }

    /// Runs `tokenry` on the other host, where it has no profile and no engine.
    fn there(&self, connections: &[&str], arguments: &str) -> Finished {
        self.forward(connections, &self.command(arguments)).wait()
    }

    fn command(&self, arguments: &str) -> String {
        let tokenry = self.there.path().join("tokenry");
        format!("env HOME=/nonexistent {} {arguments}", tokenry.display())
    }

    /// The sockets of forwards, which are beside the engine's own.
    fn sockets(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.profile.home()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let is_forward = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("ssh-");
        paths.filter(is_forward).collect()
    }

    fn prompts(&self) -> Vec<Value> {
        let (_, open) = ask(&self.profile, "GET", "/v1/prompts", &Value::Null);
        open.as_array().unwrap().clone()
    }

    /// Answers the only open request, and says what it showed.
    fn answer(&self, decision: &str) -> Value {
        let prompt = wait_for("a permission request", || self.prompts().pop());
        let said = wait_for("the approval code", || {
            let said = self.engine.stderr();
            let (_, code) = said.split_once("the approval code is ")?;
            Some(code.lines().next()?.to_owned())
        });
        let id = prompt["id"].as_str().unwrap();
        let arguments = ["approve", id, "--decision", decision, "--code-fd", "0"];
        self.profile
            .tokenry_with(&arguments, &format!("{said}\n"))
            .success();
        prompt
    }

    fn logged(&self) -> Vec<Value> {
        let events = self.profile.tokenry(&["--json", "events"]).success().json();
        let events = events["events"]
            .as_array()
            .or_else(|| events.as_array())
            .unwrap()
            .clone();
        let handed = events
            .into_iter()
            .filter(|event| event["kind"] == "token_handed_out");
        handed.collect()
    }
}

/// A server on a port of its own, and the configuration of a client that calls it [`HOST`]. As root, the user on the other
/// side is `daemon`, which in sshd's own view of the system has a shell; else it is the same user.
fn sshd(profile: &Profile, home: &Path) -> Running {
    let folder = profile.scratch();
    let file = |name: &str| folder.join(name).display().to_string();
    for name in ["host_key", "user_key"] {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f", &file(name)]);
        Running::start(keygen).wait().success();
    }
    let keys = home.join("authorized_keys");
    std::fs::copy(folder.join("user_key.pub"), &keys).unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let config = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nPrintMotd no\nPrintLastLog no\n",
        file("host_key"),
        keys.display(),
    );
    std::fs::write(folder.join("sshd_config"), config).unwrap();
    let is_root = geteuid().is_root();
    let user = match is_root {
        true => "daemon".to_owned(),
        false => std::env::var("USER").unwrap(),
    };
    let known = file("known_hosts");
    let host_key = std::fs::read_to_string(folder.join("host_key.pub")).unwrap();
    std::fs::write(&known, format!("[127.0.0.1]:{port} {host_key}")).unwrap();
    let client = format!(
        "Host {HOST}\n  HostName 127.0.0.1\n  Port {port}\n  User {user}\n  IdentityFile {}\n  IdentitiesOnly yes\n  \
         UserKnownHostsFile {known}\n  GlobalKnownHostsFile none\n  StrictHostKeyChecking yes\n  LogLevel ERROR\n",
        file("user_key"),
    );
    std::fs::write(folder.join("ssh_config"), client).unwrap();
    let run = format!("exec /usr/sbin/sshd -D -e -f '{}'", file("sshd_config"));
    let mut command = match is_root {
        true => {
            let users = std::fs::read_to_string("/etc/passwd").unwrap();
            let others = users.lines().filter(|line| !line.starts_with("daemon:"));
            let id = users
                .lines()
                .find(|line| line.starts_with("daemon:"))
                .map(|line| line.split(':').take(4).collect::<Vec<_>>().join(":"));
            let mut own: Vec<_> = others.map(str::to_owned).collect();
            own.push(format!("{}::/:/bin/sh", id.unwrap()));
            std::fs::write(folder.join("passwd"), own.join("\n") + "\n").unwrap();
            let see = format!(
                "mount -t tmpfs tmpfs /run && mkdir /run/sshd && mount --bind '{}' /etc/passwd && {run}",
                file("passwd")
            );
            let mut unshare = Command::new("unshare");
            unshare.args(["--mount", "sh", "-c", &see]);
            unshare
        }
        false => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &run]);
            shell
        }
    };
    command.env_clear().envs(profile.env());
    let server = Running::start(command);
    wait_for("sshd", || {
        server.stderr().contains("Server listening").then_some(())
    });
    server
}

#[test]
fn another_user_on_a_host_gets_a_token_over_the_forwarded_socket_and_nothing_else() {
    let stage = Stage::new("all");
    let got = stage.there(&["forge"], "token forge").success();
    assert_eq!(got.stdout.trim_end(), token(&stage.profile, "forge"));
    let handed = stage.logged();
    assert!(
        handed.iter().any(|event| event["program"] == "host build by ssh"),
        "{handed:?}"
    );
    let who = stage
        .forward(&["forge"], "id -un; ls -l $TOKENRY_SOCKET")
        .wait()
        .success()
        .stdout;
    if geteuid().is_root() {
        assert!(who.starts_with("daemon\n"), "{who}");
    }
    assert!(who.contains("srw------- 1"), "{who}");

    let listed = stage.there(&["forge"], "--json list").success().json();
    let names: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["forge"], "{listed}");
    stage.there(&["forge"], "status forge").success();
    let unseen = stage.there(&["forge"], "token private");
    assert!(unseen.code != 0 && unseen.stdout.is_empty(), "{unseen:?}");
    for refused in [
        "settings",
        "lock",
        "disconnect forge",
        "refresh forge",
        "provider list",
        "credential list",
        "app list",
        "events",
        "approve --json",
        "oidc-agent",
        "connect forge --no-browser",
        "ssh-forward other --connection forge",
    ] {
        let refused = stage.there(&["forge"], refused);
        assert!(refused.code != 0 && refused.stdout.is_empty(), "{refused:?}");
        assert!(refused.stderr.contains("forwarded"), "{refused:?}");
    }
    wait_for("the end of all sockets", || {
        stage.sockets().is_empty().then_some(())
    });
    let unknown = stage.there(&["other"], "token forge");
    assert!(unknown.code != 0, "{unknown:?}");
}

#[test]
fn a_permission_for_a_host_is_shown_as_one_and_ends_with_its_connection() {
    let stage = Stage::new("ask");
    let twice = format!("{0}; {0}", stage.command("token forge"));
    let twice = stage.forward(&["forge"], &twice);
    let shown = stage.answer("session");
    assert_eq!(shown["program"], "host build by ssh");
    let answered = twice.wait().success().stdout;
    let tokens: Vec<_> = answered.lines().collect();
    assert!(tokens.len() == 2 && tokens[0] == tokens[1], "{answered}");
    let again = stage.forward(&["forge"], &stage.command("token forge"));
    stage.answer("deny");
    let again = again.wait();
    assert!(again.code != 0 && again.stdout.is_empty(), "{again:?}");
    let handed = stage.logged();
    assert!(
        handed.iter().any(|event| event["outcome"] == "refused"),
        "{handed:?}"
    );
}

#[test]
fn another_program_of_the_user_cannot_use_a_forwarded_socket_and_it_ends_with_its_command() {
    let stage = Stage::new("all");
    let mut forward = stage.forward(&["forge"], "echo ready; cat");
    assert_eq!(forward.line(), "ready");
    let socket = stage.sockets().pop().unwrap();
    let mode = socket.symlink_metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let _ = stream.write_all(b"POST /v1/connections/forge/token HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert_eq!(answer, "");
    let name = socket.file_name().unwrap().to_str().unwrap();
    let there = Path::new("/tmp").join(format!("tokenry-{name}"));
    assert!(there.exists());
    forward.kill();
    wait_for("its end", || stage.sockets().is_empty().then_some(()));
    wait_for("the end on the other side", || (!there.exists()).then_some(()));
    assert!(UnixStream::connect(&socket).is_err());
    let (status, answer) = ask(
        &stage.profile,
        "POST",
        "/v1/forwards",
        &json!({"host": "-oProxyCommand=x", "connections": ["forge"]}),
    );
    assert_eq!(
        (status, &answer["error"]["code"]),
        (422, &json!("validation_error"))
    );
}
