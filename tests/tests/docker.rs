//! docker and skopeo get their tokens from Tokenry: the real clients at a real registry with token authentication.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::Path;
use tokenry_e2e::process::{Finished, Running};
use tokenry_e2e::readme::block;
use tokenry_e2e::token_server::TokenServer;

const HELPER: &str = "docker-credential-tokenry";

/// A registry, and the configuration of docker that the README shows for it.
fn stage() -> TokenServer {
    let stage = TokenServer::start("images.py");
    stage.link(HELPER);
    let folder = stage.profile.scratch().join("user/.docker");
    std::fs::create_dir_all(&folder).unwrap();
    let config = block("json", "credHelpers").replace("ghcr.io", stage.host());
    std::fs::write(folder.join("config.json"), config).unwrap();
    stage
}

/// Runs a client, which reads the configuration of docker.
fn client(stage: &TokenServer, program: &str, arguments: &[&str]) -> Finished {
    let mut command = stage.command(program);
    command.args(arguments);
    Running::start(command).wait()
}

/// Makes an image with one empty layer, in the layout of OCI.
fn image(folder: &Path) {
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let blob = |kind: &str, bytes: &[u8]| {
        let digest: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        std::fs::write(blobs.join(&digest), bytes).unwrap();
        let media_type = format!("application/vnd.oci.image.{kind}");
        json!({"mediaType": media_type, "digest": format!("sha256:{digest}"), "size": bytes.len()})
    };
    // The end of a tar archive is two empty blocks.
    let tar = [0; 1024];
    let layer = blob("layer.v1.tar", &tar);
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
    });
    let config = blob("config.v1+json", config.to_string().as_bytes());
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": [layer],
    });
    let manifest = blob("manifest.v1+json", manifest.to_string().as_bytes());
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
    std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

/// Copies an image to the registry.
fn push(stage: &TokenServer) -> Finished {
    let folder = stage.profile.scratch().join("image");
    image(&folder);
    let from = format!("oci:{}", folder.display());
    let to = format!("docker://{}/acme/x:1", stage.host());
    let line = ["--insecure-policy", "copy", "--dest-tls-verify=false", &from, &to];
    client(stage, "skopeo", &line)
}

#[test]
fn skopeo_copies_to_a_bound_registry_and_to_no_other() {
    let stage = stage();
    let refused = push(&stage);
    assert_ne!(
        refused.code, 0,
        "no token goes to a host that was not named: {refused:?}"
    );
    stage.bind();
    push(&stage).success();
    let name = format!("docker://{}/acme/x:1", stage.host());
    let shown = client(&stage, "skopeo", &["inspect", "--tls-verify=false", &name]).success();
    assert!(shown.json()["Digest"].is_string(), "{shown:?}");

    stage.refuse(&stage.token());
    let refused = client(&stage, "skopeo", &["inspect", "--tls-verify=false", &name]);
    assert_ne!(refused.code, 0, "the registry checks the token: {refused:?}");
}

#[test]
fn docker_signs_in_reads_a_manifest_and_signs_out() {
    let stage = stage();
    stage.bind();
    push(&stage).success();
    let Ok(_) = std::process::Command::new("docker").arg("--version").output() else {
        eprintln!("skipped: docker is not installed");
        return;
    };
    // With what is stored, a login needs docker's daemon; with a password it does not.
    let mut login = stage.command("docker");
    login.args(["login", "--username", "me", "--password-stdin", stage.host()]);
    let mut login = Running::start(login);
    login.write(&stage.token());
    let login = login.wait().success();
    assert!(login.stderr.contains("Nothing was stored"), "{login:?}");
    let name = format!("{}/acme/x:1", stage.host());
    let manifest = client(&stage, "docker", &["manifest", "inspect", "--insecure", &name]).success();
    assert_eq!(manifest.json()["schemaVersion"], 2, "{manifest:?}");
    let out = client(&stage, "docker", &["logout", stage.host()]).success();
    assert!(out.stderr.contains("tokenry bind"), "{out:?}");
    let config = std::fs::read_to_string(stage.profile.scratch().join("user/.docker/config.json")).unwrap();
    assert!(!config.contains(&stage.token()));
    assert_eq!(stage.events("token_rejected"), 0, "a logout is no rejection");
}

#[test]
fn a_docker_client_gets_user_token_list_and_errors_in_its_own_form() {
    let stage = stage();
    let host = stage.host();
    let none = stage.run(HELPER, &["get"], host);
    assert_eq!(
        (none.code, none.stdout.trim(), none.stderr.as_str()),
        (1, "credentials not found in native keychain", "")
    );
    stage.bind();
    for input in [host.to_owned(), format!("{host}\n"), format!("http://{host}/v2/")] {
        let got = stage.run(HELPER, &["get"], &input).success().json();
        let expected = json!({"ServerURL": input.trim(), "Username": "oauth2", "Secret": stage.token()});
        assert_eq!(got, expected);
    }
    let listed = stage.run(HELPER, &["list"], "").success().json();
    assert_eq!(listed, json!({host: "oauth2"}));

    let stored =
        |server: &str| json!({"ServerURL": server, "Username": "me", "Secret": "S3cr3t"}).to_string();
    let kept = stage.run(HELPER, &["store"], &stored(host)).success();
    assert!(kept.stderr.contains("Nothing was stored"), "{kept:?}");
    let lost = stage.run(HELPER, &["store"], &stored("registry.example"));
    assert!(
        lost.code != 0 && lost.stdout.contains("stores no password"),
        "{lost:?}"
    );
    let version = stage.run(HELPER, &["version"], "").success();
    assert!(
        version.stdout.starts_with("docker-credential-tokenry"),
        "{version:?}"
    );
    for (operation, input) in [("get", ""), ("get", "a\nb"), ("store", "{}"), ("S3cr3t", "")] {
        let failed = stage.run(HELPER, &[operation], input);
        assert!(failed.code != 0 && !failed.stdout.is_empty(), "{failed:?}");
        assert!(
            failed.stderr.is_empty() && !failed.stdout.contains("S3cr3t"),
            "{failed:?}"
        );
    }
}
