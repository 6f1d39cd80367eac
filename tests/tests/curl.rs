//! `tokenry curl`: the real curl at a real server, with a token only for the addresses that a connection serves.
#![allow(clippy::unwrap_used)]

use std::net::TcpListener;
use tokenry_e2e::accounts::{connected, token};
use tokenry_e2e::process::Running;

#[test]
fn curl_sends_the_token_to_a_bound_address_and_reads_what_it_sends_from_standard_input() {
    let (sandbox, profile, _engine) = connected("forge");
    let userinfo = sandbox.endpoint("userinfo_endpoint").to_string();
    let refused = profile.tokenry(&["curl", "forge", "--", "-sS", &userinfo]);
    assert_eq!(refused.code, 12, "{refused:?}");
    assert!(refused.stderr.contains("tokenry bind http"), "{refused:?}");
    profile
        .tokenry(&["bind", &userinfo, "--connection", "forge"])
        .success();
    let answer = profile
        .tokenry(&["curl", "forge", "--", "-sS", &userinfo])
        .success();
    assert!(answer.json()["sub"].is_string(), "{answer:?}");
    let sent = profile.tokenry_with(
        &[
            "curl",
            "forge",
            "--",
            "-sS",
            "-d",
            "@-",
            "-w",
            "%{size_upload}",
            &userinfo,
        ],
        "some=body",
    );
    assert!(sent.stdout.ends_with("}9"), "{sent:?}");
    let outside = format!("{userinfo}/../elsewhere");
    let refused = profile.tokenry(&["curl", "forge", "--", "-sS", &userinfo, &outside]);
    assert_eq!(refused.code, 12, "{refused:?}");
}

#[test]
fn curl_gets_no_token_as_an_argument_and_no_option_that_prints_it() {
    let (sandbox, profile, _engine) = connected("forge");
    let userinfo = sandbox.endpoint("userinfo_endpoint").to_string();
    profile
        .tokenry(&["bind", &userinfo, "--connection", "forge"])
        .success();
    let token = token(&profile, "forge");
    for options in [
        &["-v"][..],
        &["--trace", "-"],
        &["--next"],
        &["-H", "Authorization: x"],
        &[],
    ] {
        let all = [&["curl", "forge", "--"], options, &["https://unknown.example/"]].concat();
        let refused = profile.tokenry(&all);
        assert_ne!(refused.code, 0, "{options:?}");
        assert!(!format!("{refused:?}").contains(&token));
    }
    // A stand-in for curl shows what curl would be started with.
    let folder = profile.scratch().join("bin");
    std::fs::create_dir(&folder).unwrap();
    let script = folder.join("curl");
    std::fs::write(
        &script,
        "#!/bin/sh\ntr '\\0' ' ' < /proc/$$/cmdline; env; cat \"${3#@}\"\n",
    )
    .unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let mut command = profile.command("tokenry", &["curl", "forge", "--", &userinfo]);
    let path = std::env::join_paths(
        std::iter::once(folder).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    command.env("PATH", path.unwrap());
    let shown = Running::start(command).wait().success().stdout;
    let (before, header) = shown.split_once("Authorization: Bearer ").unwrap();
    assert_eq!(header.trim(), token);
    assert!(!before.contains(&token), "{before}");
}

#[test]
fn a_configuration_or_a_proxy_of_the_environment_neither_adds_an_address_nor_prints_the_token() {
    let (sandbox, profile, _engine) = connected("forge");
    let userinfo = sandbox.endpoint("userinfo_endpoint").to_string();
    profile
        .tokenry(&["bind", &userinfo, "--connection", "forge"])
        .success();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let configuration = format!("verbose\nurl = \"http://{}/\"\n", other.local_addr().unwrap());
    std::fs::write(
        format!("{}/.curlrc", profile.env()["HOME"].display()),
        configuration,
    )
    .unwrap();
    let mut command = profile.command("tokenry", &["curl", "forge", "--", "-sS", &userinfo]);
    let proxy = format!("http://{}", other.local_addr().unwrap());
    command.env("http_proxy", &proxy).env("ALL_PROXY", &proxy);
    let answer = Running::start(command).wait().success();
    assert!(answer.json()["sub"].is_string(), "{answer:?}");
    assert!(!answer.stderr.contains("Authorization"), "{answer:?}");
    assert!(other.accept().is_err(), "the other address was asked");
}
