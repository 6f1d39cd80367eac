//! The real program, as `tokenry serve` starts it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use rustix::process::Signal;
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use support::{OTHER_USER, PASSPHRASE, Profile, Serving, ask};

#[test]
fn it_says_ready_once_answers_and_ends_cleanly_when_told() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let profile = Profile::new();
        let serving = profile.serve();
        assert!(
            ask(&profile.socket(), "GET", "/v1/status")
                .body
                .contains("\"unlocked\"")
        );
        serving.signal(signal);
        let (code, out, err) = serving.end();
        assert_eq!((code, out.as_str()), (Some(0), ""), "{signal:?}");
        let told = "answer permission requests with `tokenry approve`; the approval code is ";
        let code = err.strip_prefix(told).map(str::trim_end);
        assert!(code.is_some_and(|code| code.len() == "ABCD-EFGH".len()), "{err}");
        assert!(!profile.socket().exists());
    }
}

#[test]
fn the_log_has_the_request_id_of_each_error_without_being_asked_for_more() {
    let profile = Profile::new();
    let serving = profile.serve();
    let answer = ask(&profile.socket(), "GET", "/v1/connections/missing").body;
    let (_, after) = answer.split_once("\"request_id\":\"").unwrap();
    let id = after.split('"').next().unwrap().to_owned();
    serving.signal(Signal::TERM);
    let (.., err) = serving.end();
    let line = err.lines().find(|line| line.contains(&id));
    assert!(line.is_some_and(|line| line.contains("not_found")), "{id}: {err}");
}

#[test]
fn who_comes_second_says_who_holds_the_profile_and_disturbs_nothing() {
    let profile = Profile::new();
    let serving = profile.serve();
    let second = profile.run(&["--vault", "passphrase"], "");
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(
        (second.status.code(), second.stdout.len()),
        (Some(16), 0),
        "{said}"
    );
    assert!(
        said.starts_with("error: ") && said.contains(&serving.0.id().to_string()),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);
    assert!(
        ask(&profile.socket(), "GET", "/v1/status")
            .body
            .contains("\"unlocked\"")
    );
}

/// security.md, "Local interfaces": a program that ends the engine can listen in its place.
#[test]
fn a_program_that_is_not_the_installed_app_does_not_end_an_engine_that_cannot_prompt() {
    let profile = Profile::new();
    let serving = profile.serve_with(&["--approve", "never"]);
    let refused = ask(&profile.socket(), "POST", "/v1/hand-over");
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(
        ask(&profile.socket(), "GET", "/v1/status")
            .body
            .contains("\"unlocked\"")
    );
    let log = ask(&profile.socket(), "GET", "/v1/events").body;
    assert!(
        log.contains("\"handed_over\"") && log.contains("\"refused\""),
        "{log}"
    );
    drop(serving);
}

#[test]
fn it_hands_over_when_asked_and_the_next_one_takes_the_profile() {
    let profile = Profile::new();
    let first = profile.serve_with(&["--approve", "all"]);
    assert!(
        ask(&profile.socket(), "POST", "/v1/hand-over")
            .body
            .contains("\"success\":true")
    );
    assert_eq!(first.end().0, Some(0));
    assert!(!profile.socket().exists());
    let second = profile.serve();
    assert!(
        ask(&profile.socket(), "GET", "/v1/status")
            .body
            .contains("\"unlocked\"")
    );
    drop(second);
}

#[test]
fn after_a_kill_the_next_one_takes_the_dead_socket_over() {
    let profile = Profile::new();
    let first = profile.serve();
    first.signal(Signal::KILL);
    first.end();
    assert!(profile.socket().exists());
    let second = profile.serve();
    assert!(
        ask(&profile.socket(), "GET", "/v1/status")
            .body
            .contains("\"unlocked\"")
    );
    second.signal(Signal::TERM);
    assert_eq!(second.end().0, Some(0));
}

