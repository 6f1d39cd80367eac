//! A provider whose certificate is of a private CA, with and without the setting `ca_file`.

use crate::authority::Authority;
use crate::server::{flow, http, provider, secret};
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use tokenry_core::{Captured, Narrowing, OsRandom, Provider, Registration, Scopes, Timestamp};
use tokenry_oauth::discovery::{self, Cache, Query};
use tokenry_oauth::registration::{self, Wish};
use tokenry_oauth::revocation::{Hint, revoke};
use tokenry_oauth::{
    Failure, Http, Network, authorization_code, client_credentials, introspection, par, probe, refresh,
    token_exchange, userinfo,
};
use url::Url;

type Outcome<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>>;
type Request = for<'a> fn(&'a Http, &'a Provider, &'a Url) -> Outcome<'a>;

/// Every kind of request to a provider.
const REQUESTS: [(&str, Request); 11] = [
    ("code", |http, provider, url| {
        Box::pin(async move {
            let flow = flow(provider, url);
            let (code, captured) = (secret("c"), Captured::new());
            let answer = authorization_code::exchange(http, provider, &flow, &code, &captured);
            answer.await.map(drop)
        })
    }),
    ("refresh", |http, provider, _| {
        Box::pin(async move { refresh::refresh(http, provider, &secret("r")).await.map(drop) })
    }),
    ("client credentials", |http, provider, _| {
        Box::pin(async move {
            let scopes = Scopes::default();
            client_credentials::fetch(http, provider, &scopes).await.map(drop)
        })
    }),
    ("token exchange", |http, provider, _| {
        Box::pin(async move {
            let to = Narrowing::default();
            let token = secret("a");
            token_exchange::narrowed(http, provider, &token, &to)
                .await
                .map(drop)
        })
    }),
    ("revocation", |http, provider, _| {
        Box::pin(async move {
            let token = secret("r");
            revoke(http, provider, &token, Hint::RefreshToken).await.map(drop)
        })
    }),
    ("userinfo", |http, provider, _| {
        Box::pin(async move { userinfo::fetch(http, provider, &secret("a")).await.map(drop) })
    }),
    ("introspection", |http, provider, _| {
        Box::pin(async move { introspection::fetch(http, provider, &secret("a")).await.map(drop) })
    }),
    ("pushed request", |http, provider, _| {
        Box::pin(async move {
            let uri = "http://127.0.0.1:1/cb/example";
            let scopes = Scopes::default();
            let started = authorization_code::begin(provider, uri, &scopes, &[], &OsRandom).unwrap();
            par::push(http, provider, &started).await.map(drop)
        })
    }),
    ("probe", |http, provider, url| {
        Box::pin(async move { probe::get(http, provider, url).await.map(drop) })
    }),
    ("registration", |http, provider, url| {
        Box::pin(async move {
            let wish = Wish {
                redirect_uris: vec!["http://127.0.0.1:1/cb/example".to_owned()],
                auth_method: tokenry_core::TokenEndpointAuthMethod::None,
                grant_types: vec!["authorization_code".to_owned()],
                scopes: Scopes::default(),
                as_app: false,
                initial_access_token: None,
            };
            let problem = registration::register(http, url, provider, &wish).await;
            match problem.unwrap_err() {
                registration::Problem::Failure(failure) => Err(failure),
                registration::Problem::RedirectUri(failure) => panic!("{failure:?}"),
            }
        })
    }),
    ("deletion of a registration", |http, provider, url| {
        Box::pin(async move {
            let registration = Registration {
                issuer: "https://as.example".to_owned(),
                client_id: "c".to_owned(),
                client_secret_expires_at: None,
                uri: Some(url.to_string()),
                access_token: Some(secret("t")),
            };
            registration::delete(http, provider, &registration)
                .await
                .map(drop)
        })
    }),
];

