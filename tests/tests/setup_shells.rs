//! `tokenry setup` for kubectl and for the clients of oidc-agent, with the real ones.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tokenry_e2e::accounts::{connected, token};
use tokenry_e2e::process::{Finished, Running, program};
use tokenry_e2e::profile::Profile;

fn home(profile: &Profile, name: &str) -> PathBuf {
    PathBuf::from(&profile.env()["HOME"]).join(name)
}

fn run(profile: &Profile, name: &str, arguments: &[&str]) -> Finished {
    let mut command = Command::new(name);
    command
        .env_clear()
        .envs(profile.env())
        .current_dir(profile.scratch())
        .args(arguments);
    Running::start(command).wait()
}

#[test]
fn kubectl_reads_the_user_that_was_set_up_and_the_undo_restores_its_file() {
    let profile = Profile::headless();
    let config = home(&profile, ".kube/config");
    for arguments in [
        &["config", "set-cluster", "c", "--server=http://127.0.0.1:9"][..],
        &["config", "set-credentials", "other", "--username=ada"],
        &["config", "set-context", "c", "--cluster=c", "--user=other"],
        &["config", "use-context", "c"],
    ] {
        run(&profile, "kubectl", arguments).success();
    }
    let before = fs::read(&config).unwrap();
    let set_up = ["setup", "kubectl", "--connection", "corp", "--yes"];
    let done = profile.tokenry(&set_up).success();
    assert!(done.stderr.contains("kubectl --user=tokenry"), "{done:?}");
    profile.tokenry(&set_up).success();

    let of = |path: &str| {
        let path = format!("-o=jsonpath={{{path}}}");
        run(&profile, "kubectl", &["config", "view", "--raw", &path])
            .success()
            .stdout
    };
    assert_eq!(
        of(".users[*].name")
            .split(' ')
            .filter(|name| *name == "tokenry")
            .count(),
        1
    );
    assert_eq!(
        of(".users[?(@.name==\"tokenry\")].user.exec.args[*]"),
        "kubectl-credential --connection=corp"
    );
    let command = of(".users[?(@.name==\"tokenry\")].user.exec.command");
    assert_eq!(PathBuf::from(command), program("tokenry"));
    assert_eq!(of(".users[?(@.name==\"other\")].user.username"), "ada");

    profile
        .tokenry(&["setup", "--undo", "kubectl", "--yes"])
        .success();
    assert_eq!(fs::read(&config).unwrap(), before);

    // What kubectl writes meanwhile stays.
    profile.tokenry(&set_up).success();
    fs::write(&config, [&fs::read(&config).unwrap()[..], b"# mine\n"].concat()).unwrap();
    profile
        .tokenry(&["setup", "--undo", "kubectl", "--yes"])
        .success();
    let after = fs::read_to_string(&config).unwrap();
    assert!(
        after.ends_with("# mine\n") && !after.contains("tokenry"),
        "{after}"
    );
    run(&profile, "kubectl", &["config", "view"]).success();

    // kubectl formats the whole file when it writes.
    profile.tokenry(&set_up).success();
    let written = ["config", "set-cluster", "d", "--server=http://127.0.0.1:9"];
    run(&profile, "kubectl", &written).success();
    let again = profile.tokenry(&set_up).success();
    assert!(again.stderr.contains("Nothing to change"), "{again:?}");
    profile
        .tokenry(&["setup", "--undo", "kubectl", "--yes"])
        .success();
    assert_eq!(of(".users[*].name"), "other");

    fs::write(&config, "apiVersion: v1\nkind: Config\nusers: [{name: a}]\n").unwrap();
    let refused = profile.tokenry(&set_up);
    assert!(
        refused.code != 0 && refused.stderr.contains("set-credentials"),
        "{refused:?}"
    );
}

fn socket_in_new_shell(profile: &Profile) -> String {
    run(profile, "bash", &["-ic", "echo $OIDC_SOCK"]).success().stdout
}

#[test]
fn a_new_shell_has_the_socket_and_the_client_of_oidc_agent_gets_a_token() {
    let (_sandbox, profile, engine) = connected("corp");
    let start_file = home(&profile, ".bashrc");
    fs::write(&start_file, "# mine\n").unwrap();
    profile
        .tokenry(&["setup", "oidc-agent", "--client", "bash", "--yes"])
        .success();
    let said = run(&profile, "bash", &["-ic", "oidc-token corp"]).success();
    assert_eq!(said.stdout.trim(), token(&profile, "corp"));
    let opened = socket_in_new_shell(&profile);
    drop(engine);
    assert_eq!(
        socket_in_new_shell(&profile),
        opened,
        "the place is the same without an engine"
    );
    let status = profile.tokenry(&["status"]);
    assert!(
        status.stderr.contains("no engine is running"),
        "a new shell started one: {status:?}"
    );
    profile
        .tokenry(&["setup", "--undo", "oidc-agent", "--yes"])
        .success();
    assert_eq!(fs::read_to_string(&start_file).unwrap(), "# mine\n");
}
