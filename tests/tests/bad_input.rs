//! What goes wrong is told in words that help, with an exit code that a script can act on, and changes nothing.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use tokenry_e2e::accounts::{self, PASSPHRASE, add, connecting, stop};
use tokenry_e2e::browser::Browser;
use tokenry_e2e::process::{Finished, Running};
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Fault, Server};

/// Where the four bytes of a database's format number are (<https://www.sqlite.org/fileformat.html>, 1.3).
const USER_VERSION: u64 = 60;

fn good() -> Value {
    json!({
        "name": "github",
        "client_id": "abc",
        "authorization_endpoint": "https://example.com/authorize",
        "token_endpoint": "https://example.com/token",
    })
}

#[track_caller]
fn fails(finished: &Finished, code: i32, says: &[&str]) {
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (code, ""),
        "{finished:?}"
    );
    for part in says {
        assert!(finished.stderr.contains(part), "{part:?} is not in {finished:?}");
    }
}

#[test]
fn a_slip_of_the_finger_is_answered_with_what_was_meant() {
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    add(&profile, &good()).success();
    fails(&profile.tokenry(&["statsu"]), 2, &["'status'"]);
    fails(&profile.tokenry(&["list", "--jsn"]), 2, &["'--json'"]);
    for command in [
        &["connect", "githbu", "--no-browser"][..],
        &["provider", "show", "githbu"],
    ] {
        fails(
            &profile.tokenry(command),
            15,
            &["\"githbu\"", "Did you mean `github`?"],
        );
    }
    fails(
        &profile.tokenry(&["token", "missing"]),
        15,
        &["\"missing\"", "`tokenry list`"],
    );
    fails(
        &profile.tokenry(&["token", "github"]),
        15,
        &["`tokenry connect github`"],
    );
}

#[test]
fn a_description_that_cannot_be_right_is_refused_field_by_field() {
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let given = |text: &str| profile.tokenry_with(&["provider", "add", "--from", "-"], text);
    fails(&given("{\"name\": \"x\","), 10, &["is not JSON", "line 1"]);
    fails(&given("[]"), 10, &["error: "]);
    let with = |field: &str, value: Value| {
        let mut provider = good();
        provider[field] = value;
        add(&profile, &provider)
    };
    fails(
        &with("token_endpont", "x".into()),
        10,
        &["token_endpont", "did you mean `token_endpoint`?"],
    );
    fails(
        &with("token_endpoint", "http://example.com/token".into()),
        10,
        &["token_endpoint", "must be https"],
    );
    fails(&with("name", "Git Hub".into()), 10, &["name", "lower-case"]);
    fails(&with("use_pkce", "yes".into()), 10, &["use_pkce"]);
    // Each of them would let the parameters of ours be overruled.
    for reserved in ["client_id", "state", "redirect_uri", "code_challenge"] {
        fails(
            &with("authorize_params", json!({reserved: "mine"})),
            10,
            &["authorize_params", reserved],
        );
    }
    assert_eq!(
        profile.tokenry(&["provider", "list", "--json"]).success().json(),
        json!([])
    );
    add(&profile, &good()).success();
    fails(&add(&profile, &good()), 16, &["github", "already"]);
}

#[test]
fn a_provider_that_answers_rubbish_is_told_and_the_next_try_is_free() {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    add(
        &profile,
        &accounts::testkit_provider(&server, "kit", &json!({"kind": "strict"})),
    )
    .success();
    for (fault, code) in [
        (Fault::CaptivePortalHtml200, 24),
        (Fault::ProxyForbiddenHtml403, 24),
        (Fault::TruncatedJson, 24),
        (Fault::HugeBody, 24),
        (Fault::LoseAnswer, 24),
        (Fault::TokenType("mac".to_owned()), 23),
        (Fault::Redirect302To("https://example.com/".to_owned()), 24),
    ] {
        server.queue(fault.clone());
        let (connect, address) = connecting(&profile, &["kit"]);
        Browser::new().open(&address);
        let failed = connect.wait();
        assert_eq!(failed.code, code, "{fault:?}: {failed:?}");
        assert!(
            failed.stderr.contains(
                "
error: "
            ),
            "{fault:?}: {failed:?}"
        );
        assert_eq!(
            profile.tokenry(&["list", "--json"]).success().json(),
            json!([]),
            "{fault:?}"
        );
    }
    accounts::connect_at_testkit(&profile, &["kit"]).success();
}

