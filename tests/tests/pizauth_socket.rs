//! A client of pizauth gets its token from Tokenry: what `pizauth show` writes and reads, at the place where it looks.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use tokenry_e2e::accounts::{PASSPHRASE, add, sandbox_service, token};
use tokenry_e2e::process::TIMEOUT;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::Sandbox;

#[test]
fn a_client_of_pizauth_is_shown_a_token_and_can_change_nothing() {
    let (sandbox, mut profile) = (Sandbox::start(), Profile::headless());
    let runtime = profile.scratch().join("run");
    std::fs::create_dir(&runtime).unwrap();
    std::fs::set_permissions(&runtime, PermissionsExt::from_mode(0o700)).unwrap();
    profile.set("XDG_RUNTIME_DIR", &runtime);
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    add(&profile, &sandbox_service(&sandbox, "mail")).success();
    profile.tokenry(&["connect", "mail"]).success();
    let socket = runtime.join("pizauth/pizauth.sock");
    assert!(!socket.exists(), "no socket without a request");
    profile.tokenry(&["pizauth-socket"]).success();
    let mode = socket.symlink_metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let ask = |request: &[u8]| {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.write_all(request).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let first = token(&profile, "mail");
    assert_eq!(ask(b"showtoken:withurl mail"), format!("access_token:{first}"));
    assert_eq!(ask(b"refresh:withouturl mail"), "scheduled:");
    let second = token(&profile, "mail");
    assert_ne!(second, first);
    assert_eq!(
        ask(b"showtoken:withouturl mail"),
        format!("access_token:{second}")
    );
    assert!(ask(b"status:").starts_with("ok:mail"));
    for refused in [
        &b"showtoken:withurl other"[..],
        b"shutdown:",
        b"revoke:mail",
        b"dump:",
        b"\xff\0",
        b"showtoken:withurl mail\n",
    ] {
        let answer = ask(refused);
        assert!(answer.starts_with("error:"), "{answer}");
    }
    assert_eq!(token(&profile, "mail"), second);
    profile.tokenry(&["pizauth-socket", "--stop"]).success();
    assert!(!socket.exists());
}