#[test]
fn in_the_background_a_vault_that_asks_a_question_is_an_error_in_one_line() {
    let profile = Profile::new();
    for (arguments, expected) in [
        (&["--background"][..], 25),
        (&["--background", "--vault", "passphrase"], 20),
    ] {
        let ended = profile.run(arguments, "");
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(expected), "{arguments:?} {said}");
        assert!(said.starts_with("error: ") && said.lines().count() == 1, "{said}");
        assert!(ended.stdout.is_empty() && !profile.socket().exists());
    }
    profile.serve().signal(Signal::TERM);
    let wrong = profile.run(&["--background", "--passphrase-fd", "0"], "wrong horse battery\n");
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(!wrong.status.success() && !said.contains("horse"), "{said}");
}

/// The command that starts it reads up to `ready`, and shows the code at its terminal.
#[test]
fn in_the_background_the_code_comes_before_ready_and_a_shut_vault_may_stay_shut() {
    let profile = Profile::new();
    for (approve, first) in [("ask", "approval "), ("never", "ready "), ("all", "ready ")] {
        let arguments = ["--background", "--stay-locked", "--approve", approve];
        let mut child = profile.command(&arguments).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert!(line.starts_with(first), "{approve}: {line}");
        if approve == "ask" {
            line.clear();
            out.read_line(&mut line).unwrap();
            assert!(line.starts_with("ready "), "{line}");
        }
        let serving = Serving(child, out);
        assert!(
            ask(&profile.socket(), "GET", "/v1/status")
                .body
                .contains("\"absent\"")
        );
        serving.signal(Signal::TERM);
        let (code, _, err) = serving.end();
        assert_eq!((code, err.as_str()), (Some(0), ""), "{approve}");
    }
}

#[test]
fn in_the_foreground_it_says_what_keeps_the_vault_shut_and_what_opens_it() {
    let profile = Profile::new();
    let shut = |arguments: &[&str]| {
        let mut child = profile.command(arguments).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        let serving = Serving(child, out);
        serving.signal(Signal::TERM);
        serving.end().2
    };
    let absent = shut(&["--approve", "never"]);
    assert!(
        absent.starts_with("there is no vault yet: no OS keyring answers")
            && absent.contains("`tokenry unlock`"),
        "{absent}"
    );
    profile.serve().signal(Signal::TERM);
    let locked = shut(&["--approve", "never"]);
    assert!(
        locked.starts_with("the vault is locked; run `tokenry unlock` in another terminal"),
        "{locked}"
    );
}