fn at(authority: &Authority, ca_file: Option<&Path>) -> (Provider, Url) {
    let url: Url = format!("https://localhost:{}/token", authority.port)
        .parse()
        .unwrap();
    let mut provider = provider(&url);
    let settings = &mut provider.settings;
    settings.issuer = Some("https://as.example".to_owned());
    settings.introspection_endpoint = Some(url.to_string());
    settings.registration_endpoint = Some(url.to_string());
    settings.pushed_authorization_request_endpoint = Some(url.to_string());
    settings.ca_file = ca_file.map(|path| path.to_str().unwrap().to_owned());
    (provider, url)
}

fn not_sent(failure: &Failure) -> Option<&str> {
    match failure {
        Failure::NotSent { message } => Some(message),
        _ => None,
    }
}

#[tokio::test]
async fn every_request_to_a_provider_trusts_its_ca_file_and_no_other() {
    let (authority, other) = (Authority::start().await, Authority::start().await);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, &authority.pem).unwrap();
    let http = http();
    let (with, url) = at(&authority, Some(&path));
    let (without, _) = at(&authority, None);
    let (elsewhere, elsewhere_url) = at(&other, Some(&path));
    for (name, request) in REQUESTS {
        // The server answers everything with a token, which not every request takes.
        if let Err(failure) = request(&http, &with, &url).await {
            assert_eq!(not_sent(&failure), None, "{name}");
        }
        let failure = request(&http, &without, &url).await.unwrap_err();
        let told = not_sent(&failure).unwrap();
        assert!(
            told.contains("could not prove") && told.contains("ca_file"),
            "{name}: {told}"
        );
        let failure = request(&http, &elsewhere, &elsewhere_url).await.unwrap_err();
        let told = not_sent(&failure).unwrap();
        let file = path.to_str().unwrap();
        assert!(
            told.contains("could not prove") && told.contains(file),
            "{name}: {told}"
        );
    }
}

#[tokio::test]
async fn an_address_is_looked_up_with_the_ca_file() {
    let authority = Authority::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, &authority.pem).unwrap();
    for (ca_file, told) in [
        (None, "could not prove"),
        (Some(path.to_str().unwrap().to_owned()), "The metadata at"),
    ] {
        let query = Query {
            address: format!("https://localhost:{}", authority.port),
            network: Network {
                ca_file,
                allow_private_http: false,
            },
            ..Query::default()
        };
        let found = discovery::look_up(&http(), &Cache::default(), &query, Timestamp::UNIX_EPOCH).await;
        let Err(discovery::Problem::Failure(failure)) = found else {
            panic!("{found:?}")
        };
        assert!(failure.to_string().contains(told), "{failure}");
    }
}

/// What it says has to name the file, and to say what to do.
#[tokio::test]
async fn a_ca_file_that_is_gone_or_broken_stops_requests_until_it_is_right_again() {
    let authority = Authority::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let http = http();
    let (provider, _) = at(&authority, Some(&path));
    let mut broken = authority.pem.clone();
    broken.insert(60, '!');
    for (content, told) in [
        (None, Some("cannot be read")),
        (Some(authority.pem.as_str()), None),
        (Some(&broken), Some("holds a certificate")),
        (Some(""), Some("holds no certificate")),
        (Some(authority.pem.as_str()), None),
    ] {
        match content {
            Some(content) => std::fs::write(&path, content).unwrap(),
            None => assert!(!path.exists()),
        }
        match (refresh::refresh(&http, &provider, &secret("r")).await, told) {
            (Ok(_), None) => {}
            (Err(failure), Some(told)) => {
                let said = not_sent(&failure).unwrap();
                assert!(
                    said.contains(told) && said.contains(path.to_str().unwrap()),
                    "{said}"
                );
                assert!(
                    said.contains("nothing was sent") && said.contains("Correct"),
                    "{said}"
                );
            }
            other => panic!("{content:?}: {other:?}"),
        }
    }
}
