//! One engine for each profile: who starts it, who holds it, what it keeps, and how its vault is shut and opened.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use std::path::Path;
use std::process::Command;
use tokenry_e2e::accounts::{self, Background, PASSPHRASE, add, connect_at_testkit, stop, token};
use tokenry_e2e::desktop_session::DesktopSession;
use tokenry_e2e::process::{Finished, Running, program};
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Server};

fn strict() -> serde_json::Value {
    json!({"kind": "strict"})
}

/// A passphrase by a file descriptor of its own: standard input stays what it is.
fn unlock_by_fd_3(profile: &Profile, passphrase: &str) -> Finished {
    let file = profile.scratch().join("passphrase");
    std::fs::write(&file, passphrase).unwrap();
    let mut shell = profile.command("tokenry", &[]);
    let program = shell.get_program().to_owned();
    shell = Command::new("sh");
    shell
        .env_clear()
        .envs(profile.env())
        .args(["-c", "exec \"$0\" unlock --passphrase-fd 3 3<\"$1\""])
        .arg(program)
        .arg(&file);
    let finished = Running::start(shell).wait();
    std::fs::remove_file(file).unwrap();
    finished
}

#[test]
fn a_locked_vault_gives_nothing_until_the_passphrase_comes() {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    add(&profile, &accounts::testkit_provider(&server, "kit", &strict())).success();
    connect_at_testkit(&profile, &["kit"]).success();
    let before = token(&profile, "kit");

    profile.tokenry(&["lock"]).success();
    for arguments in [
        &["token", "kit"][..],
        &["list"],
        &["provider", "list"],
        &["disconnect", "kit"],
    ] {
        let refused = profile.tokenry(arguments);
        assert_eq!((refused.code, refused.stdout.as_str()), (20, ""), "{refused:?}");
        assert!(refused.stderr.contains("`tokenry unlock`"), "{refused:?}");
    }
    let status = accounts::engine(&profile);
    assert_eq!(status["vault"]["state"], "locked");
    assert_eq!(
        (&status["providers"], &status["connections"]),
        (&json!(0), &json!({}))
    );

    let wrong = unlock_by_fd_3(&profile, "incorrect horse\n");
    assert_eq!(wrong.code, 20, "{wrong:?}");
    assert!(
        wrong.stderr.contains("this passphrase does not open the vault"),
        "{wrong:?}"
    );
    assert_eq!(profile.tokenry(&["token", "kit"]).code, 20);
    unlock_by_fd_3(&profile, &format!("{PASSPHRASE}\n")).success();
    assert_eq!(token(&profile, "kit"), before);
}

#[test]
fn a_second_engine_says_who_holds_the_profile_and_ends() {
    let profile = Profile::headless();
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    for (program, arguments) in [("tokenry", &["serve"][..]), ("tokenry-serve", &[])] {
        let second = tokenry_e2e::process::Running::start(profile.command(program, arguments)).wait();
        assert_eq!(second.code, 16, "{second:?}");
        for part in [
            &format!("process {}", engine.id()),
            profile.home().to_str().unwrap(),
        ] {
            assert!(second.stderr.contains(part), "{second:?}");
        }
    }
    assert_eq!(accounts::engine(&profile)["pid"], engine.id());
}

#[test]
fn a_restart_keeps_everything() {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    add(&profile, &accounts::testkit_provider(&server, "kit", &strict())).success();
    connect_at_testkit(&profile, &["kit", "--label", "home"]).success();
    let listings = || {
        let provider = profile
            .tokenry(&["provider", "show", "kit", "--json"])
            .success()
            .json();
        (provider, token(&profile, "kit/home"))
    };
    let before = listings();
    let status = accounts::connection(&profile, "kit");

    let ended = stop(engine);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let absent = profile.tokenry(&["status"]);
    assert_eq!(absent.code, 3, "{absent:?}");
    assert!(absent.stderr.contains("no engine is running at"), "{absent:?}");

    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    assert_eq!(listings(), before);
    let mut after = accounts::connection(&profile, "kit");
    after["last_used_at"] = status["last_used_at"].clone();
    assert_eq!(after, status);
    let events = profile.tokenry(&["events", "--json"]).success().json();
    let kinds: Vec<&str> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kind"].as_str().unwrap())
        .collect();
    for kind in ["provider_added", "flow_started", "connected", "token_handed_out"] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
    profile.tokenry(&["refresh", "kit"]).success();
    assert!(server.accepts(&token(&profile, "kit")));
    assert_eq!(server.replays_of_replaced_tokens(), 0);
}

