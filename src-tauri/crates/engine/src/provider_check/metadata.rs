//! Compares the settings of a provider with the metadata of its issuer (RFC 8414, OpenID Connect Discovery).

use super::settings::PKCE;
use crate::Engine;
use std::time::Duration;
use tokenry_core::{CheckedItem, Provider, clean};
use tokenry_oauth::{
    Network,
    discovery::{self, Found, Query},
};

const NAME: &str = "metadata";

/// How long all requests for metadata may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Looks the issuer up. `None` where the provider names none.
pub(super) async fn of_issuer(engine: &Engine, provider: &Provider) -> Option<Result<Found, CheckedItem>> {
    let query = Query {
        address: provider.settings.issuer.clone()?,
        network: Network::of(provider),
        ..Query::default()
    };
    let inner = &engine.inner;
    let look_up = discovery::look_up(&inner.http, inner.discoveries.cache(), &query, engine.now());
    Some(match tokio::time::timeout(TIMEOUT, look_up).await {
        Ok(Ok(found)) => Ok(found),
        // Many providers have an issuer and publish nothing.
        Ok(Err(_)) | Err(_) => Err(CheckedItem::not_checked(
            NAME,
            "The issuer publishes no metadata that can be read, so nothing was compared.",
        )),
    })
}

/// What differs between the settings and the metadata.
pub(super) fn judged(provider: &Provider, found: &Found) -> Vec<CheckedItem> {
    vec![addresses(provider, found), pkce(provider, found)]
}

fn addresses(provider: &Provider, found: &Found) -> CheckedItem {
    let theirs = found.settings.to_map();
    let ours = provider.endpoints();
    let differs = |(name, address): &(String, String)| {
        let published = theirs.get(name).and_then(|value| value.as_str());
        published
            .filter(|published| !same(published, address))
            .map(|published| (name.clone(), clean(published)))
    };
    let differences: Vec<_> = ours.iter().filter_map(differs).collect();
    if let Some((name, published)) = differences.first() {
        let more = match differences.len() {
            1 => String::new(),
            many => format!(" ({many} differ)"),
        };
        return CheckedItem::warning(
            NAME,
            format!("The issuer's metadata names another {name}: {published}{more}."),
            format!(
                "Compare {name} with the provider's documentation, and correct it if the metadata is right."
            ),
        );
    }
    let needs_pushing = found.settings.require_pushed_authorization_requests;
    if needs_pushing && provider.settings.pushed_authorization_request_endpoint.is_none() {
        return CheckedItem::problem(
            NAME,
            "The provider takes no sign-in without a pushed request (RFC 9126).",
            "Set pushed_authorization_request_endpoint from its metadata.",
        );
    }
    CheckedItem::ok(NAME, "The settings agree with the issuer's metadata.")
}

fn pkce(provider: &Provider, found: &Found) -> CheckedItem {
    match (provider.settings.use_pkce, found.offered.pkce) {
        (true, true) => CheckedItem::ok(PKCE, "The provider offers PKCE, and sign-ins use it."),
        (true, false) => CheckedItem::not_checked(
            PKCE,
            "Sign-ins use PKCE; the provider's metadata does not name it, which many leave out.",
        ),
        (false, true) => CheckedItem::warning(
            PKCE,
            "The provider offers PKCE, and it is off.",
            "Turn use_pkce on: a code that another program catches is useless then.",
        ),
        (false, false) => super::settings::pkce(provider),
    }
}

fn same(one: &str, other: &str) -> bool {
    let parsed = |text: &str| text.parse::<url::Url>().map(String::from);
    parsed(one).unwrap_or_else(|_| one.to_owned()) == parsed(other).unwrap_or_else(|_| other.to_owned())
}
