//! From an address to a provider: an issuer (RFC 8414, OpenID Connect Discovery) or a protected resource (RFC 9728).

mod address;
mod cache;
mod challenge;
mod fetch;
mod name;
mod resource;
mod server;

pub use cache::Cache;

use crate::outbound::{Network, Outbound};
use crate::{Failure, Http};
use fetch::Fetch;
use tokenry_core::{
    DiscoveredKind, Offered, ProviderSettings, RegistrationMethod, Timestamp, TokenEndpointAuthMethod,
};
use url::Url;

/// What was typed, and what is accepted.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// An issuer, a protected resource, a host name, or the address of a metadata document.
    pub address: String,
    /// Which of the resource's authorization servers; else the first.
    pub authorization_server: Option<String>,
    /// Whether the address may be http in the user's own network, and which CAs are trusted.
    pub network: Network,
    /// Whether a resource may describe itself by an address that is a parent of the given one (RFC 9728 §3.3 says no).
    pub accept_parent_resource: bool,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// What the address belongs to.
    pub kind: DiscoveredKind,
    /// The address, as it was looked up.
    pub address: String,
    /// A name for the provider.
    pub name: String,
    /// The settings that it tells; the rest are the defaults.
    pub settings: ProviderSettings,
    /// The authorization servers that the resource names.
    pub authorization_servers: Vec<String>,
    /// What the server offers.
    pub offered: Offered,
    /// How Tokenry can register itself there.
    pub registration: Option<RegistrationMethod>,
    /// Whether that is Mastodon's registration of apps (`POST /api/v1/apps`).
    pub registers_apps: bool,
    /// What it takes for client authentication.
    pub auth_methods: Vec<TokenEndpointAuthMethod>,
    /// The grant types that it names; empty where it names none.
    pub grant_types: Vec<String>,
    /// The address that was typed.
    pub typed: Url,
    /// What to know before it is kept.
    pub warnings: Vec<String>,
}

/// Why nothing was found that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The address is none that can be looked up: how it has to be.
    Address(String),
    /// The choice of an authorization server is wrong.
    AuthorizationServer(String),
    /// The server could not be asked, or what it says is not accepted.
    Failure(Failure),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// What a server says is not accepted.
fn unusable<T>(message: String) -> Result<T, Problem> {
    Err(Problem::Failure(Failure::Unusable { message }))
}

/// Looks an address up. Every request is without credentials, goes where the rules of `outbound` allow, and is
/// not redirected. Nothing is kept but, in `cache`, documents with an ETag.
///
/// # Errors
/// See [`Problem`].
pub async fn look_up(http: &Http, cache: &Cache, query: &Query, now: Timestamp) -> Result<Found, Problem> {
    let target = address::read(&query.address, &query.network)?;
    let fetch = Fetch {
        http,
        cache,
        outbound: Outbound::new(&target.url, query.network.clone()),
        now,
    };
    let mut found = match &target.kind {
        address::Kind::IssuerDocument { issuer } => server::of_document(&fetch, &target.url, issuer).await?,
        address::Kind::ResourceDocument { resource } => {
            resource::of_document(&fetch, &target.url, resource, query).await?
        }
        address::Kind::Unknown => of_address(&fetch, &target.url, query).await?,
    };
    found.typed = target.url.clone();
    let settings = &mut found.settings;
    settings.allow_private_http = query.network.allow_private_http && target.url.scheme() == "http";
    settings.ca_file.clone_from(&query.network.ca_file);
    if target.url.scheme() == "http" {
        found
            .warnings
            .push("Nothing that is sent to it is encrypted (http).".to_owned());
    }
    Ok(found)
}

/// One request without credentials (two, where the first finds nothing) tells what an address belongs to: a resource answers with a challenge
/// (RFC 9728 §5.1). Anything else is an issuer first, since a resource would have asked for a token.
async fn of_address(fetch: &Fetch<'_>, url: &url::Url, query: &Query) -> Result<Found, Problem> {
    let response = fetch.probe(url).await?;
    let challenge = challenge::of(&response.challenges);
    if let Some(metadata) = &challenge.resource_metadata {
        return resource::of_challenge(fetch, url, metadata, &challenge, query).await;
    }
    if response.status == 401 {
        if let Some(found) = resource::well_known(fetch, url, &challenge, query).await? {
            return Ok(found);
        }
        return resource::without_metadata(fetch, url, &challenge).await;
    }
    if let Some(issuer) = server::issuer_of(&response) {
        // A document at an address of its own: its issuer has to say the same at the address that belongs to it.
        let issuer = fetch
            .outbound
            .read(&issuer)
            .map_err(|wrong| Problem::Address(format!("names an issuer that {wrong}")))?;
        if let Some(found) =
            server::well_known(fetch, &issuer, &server::Expected::exactly(issuer.as_str())).await?
        {
            return Ok(found);
        }
    }
    let expected = server::Expected::typed(url);
    if let Some(found) = server::well_known(fetch, url, &expected).await? {
        return Ok(found);
    }
    if let Some(found) = resource::well_known(fetch, url, &challenge, query).await? {
        return Ok(found);
    }
    unusable(format!(
        "{} has no metadata at its well-known addresses, neither of an issuer (RFC 8414, OpenID Connect) nor of a \
         protected resource (RFC 9728). Check the address, or add the provider with its endpoints.",
        tokenry_core::clean(url.as_str())
    ))
}