#[test]
fn a_command_that_finds_no_engine_starts_one_and_the_next_one_finds_it() {
    let session = DesktopSession::with_keyring();
    let profile = Profile::in_session(&session);
    let first = profile.tokenry(&["list", "--json"]).success();
    let engine = Background::of(&profile);
    assert_eq!(first.json(), json!([]));
    profile.tokenry(&["provider", "list"]).success();
    assert_eq!(accounts::engine(&profile)["pid"], engine.id());
    let status = accounts::engine(&profile);
    assert_eq!(
        (&status["window"], &status["vault"]["slots"]),
        (&json!(false), &json!(["keyring"]))
    );
    engine.stop();
    assert_eq!(profile.tokenry(&["status"]).code, 3, "status starts nothing");
    let second = profile.tokenry(&["list", "--json"]).success();
    let engine = Background::of(&profile);
    assert_eq!(second.json(), json!([]));
    engine.stop();
}

#[test]
fn commands_that_come_at_once_share_the_engine_that_one_of_them_starts() {
    let session = DesktopSession::with_keyring();
    let profile = Profile::in_session(&session);
    // An engine tells its user no more than the path it was started by, so these have one that no other engine has.
    let built = program("tokenry");
    let folder = tempfile::tempdir_in(built.parent().unwrap()).unwrap();
    let programs = folder.path();
    for name in ["tokenry", "tokenry-serve"] {
        std::fs::hard_link(program(name), programs.join(name)).unwrap();
    }
    let commands: Vec<_> = (0..8)
        .map(|_| {
            let mut command = Command::new(programs.join("tokenry"));
            command.env_clear().envs(profile.env()).args(["list", "--json"]);
            Running::start(command)
        })
        .collect();
    let ends: Vec<_> = commands.into_iter().map(|command| command.wait()).collect();
    let engine = Background::of(&profile);
    for end in ends {
        assert_eq!(end.success().json(), json!([]));
    }
    assert_eq!(started_by(&programs.join("tokenry-serve")), [engine.id()]);
}

/// Every running process that was started by this path.
fn started_by(path: &Path) -> Vec<u32> {
    let has_path = |pid: &u32| {
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.split(|byte| *byte == 0).next() == Some(path.as_os_str().as_encoded_bytes())
    };
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(has_path)
        .collect()
}

#[test]
fn unlock_makes_the_first_vault_and_starts_the_engine_that_holds_it() {
    let profile = Profile::headless();
    let refused = profile.tokenry(&["list"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    for part in ["no OS keyring", "passphrase", "`tokenry unlock`"] {
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
    let short = profile.tokenry_with(&["unlock", "--passphrase-fd", "0"], "short\n");
    let engine = Background::of(&profile);
    assert_eq!(short.code, 10, "{short:?}");
    assert!(short.stderr.contains("8 to 1024 characters"), "{short:?}");
    profile
        .tokenry_with(&["unlock", "--passphrase-fd", "0"], PASSPHRASE)
        .success();
    assert_eq!(accounts::engine(&profile)["pid"], engine.id());
    profile.tokenry(&["list"]).success();
    engine.stop();

    let shut = profile.tokenry(&["list"]);
    assert_eq!(shut.code, 3, "{shut:?}");
    assert!(
        shut.stderr.contains("cannot be unlocked without a prompt"),
        "{shut:?}"
    );
}
