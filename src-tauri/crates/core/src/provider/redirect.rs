//! The redirect URIs of a provider: what is sent, and what has to be registered there.

use super::Provider;
use super::problems::{Add, Problems};
use crate::address::is_loopback;
use std::collections::BTreeSet;
use tokenry_contract::{DeepLinkForm, GrantType, Redirect, profile::APP_ID};
use url::Url;

/// More ports are of no use.
const MAX_PORTS: usize = 8;
/// Ports below are the system's.
const FIRST_PORT: u16 = 1024;
const MAX_PATH_BYTES: usize = 256;

/// The paths of the loopback listener that are its own.
const OWN_PATHS: [&str; 2] = ["/begin", "/done"];

impl Provider {
    /// The path of its loopback redirect and its deep link. One of its own for each provider (RFC 8252 §8.10).
    pub fn redirect_path(&self) -> String {
        let own = self.settings.redirect_path.clone();
        own.unwrap_or_else(|| format!("/cb/{}", self.name))
    }

    /// Its loopback redirect URI at this port (RFC 8252 §7.3); without one, as it is registered where any port is taken.
    pub fn loopback_uri(&self, port: Option<u16>) -> String {
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let host = self.settings.loopback_host.as_str();
        format!("http://{host}{port}{}", self.redirect_path())
    }

    /// Its deep link (RFC 8252 §7.1).
    pub fn deep_link_uri(&self) -> String {
        let slash = match self.settings.deep_link_form {
            DeepLinkForm::SingleSlash => "",
            DeepLinkForm::DoubleSlash => "/",
        };
        format!("{APP_ID}:{slash}{}", self.redirect_path())
    }

    /// The ports of its loopback redirect; none where any will do.
    pub fn loopback_ports(&self) -> &[u16] {
        match self.settings.loopback_any_port {
            true => &[],
            false => &self.settings.loopback_ports,
        }
    }

    /// Whether ports have to be chosen for it.
    pub fn lacks_loopback_ports(&self) -> bool {
        let settings = &self.settings;
        let has_browser =
            settings.grant_type == GrantType::AuthorizationCode && settings.authorization_endpoint.is_some();
        has_browser && !settings.loopback_any_port && settings.loopback_ports.is_empty()
    }

    /// The redirect URIs to register at the provider, exactly as they are sent: the first is used, and the others when
    /// its port is taken.
    pub fn redirect_uris(&self) -> Vec<String> {
        let settings = &self.settings;
        if settings.grant_type != GrantType::AuthorizationCode || settings.authorization_endpoint.is_none() {
            return Vec::new();
        }
        let loopback = || match self.loopback_ports() {
            [] => vec![self.loopback_uri(None)],
            ports => ports.iter().map(|port| self.loopback_uri(Some(*port))).collect(),
        };
        match (settings.redirect, &settings.redirect_uri) {
            (Redirect::Loopback, _) => loopback(),
            (Redirect::DeepLink, _) => vec![self.deep_link_uri()],
            (Redirect::Paste, Some(own)) => vec![own.clone()],
            // Nothing listens there, so that the first will always do.
            (Redirect::Paste, None) => loopback().into_iter().take(1).collect(),
        }
    }

    /// A redirect URI that this provider and another one at another server would share: then the response of one could
    /// be taken for that of the other (OAuth 2.1 §7.15.2, checklist A2.4). Where any port does, each has another one.
    pub fn shared_redirect_uri(&self, other: &Self) -> Option<String> {
        let server = |provider: &Self| provider.authorization_endpoint().map(|url| url.origin());
        let takes_any_port = self.settings.redirect == Redirect::Loopback && self.settings.loopback_any_port;
        if self.id == other.id || server(self) == server(other) || takes_any_port {
            return None;
        }
        let others: BTreeSet<_> = other.redirect_uris().into_iter().collect();
        self.redirect_uris().into_iter().find(|uri| others.contains(uri))
    }

    pub(super) fn check_redirect(&self, problems: &mut Problems) {
        let settings = &self.settings;
        let ports = &settings.loopback_ports;
        if let Some(low) = ports.iter().find(|port| **port < FIRST_PORT) {
            problems.add(
                "loopback_ports",
                format!("must not have {low}: the ports below {FIRST_PORT} are the system's"),
            );
        } else if ports.len() > MAX_PORTS || ports.iter().collect::<BTreeSet<_>>().len() != ports.len() {
            problems.add(
                "loopback_ports",
                format!("must be at most {MAX_PORTS} different ports"),
            );
        }
        problems.add_some(
            "redirect_path",
            settings.redirect_path.as_deref().and_then(path_problem),
        );
        problems.add_some(
            "redirect_uri",
            settings.redirect_uri.as_deref().and_then(uri_problem),
        );
    }
}

/// Whether this is a path of which no server and no browser makes another one: `/a/b`, of letters, digits, `-`, `.`, `_`
/// and `~` (RFC 3986 §2.3).
pub fn is_plain_path(path: &str) -> bool {
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    path == "/" || rest.split('/').all(is_plain)
}

fn path_problem(path: &str) -> Option<String> {
    if path.len() > MAX_PATH_BYTES || !is_plain_path(path) {
        return Some(
            "must be a path like /callback: letters, digits, - . _ and ~ between slashes, at most 256 characters"
                .to_owned(),
        );
    }
    let mut own = OWN_PATHS.into_iter();
    let taken = own.find(|own| path == *own || path.starts_with(&format!("{own}/")))?;
    Some(format!(
        "cannot begin with {taken}, which the listener itself needs"
    ))
}

fn uri_problem(text: &str) -> Option<String> {
    let example = "must be a whole address like https://example.com/callback";
    let Ok(url) = Url::parse(text) else {
        return Some(example.to_owned());
    };
    // A provider compares it as it stands, and a browser shows it as the URL standard writes it. Only the slash after a
    // host may be missing.
    if url.as_str() != text && url.as_str() != format!("{text}/") {
        return Some(format!(
            "must be written as a browser writes it: {}",
            crate::clean(url.as_str())
        ));
    }
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Some("must be https, or http on this machine".to_owned());
    }
    let is_bare = url.query().is_none() && url.fragment().is_none();
    let is_open = url.username().is_empty() && url.password().is_none();
    (!is_bare || !is_open).then(|| format!("{example}, without a user name, a query and a fragment"))
}
