//! Servers of the user's own network: a real https server whose certificate is of a private CA, and http.
#![allow(clippy::unwrap_used)]

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::path::PathBuf;
use tokenry_e2e::accounts::PASSPHRASE;
use tokenry_e2e::folder::Folder;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::{SERVICE, Sandbox};

/// A private CA, and a certificate for `localhost` that it signed.
struct Authority {
    ca: PathBuf,
    server: PathBuf,
    folder: Folder,
}

impl Authority {
    fn new() -> Self {
        let folder = Folder::new();
        let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.distinguished_name.push(DnType::CommonName, "A private CA");
        let root = ca.self_signed(&ca_key).unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &Issuer::from_params(&ca, &ca_key)).unwrap();
        let write = |name: &str, parts: &[(&str, &[u8])]| {
            let pem = parts.iter().map(|(what, der)| {
                let der = STANDARD.encode(der);
                format!("-----BEGIN {what}-----\n{der}\n-----END {what}-----\n")
            });
            let path = folder.path().join(name);
            std::fs::write(&path, pem.collect::<String>()).unwrap();
            path
        };
        Self {
            ca: write("ca.pem", &[("CERTIFICATE", root.der())]),
            server: write(
                "server.pem",
                &[("CERTIFICATE", leaf.der()), ("PRIVATE KEY", &key.serialize_der())],
            ),
            folder,
        }
    }
}

#[test]
fn a_server_of_a_private_ca_is_looked_up_checked_and_used_with_its_ca_file_alone() {
    let authority = Authority::new();
    let sandbox = Sandbox::with_tls(&authority.server);
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let secret = sandbox.client_secret(SERVICE);
    let ca = authority.ca.to_str().unwrap();
    let add = |more: &[&str]| {
        let all = [
            &["provider", "add", sandbox.issuer(), "--name", "own", "--yes"][..],
            &["--client-id", SERVICE, "--client-secret-stdin"],
            &["--grant-type", "client_credentials"],
            more,
        ];
        profile.tokenry_with(&all.concat(), secret)
    };
    let refused = add(&[]);
    assert!(
        refused.code != 0 && refused.stderr.contains("could not prove"),
        "{refused:?}"
    );
    let missing = authority.folder.path().join("missing.pem");
    let refused = add(&["--ca-file", missing.to_str().unwrap()]);
    assert!(
        refused.code != 0 && refused.stderr.contains("missing.pem"),
        "{refused:?}"
    );

    add(&["--ca-file", ca]).success();
    let shown = profile
        .tokenry(&["provider", "show", "own", "--json"])
        .success()
        .json();
    assert_eq!(shown["ca_file"], ca);
    let check = profile
        .tokenry(&["provider", "check", "own", "--json"])
        .success()
        .json();
    let checks = check["checks"].as_array().unwrap();
    let result = |name: &str| &checks.iter().find(|item| item["name"] == name).unwrap()["result"];
    for name in ["token_endpoint", "client_authentication", "metadata"] {
        assert_eq!(result(name), "ok", "{name}: {check}");
    }
    profile.tokenry(&["connect", "own"]).success();
    let token = profile.tokenry(&["token", "own"]).success().stdout;
    assert!(token.trim().len() > 20, "{token}");

    // The file is read again for each request.
    std::fs::remove_file(ca).unwrap();
    let refused = profile.tokenry(&["refresh", "own"]);
    assert!(refused.code != 0 && refused.stderr.contains(ca), "{refused:?}");
}

#[test]
fn a_ca_file_that_cannot_be_used_is_refused_when_it_is_set() {
    let authority = Authority::new();
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let base = [
        "provider",
        "add",
        "--name",
        "own",
        "--client-id",
        "c",
        "--authorization-endpoint",
        "https://as.example/a",
        "--token-endpoint",
        "https://as.example/t",
    ];
    profile.tokenry(&base).success();
    let text = authority.folder.path().join("text.pem");
    std::fs::write(&text, "no certificate").unwrap();
    let edit = |setting: &str| profile.tokenry(&["provider", "edit", "own", "--set", setting]);
    for (path, told) in [
        (authority.folder.path().join("missing.pem"), "cannot be read"),
        (authority.folder.path().to_owned(), "is not a file"),
        (text, "holds no certificate"),
        (PathBuf::from("relative.pem"), "must be the whole path"),
    ] {
        let refused = edit(&format!("ca_file={}", path.display()));
        assert!(
            refused.code != 0 && refused.stderr.contains("ca_file") && refused.stderr.contains(told),
            "{refused:?}"
        );
    }
    edit(&format!("ca_file={}", authority.ca.display())).success();
    edit("ca_file=").success();
}

