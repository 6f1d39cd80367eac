//! The metadata of a protected resource (RFC 9728), such as an MCP server, and of its authorization server.

use super::challenge::Challenge;
use super::fetch::Fetch;
use super::server::{self, Expected, is_true, scopes, strings, text};
use super::{Found, Problem, Query, address, name, unusable};
use crate::json::Object;
use tokenry_core::{DiscoveredKind, clean};
use url::Url;

/// Looks up the metadata that a challenge names (RFC 9728 §5.1).
pub(super) async fn of_challenge(
    fetch: &Fetch<'_>,
    resource: &Url,
    metadata: &str,
    challenge: &Challenge,
    query: &Query,
) -> Result<Found, Problem> {
    let url = match fetch.outbound.read(metadata) {
        Ok(url) => url,
        Err(wrong) => {
            return unusable(format!(
                "{} names {} for its metadata, which {wrong}, so it was not asked.",
                clean(resource.as_str()),
                clean(metadata)
            ));
        }
    };
    let Some(object) = fetch.object(&url).await? else {
        return unusable(format!(
            "{} names {} for its metadata, and there is none.",
            clean(resource.as_str()),
            clean(url.as_str())
        ));
    };
    check(&object, &url, resource, query)?;
    describe(fetch, &object, resource, challenge, query).await
}

/// Looks up a document whose address was typed.
pub(super) async fn of_document(
    fetch: &Fetch<'_>,
    url: &Url,
    resource: &Url,
    query: &Query,
) -> Result<Found, Problem> {
    let Some(object) = fetch.object(url).await? else {
        return unusable(format!(
            "There is no metadata at {}. Check the address.",
            clean(url.as_str())
        ));
    };
    check(&object, url, resource, query)?;
    describe(fetch, &object, resource, &Challenge::default(), query).await
}

/// Looks a resource up at its well-known addresses. `None` where none has metadata.
pub(super) async fn well_known(
    fetch: &Fetch<'_>,
    resource: &Url,
    challenge: &Challenge,
    query: &Query,
) -> Result<Option<Found>, Problem> {
    let mut other = None;
    for url in address::of_resource(resource) {
        let Some(object) = fetch.object(&url).await? else {
            continue;
        };
        match check(&object, &url, resource, query) {
            Ok(()) => {
                return describe(fetch, &object, resource, challenge, query)
                    .await
                    .map(Some);
            }
            Err(problem) => other = other.or(Some(problem)),
        }
    }
    match other {
        Some(problem) => Err(problem),
        None => Ok(None),
    }
}

/// A resource that asks for a token and has no metadata: before RFC 9728 MCP servers had their own authorization server
/// at the root of their host.
pub(super) async fn without_metadata(
    fetch: &Fetch<'_>,
    resource: &Url,
    challenge: &Challenge,
) -> Result<Found, Problem> {
    let mut root = resource.clone();
    root.set_path("/");
    root.set_query(None);
    let Some(found) = server::well_known(fetch, &root, &Expected::typed(&root)).await? else {
        return unusable(format!(
            "{} asks for a token and does not say where to get one (RFC 9728). Add the provider with its issuer or its \
             endpoints.",
            clean(resource.as_str())
        ));
    };
    // An identifier has no slash that says nothing (checklist A1.13).
    let identifier = match resource.path() {
        "/" => resource.as_str().trim_end_matches('/'),
        _ => resource.as_str(),
    };
    let mut found = for_resource(found, resource, identifier, challenge.scopes.clone())?;
    found.warnings.push(
        "It does not say which authorization server it trusts; this is the one at its own host.".to_owned(),
    );
    Ok(found)
}

/// Checklist A6.5: the metadata of another resource is not used.
fn check(object: &Object, url: &Url, resource: &Url, query: &Query) -> Result<(), Problem> {
    let Some(found) = text(object, "resource") else {
        return unusable(format!(
            "The metadata at {} does not say which resource it describes (RFC 9728, 2), so it is not used.",
            clean(url.as_str())
        ));
    };
    let is_same = found.parse::<Url>().is_ok_and(|found| found == *resource);
    if is_same || (query.accept_parent_resource && is_parent(&found, resource)) {
        return Ok(());
    }
    let next = match is_parent(&found, resource) {
        true => {
            "It covers the address you gave: accept it with --parent-resource, if it is the one you mean."
        }
        false => "Add that address instead, if it is the one you mean.",
    };
    unusable(format!(
        "The metadata at {} describes another resource, {}, so it is not used (RFC 9728, 3.3). {next}",
        clean(url.as_str()),
        clean(&found)
    ))
}