#[test]
fn in_the_foreground_a_locked_vault_waits_for_an_unlock() {
    let profile = Profile::new();
    let first = profile.serve();
    first.signal(Signal::TERM);
    first.end();
    let mut child = profile.command(&["--vault", "passphrase"]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let serving = Serving(child, out);
    assert!(line.starts_with("ready "));
    assert!(
        ask(&profile.socket(), "GET", "/v1/status")
            .body
            .contains("\"locked\"")
    );
    assert!(
        ask(&profile.socket(), "GET", "/v1/connections")
            .body
            .contains("vault_locked")
    );
    drop(serving);
}

#[test]
fn a_passphrase_can_come_from_any_file_descriptor() {
    let profile = Profile::new();
    let file = profile.0.path().join("secret");
    fs::write(&file, format!("{PASSPHRASE}\n")).unwrap();
    let script = r#"exec "$0" --background --approve never --vault passphrase --passphrase-fd 7 7<"$1""#;
    let program = env!("CARGO_BIN_EXE_tokenry-serve");
    let mut shell = profile.command(&[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", script, program])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.envs(shell.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env_clear();
    let mut child = command.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let serving = Serving(child, out);
    assert!(line.starts_with("ready "), "{:?}", serving.end());
    drop(serving);
    let missing = profile.run(&["--passphrase-fd", "99"], "");
    assert_eq!(missing.status.code(), Some(2));
}

/// security.md, "Keys": no core dumps, not dumpable. The files under /proc of a process that may not be read belong
/// to root, so the program has to run as another user for this to show anything.
#[test]
fn its_memory_is_not_for_others_and_not_for_core_dumps() {
    let profile = Profile::new();
    let mut command = profile.command(&["--vault", "passphrase"]);
    if rustix::process::geteuid().is_root() {
        let program = profile.0.path().join("program");
        fs::copy(env!("CARGO_BIN_EXE_tokenry-serve"), &program).unwrap();
        chown(profile.0.path(), Some(OTHER_USER), Some(OTHER_USER)).unwrap();
        let mut other = Command::new(program);
        other
            .args(["--vault", "passphrase"])
            .uid(OTHER_USER)
            .gid(OTHER_USER)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        other.envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        command = other;
    }
    let mut child = command.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    let serving = Serving(child, out);
    let proc = PathBuf::from(format!("/proc/{}", serving.0.id()));
    let status = fs::read_to_string(proc.join("status")).unwrap();
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
    assert_ne!(user.split_whitespace().next(), Some("0"));
    assert_eq!(fs::metadata(proc.join("mem")).unwrap().uid(), 0);
    let limits = fs::read_to_string(proc.join("limits")).unwrap();
    let core = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    let both = core.map(|core| core.split_whitespace().take(2).collect::<Vec<_>>());
    assert_eq!(both, Some(vec!["0", "0"]));
}

#[test]
fn no_secret_shows_in_its_arguments_environment_or_files() {
    let profile = Profile::new();
    let serving = profile.serve();
    let proc = PathBuf::from(format!("/proc/{}", serving.0.id()));
    let holds = |path: &Path| {
        fs::read(path)
            .unwrap_or_default()
            .windows(PASSPHRASE.len())
            .any(|w| w == PASSPHRASE.as_bytes())
    };
    for file in ["cmdline", "environ"] {
        assert!(!holds(&proc.join(file)), "{file}");
    }
    for entry in fs::read_dir(profile.home()).unwrap() {
        let path = entry.unwrap().path();
        assert!(!holds(&path), "{}", path.display());
    }
}

#[test]
fn bad_places_are_errors_that_say_what_to_do() {
    let profile = Profile::new();
    let long = profile.0.path().join("x".repeat(150));
    let ended = profile.command(&[]).env("TOKENRY_HOME", &long).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        ended.status.code() == Some(10) && said.contains("TOKENRY_HOME"),
        "{said}"
    );
    assert!(!long.exists());

    let file = profile.0.path().join("file");
    fs::write(&file, "").unwrap();
    let ended = profile.command(&[]).env("TOKENRY_HOME", &file).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        !ended.status.success() && said.starts_with("error: ") && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn a_file_where_the_socket_belongs_stays_and_the_program_ends() {
    let profile = Profile::new();
    let first = profile.serve();
    first.signal(Signal::TERM);
    first.end();
    fs::write(profile.socket(), "mine").unwrap();
    let ended = profile.run(&["--vault", "passphrase", "--passphrase-fd", "0"], PASSPHRASE);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(16), "{said}");
    assert_eq!(fs::read_to_string(profile.socket()).unwrap(), "mine");
}

#[test]
fn the_command_line_is_read_strictly() {
    let profile = Profile::new();
    for wrong in [&["--colour"][..], &["--vault", "box"], &["serve"]] {
        let ended = profile.run(wrong, "");
        assert_eq!(ended.status.code(), Some(2), "{wrong:?}");
    }
    assert!(!profile.home().exists());
    let version = profile.run(&["--version"], "");
    assert!(version.status.success() && version.stdout.starts_with(b"tokenry-serve "));
}

/// security.md, "Local interfaces": off by default; with the option it is on before the engine is ready.
#[test]
fn the_http_api_is_on_only_with_the_option_and_its_file_is_removed_at_the_end() {
    let profile = Profile::new();
    let file = profile.home().join("loopback.json");
    let first = profile.serve();
    assert!(!file.exists());
    first.signal(Signal::TERM);
    first.end();

    let killed = profile.serve_with(&["--loopback"]);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    let told = fs::read_to_string(&file).unwrap();
    drop(killed);
    assert!(file.exists());

    let again = profile.serve_with(&["--loopback"]);
    assert_ne!(fs::read_to_string(&file).unwrap(), told);
    again.signal(Signal::TERM);
    again.end();
    assert!(!file.exists());
}