/// Home Assistant needs no registration: its client id is an address of this computer (IndieAuth).
#[test]
fn a_home_assistant_without_https_is_added_by_its_preset() {
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let add = |host: &str, more: &[&str]| {
        let host = format!("host={host}");
        let all = [
            &["provider", "add", "home-assistant", "--variable", &host][..],
            more,
        ];
        profile.tokenry(&all.concat())
    };
    let refused = add(HOME, &[]);
    assert!(
        refused.code != 0 && refused.stderr.contains("allow_private_http"),
        "{refused:?}"
    );
    let refused = add("http://home.example", &["--allow-private-http"]);
    assert!(
        refused.code != 0 && refused.stderr.contains("does not look like"),
        "{refused:?}"
    );
    let added = add(HOME, &["--allow-private-http"]).success();
    assert!(added.stderr.contains("Warning: With http"), "{added:?}");
    let shown = profile
        .tokenry(&["provider", "show", "home-assistant", "--json"])
        .success()
        .json();
    assert_eq!(shown["authorization_endpoint"], format!("{HOME}/auth/authorize"));
    assert_eq!(shown["revocation_endpoint"], format!("{HOME}/auth/token"));
    let redirect = shown["redirect_uris"][0].as_str().unwrap();
    let client_id = shown["client_id"].as_str().unwrap();
    assert!(redirect.starts_with(client_id), "{client_id} {redirect}");
}

const HOME: &str = "http://homeassistant.local:8123";

/// Checklist A4.4: http in the own network only with the setting, and only after a warning.
#[test]
fn http_in_the_own_network_is_allowed_per_provider_after_a_warning() {
    let profile = Profile::headless();
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let refused = profile.tokenry(&["provider", "add", HOME, "--yes"]);
    for told in ["must be https", "--allow-private-http", "without encryption"] {
        assert!(
            refused.code != 0 && refused.stderr.contains(told),
            "{told}: {refused:?}"
        );
    }
    let add = |name: &str, token_endpoint: &str, more: &[&str]| {
        let (authorize, token) = (format!("{HOME}/auth/authorize"), token_endpoint.to_owned());
        let all = [
            &["provider", "add", "--name", name, "--client-id", "c"][..],
            &["--authorization-endpoint", &authorize, "--token-endpoint", &token],
            more,
        ];
        profile.tokenry(&all.concat())
    };
    let token = format!("{HOME}/auth/token");
    let refused = add("home", &token, &[]);
    assert!(
        refused.code != 0 && refused.stderr.contains("allow_private_http"),
        "{refused:?}"
    );
    let refused = add("home", &token, &["--set", "allow_private_http=true"]);
    for told in [
        "without encryption",
        "no terminal to ask at",
        "--allow-private-http",
    ] {
        assert!(
            refused.code != 0 && refused.stderr.contains(told),
            "{told}: {refused:?}"
        );
    }
    for public in [
        "http://as.example/token",
        "http://192.0.2.1/token",
        "http://nas.lan/token",
    ] {
        let refused = add("home", public, &["--allow-private-http"]);
        assert!(
            refused.code != 0 && refused.stderr.contains("must be https"),
            "{refused:?}"
        );
    }
    let added = add("home", &token, &["--allow-private-http"]).success();
    assert!(added.stderr.contains("Warning: With http"), "{added:?}");
    let off = profile.tokenry(&["provider", "edit", "home", "--set", "allow_private_http=false"]);
    assert!(
        off.code != 0 && off.stderr.contains("allow_private_http"),
        "{off:?}"
    );
}