/// Whether an address is on the same host and covers the other one.
fn is_parent(parent: &str, resource: &Url) -> bool {
    let Ok(parent) = parent.parse::<Url>() else {
        return false;
    };
    let path = parent.path().trim_end_matches('/');
    let rest = resource.path().strip_prefix(path);
    parent.origin() == resource.origin()
        && parent.query().is_none()
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

async fn describe(
    fetch: &Fetch<'_>,
    object: &Object,
    resource: &Url,
    challenge: &Challenge,
    query: &Query,
) -> Result<Found, Problem> {
    let servers = strings(object, "authorization_servers");
    let issuer = choose(&servers, resource, query)?;
    let url = match fetch.outbound.read(&issuer) {
        Ok(url) => url,
        Err(wrong) => {
            return unusable(format!(
                "The authorization server {} that {} names {wrong}, so it was not asked.",
                clean(&issuer),
                clean(resource.as_str())
            ));
        }
    };
    let Some(found) = server::well_known(fetch, &url, &Expected::exactly(&issuer)).await? else {
        return unusable(format!(
            "The authorization server {} that {} names has no metadata (RFC 8414).",
            clean(&issuer),
            clean(resource.as_str())
        ));
    };
    // The scopes of the challenge say what this request needs; without them, what there is.
    let wanted = match challenge.scopes.is_empty() {
        true => scopes(object, "scopes_supported"),
        false => challenge.scopes.clone(),
    };
    let identifier = text(object, "resource").unwrap_or_default();
    let mut found = for_resource(found, resource, &identifier, wanted)?;
    found.settings.dpop = is_true(object, "dpop_bound_access_tokens_required") && found.offered.dpop;
    let documentation = text(object, "resource_documentation");
    let page = documentation.and_then(|text| tokenry_core::read_address(&text).ok());
    if let Some(page) = page.filter(|page| page.scheme() == "https") {
        found.settings.docs_url = Some(page.to_string());
    }
    if let Some(title) = text(object, "resource_name") {
        found.settings.display_name = clean(&title).chars().take(100).collect();
    }
    if is_true(object, "tls_client_certificate_bound_access_tokens") {
        found
            .warnings
            .push("It wants tokens that are bound to a TLS certificate, which Tokenry cannot do.".to_owned());
    }
    if identifier.parse::<Url>().is_ok_and(|url| url != *resource) {
        found
            .warnings
            .push(format!("Tokens are for all of {}.", clean(&identifier)));
    }
    if servers.len() > 1 && query.authorization_server.is_none() {
        let others: Vec<_> = servers.iter().skip(1).map(|server| clean(server)).collect();
        found.warnings.push(format!(
            "It names further authorization servers: {}. Choose one with --authorization-server.",
            others.join(", ")
        ));
    }
    found.authorization_servers = servers;
    Ok(found)
}

fn choose(servers: &[String], resource: &Url, query: &Query) -> Result<String, Problem> {
    match (&query.authorization_server, servers.first()) {
        (_, None) => unusable(format!(
            "The metadata of {} names no authorization server (RFC 9728, 2). Add the provider with its issuer.",
            clean(resource.as_str())
        )),
        (Some(wanted), _) if !servers.contains(wanted) => Err(Problem::AuthorizationServer(format!(
            "is none of those that the resource names: {}",
            servers
                .iter()
                .map(|server| clean(server))
                .collect::<Vec<_>>()
                .join(", ")
        ))),
        (Some(wanted), _) => Ok(wanted.clone()),
        (None, Some(first)) => Ok(first.clone()),
    }
}

/// The authorization server, set up for tokens for this resource.
fn for_resource(
    mut found: Found,
    resource: &Url,
    identifier: &str,
    scopes: Vec<String>,
) -> Result<Found, Problem> {
    // Checklist A1.4.
    if !found.offered.pkce {
        return unusable(format!(
            "The authorization server {} does not say that it supports PKCE with S256, which every server of a resource \
             that is found by its address has to (MCP, Security Considerations). It is not used.",
            clean(found.settings.issuer.as_deref().unwrap_or_default())
        ));
    }
    let server = found.address.parse::<Url>().ok();
    if server.is_some_and(|server| name::owner(&server) != name::owner(resource)) {
        found.warnings.insert(
            0,
            format!(
                "You sign in at {}, which is on another domain.",
                clean(found.settings.issuer.as_deref().unwrap_or_default())
            ),
        );
    }
    found.kind = DiscoveredKind::ProtectedResource;
    found.address = resource.to_string();
    found.name = name::suggestion(resource);
    found.settings.resource = Some(identifier.to_owned());
    found.settings.default_scopes = scopes;
    Ok(found)
}
