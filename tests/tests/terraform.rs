//! terraform gets its tokens from Tokenry: by its protocol, and with the real terraform where it is installed.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use tokenry_e2e::process::{Finished, Running};
use tokenry_e2e::readme::block;
use tokenry_e2e::token_server::TokenServer;

const HELPER: &str = "terraform-credentials-tokenry";

#[test]
fn a_terraform_host_gets_the_token_of_its_connection_and_nothing_is_stored() {
    let stage = TokenServer::start("modules.py");
    let host = stage.host().to_owned();
    let get = |host: &str| stage.run(HELPER, &["get", host], "");
    assert_eq!(get(&host).success().json(), json!({}));
    stage.bind();
    assert_eq!(get(&host).success().json(), json!({"token": stage.token()}));
    assert_eq!(get("other.example").success().json(), json!({}));
    for (arguments, says) in [
        (&["store", &host][..], "tokenry bind"),
        (&["forget", &host], "tokenry bind"),
        (&["list", &host], "get, store and forget"),
        (&["get", "a/b"], "app.terraform.io"),
        (&["get"], "HOST"),
        (&[], "OPERATION"),
    ] {
        let failed = stage.run(HELPER, arguments, r#"{"token":"S3cr3t"}"#);
        assert!(failed.code != 0 && failed.stdout.is_empty(), "{failed:?}");
        assert!(
            failed.stderr.contains(says) && !failed.stderr.contains("S3cr3t"),
            "{failed:?}"
        );
    }
}

/// Runs terraform in a project that needs the module.
fn terraform(stage: &TokenServer, arguments: &[&str]) -> Finished {
    let scratch = stage.profile.scratch();
    let project = scratch.join("project");
    std::fs::create_dir_all(&project).unwrap();
    let source = format!("{}/acme/thing/local", stage.host());
    let module = format!("module \"thing\" {{\n  source = \"{source}\"\n  version = \"1.0.0\"\n}}\n");
    std::fs::write(project.join("main.tf"), module).unwrap();
    let mut command = stage.command("terraform");
    command
        .env("CHECKPOINT_DISABLE", "1")
        .env("SSL_CERT_FILE", stage.said("certificate"))
        .env("NO_COLOR", "1")
        .current_dir(project)
        .args(arguments);
    Running::start(command).wait()
}

#[test]
fn terraform_fetches_a_private_module_with_the_token() {
    let Ok(_) = std::process::Command::new("terraform").arg("-version").output() else {
        eprintln!("skipped: terraform is not installed");
        return;
    };
    let stage = TokenServer::start("modules.py");
    stage.link(HELPER);
    let lines = block("sh", HELPER)
        .replace("app.terraform.io", stage.host())
        .replace("work", &stage.name);
    let (config, bind) = lines.split_once("tokenry bind").unwrap();
    stage.paste(config).success();
    let unbound = terraform(&stage, &["init", "-no-color"]);
    assert_ne!(
        unbound.code, 0,
        "no token goes to a host that was not named: {unbound:?}"
    );
    stage.paste(&format!("tokenry bind{bind}")).success();
    terraform(&stage, &["init", "-no-color"]).success();
    let fetched = stage
        .profile
        .scratch()
        .join("project/.terraform/modules/thing/main.tf");
    assert!(fetched.exists());
    let out = terraform(&stage, &["logout", stage.host()]);
    assert!(
        out.code != 0 && (out.stdout.clone() + &out.stderr).contains("nothing to forget"),
        "{out:?}"
    );
}
