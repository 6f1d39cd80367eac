//! Programs that get a token from `tokenry exec` and `tokenry headers`.
#![allow(clippy::unwrap_used)]

use tokenry_e2e::accounts::{connected, token};

#[test]
fn a_program_gets_the_token_where_it_was_asked_for_and_nowhere_else() {
    let (sandbox, profile, _engine) = connected("forge");
    let exec = |place: &[&str], script: &str| {
        let start = ["exec", "--connection", "forge"];
        profile.tokenry(&[&start, place, &["--", "sh", "-c", script, "name", "a b"]].concat())
    };
    let found = exec(&["--env", "GIVEN"], "printf '%s|%s' \"$GIVEN\" \"$1\"").success();
    let (given, argument) = found.stdout.split_once('|').unwrap();
    assert!(sandbox.is_active(given));
    assert_eq!(argument, "a b");
    let script = "read=$(cat <&7); printf '%s|' \"$read\"; env | grep -c -e \"$read\" || true";
    let read = exec(&["--fd", "7"], script).success();
    assert_eq!(read.stdout, format!("{given}|0\n"), "and not in its environment");
    let at_both = exec(
        &["--fd", "3", "--env", "GIVEN"],
        "test \"$(cat <&3)\" = \"$GIVEN\"",
    );
    at_both.success();
    let arguments = exec(&["--env", "GIVEN"], "tr '\\0' ' ' </proc/$$/cmdline").success();
    assert!(
        !arguments.stdout.contains(given),
        "a token is no argument: {arguments:?}"
    );

    assert_eq!(
        exec(&["--env", "GIVEN"], "exit 7").code,
        7,
        "its exit code is the program's"
    );
    let headers = profile.tokenry(&["headers", "forge"]).success().json();
    assert_eq!(
        headers["Authorization"],
        format!("Bearer {}", token(&profile, "forge"))
    );
}

#[test]
fn what_cannot_be_run_is_told_and_no_token_is_shown() {
    let (_sandbox, profile, _engine) = connected("forge");
    let given = token(&profile, "forge");
    for (arguments, code, told) in [
        (
            &["--env", "T", "--", "no-such-program"][..],
            15,
            "no-such-program cannot be started",
        ),
        (&["--env", "T"], 2, "COMMAND"),
        (&["--", "true"], 2, "--env"),
        (&["--env", "A=B", "--", "true"], 2, "letters, digits"),
        (&["--env", "PATH", "--", "true"], 2, "decides what is run"),
        (&["--fd", "1", "--", "true"], 2, "--fd"),
    ] {
        let tried = profile.tokenry(&[&["exec", "--connection", "forge"], arguments].concat());
        assert_eq!(tried.code, code, "{arguments:?}: {tried:?}");
        assert!(tried.stderr.contains(told), "{arguments:?}: {tried:?}");
        assert!(!format!("{tried:?}").contains(&given));
    }
    let unknown = profile.tokenry(&["exec", "--connection", "forgee", "--env", "T", "--", "true"]);
    assert!(
        unknown.code != 0 && unknown.stderr.contains("forge"),
        "{unknown:?}"
    );
}