/// Both ways to come across a profile: as its engine, and as a command that starts one.
#[track_caller]
fn no_engine_starts(profile: &Profile, code: i32, says: &[&str]) {
    let arguments = ["--vault", "passphrase", "--passphrase-fd", "0"];
    let mut engine = Running::start(profile.command("tokenry-serve", &arguments));
    engine.write(&format!("{PASSPHRASE}\n"));
    fails(&engine.wait(), code, says);
    let command = profile.tokenry(&["list"]);
    fails(&command, 3, says);
    assert!(
        !command.stderr.contains("`tokenry unlock`"),
        "no unlocking helps: {command:?}"
    );
}

#[test]
fn a_profile_of_a_newer_version_is_left_as_it_is() {
    let profile = Profile::headless();
    stop(profile.serve_with_passphrase(PASSPHRASE));
    let path = profile.home().join("tokenry.db");
    let mut file = std::fs::File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(USER_VERSION)).unwrap();
    file.write_all(&7_u32.to_be_bytes()).unwrap();
    let before = std::fs::read(&path).unwrap();
    no_engine_starts(&profile, 22, &["format 7", "use the newer version"]);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_profile_that_is_damaged_is_left_as_it_is() {
    let profile = Profile::headless();
    stop(profile.serve_with_passphrase(PASSPHRASE));
    let path = profile.home().join("tokenry.db");
    std::fs::write(&path, "not a database").unwrap();
    let says = ["tokenry.db is damaged", "put a backup in its place"];
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    fails(&profile.tokenry(&["list"]), 20, &says);
    fails(&profile.tokenry(&["unlock"]), 22, &says);
    let status = profile.tokenry(&["status"]).success();
    for text in says {
        assert!(status.stdout.contains(text), "{status:?}");
    }
    stop(engine);
    assert_eq!(std::fs::read(&path).unwrap(), b"not a database");
}

#[test]
fn a_folder_that_others_may_enter_and_that_holds_other_things_is_refused() {
    let profile = Profile::headless();
    std::fs::create_dir(profile.home()).unwrap();
    std::fs::write(profile.home().join("holiday.jpg"), "a picture").unwrap();
    std::fs::set_permissions(profile.home(), PermissionsExt::from_mode(0o755)).unwrap();
    no_engine_starts(
        &profile,
        22,
        &[profile.home().to_str().unwrap(), "TOKENRY_HOME", "chmod 700"],
    );
    let mode = profile.home().metadata().unwrap().permissions().mode();
    assert_eq!(
        mode & 0o777,
        0o755,
        "the folder of another program keeps its mode"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let mut profile = Profile::headless();
    // No user can create a folder here, not even root.
    profile.set("TOKENRY_HOME", "/proc/tokenry");
    no_engine_starts(&profile, 22, &["/proc/tokenry"]);
}

#[test]
fn a_socket_path_that_is_too_long_is_told_with_the_variable_to_set() {
    let mut profile = Profile::headless();
    let home = profile.scratch().join("x".repeat(120));
    profile.set("TOKENRY_HOME", &home);
    let says = ["may have 107", "TOKENRY_HOME"];
    fails(&profile.tokenry(&["list"]), 10, &says);
    fails(&profile.tokenry(&["status"]), 10, &says);
    fails(
        &Running::start(profile.command("tokenry-serve", &[])).wait(),
        10,
        &says,
    );
    assert!(!home.exists(), "nothing is made where no engine can be");
}

#[test]
fn an_engine_that_goes_away_in_the_middle_of_a_command_is_told_as_that() {
    let (profile, server) = (Profile::headless(), Server::start(Behaviour::default()));
    let mut engine = profile.serve_with_passphrase(PASSPHRASE);
    add(
        &profile,
        &accounts::testkit_provider(&server, "kit", &json!({"kind": "none"})),
    )
    .success();
    accounts::connect_at_testkit(&profile, &["kit"]).success();
    server.clear_log();
    server.queue(Fault::Gate);
    let refresh = profile.tokenry_running(&["refresh", "kit"]);
    assert!(server.wait_until(tokenry_e2e::process::TIMEOUT, |log| !log.is_empty()));
    engine.kill();
    server.release();
    let ended = refresh.wait();
    fails(&ended, 22, &["error: ", "  next: "]);
}
