//! AWS's command line gets its credentials from Tokenry: awscli, at STS and S3 of moto, where STS checks the ID token.
#![allow(clippy::unwrap_used)]

use tokenry_e2e::accounts::{PASSPHRASE, add, connect_at_sandbox, sandbox_provider, token};
use tokenry_e2e::process::{Finished, Running, program};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::python;
use tokenry_e2e::readme::block;
use tokenry_e2e::sandbox::{CONFIDENTIAL, PUBLIC, Sandbox};
use tokenry_e2e::token_server::server;

struct Stage {
    profile: Profile,
    /// Where AWS is.
    address: String,
    _sandbox: Sandbox,
    _server: Running,
    _engine: Running,
}

impl Stage {
    /// A connection `corp`, whose ID token STS takes, and `other`, whose token is for another client.
    fn new() -> Self {
        let (sandbox, mut profile) = (Sandbox::start(), Profile::headless());
        let ours = program("tokenry").parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap();
        let path = std::iter::once(ours).chain(std::env::split_paths(&path));
        profile.set("PATH", std::env::join_paths(path).unwrap());
        let engine = profile.serve_with_passphrase(PASSPHRASE);
        for (name, client) in [("corp", CONFIDENTIAL), ("other", PUBLIC)] {
            let mut provider = sandbox_provider(&sandbox, name);
            provider["client_id"] = client.into();
            if client == CONFIDENTIAL {
                provider["client_secret"] = sandbox.client_secret(CONFIDENTIAL).into();
            }
            provider["jwks_uri"] = sandbox.endpoint("jwks_uri").as_str().into();
            add(&profile, &provider).success();
            connect_at_sandbox(&profile, &sandbox, &[name], "ada").success();
        }
        let keys = sandbox.endpoint("jwks_uri");
        let options = [keys.as_str(), CONFIDENTIAL];
        let (server, ready) = server("aws.py", &profile, profile.scratch(), &sandbox, &options);
        let stage = Self {
            address: ready["address"].as_str().unwrap().to_owned(),
            profile,
            _sandbox: sandbox,
            _server: server,
            _engine: engine,
        };
        let text = block("awsconfig", "tokenry aws-credential");
        let here = text.trim_end().to_owned() + &format!(" --endpoint-url {}\n", stage.address);
        let other = here
            .replace("[profile corp]", "[profile other]")
            .replace("--connection corp", "--connection other");
        std::fs::write(stage.profile.scratch().join("aws"), here + &other).unwrap();
        stage
    }

    fn aws(&self, arguments: &[&str]) -> Finished {
        let mut aws = python::command("aws", self.profile.env());
        aws.env("AWS_CONFIG_FILE", self.profile.scratch().join("aws"))
            .env("AWS_ENDPOINT_URL", &self.address)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .args(["--output", "json"])
            .args(arguments);
        Running::start(aws).wait()
    }
}

#[test]
fn aws_gets_the_credentials_of_a_role_for_the_id_token() {
    let stage = Stage::new();
    let who = stage
        .aws(&["--profile", "corp", "sts", "get-caller-identity"])
        .success()
        .json();
    assert_eq!(
        who["Arn"],
        "arn:aws:sts::123456789012:assumed-role/developer/tokenry"
    );
    stage
        .aws(&["--profile", "corp", "s3", "mb", "s3://bucket"])
        .success();
    let listed = stage.aws(&["--profile", "corp", "s3", "ls"]).success().stdout;
    assert!(listed.contains(" bucket"), "{listed}");
}

#[test]
fn aws_shows_why_there_are_no_credentials_and_what_to_do() {
    let stage = Stage::new();
    let refused = stage.aws(&["--profile", "other", "sts", "get-caller-identity"]);
    assert_ne!(refused.code, 0, "{refused:?}");
    for word in [
        "InvalidIdentityToken",
        "Incorrect token audience",
        "trusts this issuer",
    ] {
        assert!(refused.stderr.contains(word), "{word}: {refused:?}");
    }
    let token = token(&stage.profile, "other");
    assert!(!refused.stderr.contains(&token), "{refused:?}");
    stage
        .profile
        .tokenry(&["revoke", "--connection", "corp"])
        .success();
    let ended = stage.aws(&["--profile", "corp", "sts", "get-caller-identity"]);
    assert!(
        ended.code != 0 && ended.stderr.contains("tokenry connect corp"),
        "{ended:?}"
    );
}

#[test]
fn credentials_of_aws_have_their_end_and_are_for_https_or_this_machine() {
    let stage = Stage::new();
    let role = [
        "--connection",
        "corp",
        "--role-arn",
        "arn:aws:iam::123456789012:role/x",
        "--endpoint-url",
    ];
    let ask = |url: &str| {
        stage
            .profile
            .tokenry(&[&["aws-credential"], &role[..], &[url]].concat())
    };
    let given = ask(&stage.address).success();
    assert_eq!((given.stderr.as_str(), &given.json()["Version"]), ("", &1.into()));
    let end = given.json()["Expiration"].as_str().unwrap().to_owned();
    assert!(end.starts_with("20") && end.ends_with('Z'), "{end}");
    let refused = ask("http://sts.example/");
    assert!(refused.code != 0 && refused.stdout.is_empty(), "{refused:?}");
    assert!(refused.stderr.contains("this machine only"), "{refused:?}");
}
