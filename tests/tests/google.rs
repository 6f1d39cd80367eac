//! Google's library gets its subject tokens from Tokenry: google-auth, at a token exchange that checks their signature.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::accounts::{PASSPHRASE, add, connect_at_sandbox, sandbox_provider};
use tokenry_e2e::process::{Running, program};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::python;
use tokenry_e2e::readme::block;
use tokenry_e2e::sandbox::{self, CONFIDENTIAL, Sandbox};
use tokenry_e2e::token_server::server;

const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// What the README names as the command.
const CORP: &str = "google-credential --connection corp";

struct Stage {
    profile: Profile,
    exchange: Running,
    /// Where tokens are exchanged.
    address: String,
    _sandbox: Sandbox,
    _engine: Running,
}

impl Stage {
    /// A connection `corp` whose ID tokens are exchanged, and one, `plain`, that has none.
    fn new() -> Self {
        let (sandbox, profile) = (Sandbox::start(), Profile::headless());
        let engine = profile.serve_with_passphrase(PASSPHRASE);
        for (name, scopes) in [("corp", "openid profile email offline_access"), ("plain", "read")] {
            let mut provider = sandbox_provider(&sandbox, name);
            provider["client_secret"] = sandbox.client_secret(CONFIDENTIAL).into();
            provider["default_scopes"] = scopes.split(' ').collect();
            provider["jwks_uri"] = sandbox.endpoint("jwks_uri").as_str().into();
            if name == "plain" {
                provider["userinfo_endpoint"] = Value::Null;
            }
            add(&profile, &provider).success();
            connect_at_sandbox(&profile, &sandbox, &[name], "ada").success();
        }
        let keys = sandbox.endpoint("jwks_uri");
        let options = [keys.as_str(), CONFIDENTIAL];
        let (exchange, ready) = server(
            "token_exchange.py",
            &profile,
            profile.scratch(),
            &sandbox,
            &options,
        );
        Self {
            address: ready["address"].as_str().unwrap().to_owned(),
            profile,
            exchange,
            _sandbox: sandbox,
            _engine: engine,
        }
    }

    /// What google-auth makes of this configuration.
    fn google(&self, command: &str, token_type: &str) -> Value {
        let mut config: Value = serde_json::from_str(block("json", "google-credential")).unwrap();
        assert_eq!(
            config["credential_source"]["executable"]["command"],
            format!("tokenry {CORP}")
        );
        config["token_url"] = self.address.as_str().into();
        config["subject_token_type"] = token_type.into();
        let executable = &mut config["credential_source"]["executable"];
        executable["command"] = format!("{} {command}", program("tokenry").display()).into();
        executable["output_file"] = self.profile.scratch().join("not-written").to_str().into();
        let file = self.profile.scratch().join("google.json");
        std::fs::write(&file, config.to_string()).unwrap();
        let mut client = python::command("python", self.profile.env());
        client
            .env("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
            .arg("-B")
            .arg(sandbox::support().join("google/client.py"))
            .arg(file);
        Running::start(client).wait().success().json()
    }
}

#[test]
fn google_exchanges_the_id_token_of_a_connection() {
    let mut stage = Stage::new();
    for token_type in [ID_TOKEN, JWT] {
        let got = stage.google(CORP, token_type);
        assert_eq!(got, json!({"token": "federated"}));
        assert_eq!(stage.exchange.line(), token_type);
    }
    assert!(
        !stage.profile.scratch().join("not-written").exists(),
        "no token is written to a file"
    );
}

#[test]
fn google_shows_why_there_is_no_token_and_what_to_do() {
    let stage = Stage::new();
    for (connection, token_type, words) in [
        ("other", ID_TOKEN, ["not_found", "tokenry list"]),
        ("plain", ID_TOKEN, ["openid", "tokenry connect"]),
        ("corp --access-token", JWT, ["validation_error", "--access-token"]),
        (
            "corp",
            "urn:ietf:params:oauth:token-type:saml2",
            ["validation_error", "subject_token_type"],
        ),
    ] {
        let got = stage.google(
            &format!("google-credential --connection {connection}"),
            token_type,
        );
        let error = got["error"]
            .as_str()
            .unwrap_or_else(|| panic!("{connection}: {got}"));
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{connection}: {error}"
        );
    }
    let mut profile = stage.profile;
    profile.set("GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE", "1");
    let refused = profile.tokenry(&["google-credential", "--connection", "corp"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (10, ""), "{refused:?}");
}
