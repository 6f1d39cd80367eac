//! Values that a sign-in brings and that addresses and parameters are filled in with.
//!
//! What must never be true: that a value which a browser or a server sent decides the host that a secret goes to, unless
//! that host is named in `captured_hosts`; or that it adds anything but one segment to a path or a query.

use super::Provider;
use crate::address::{is_loopback, read_address};
use crate::{Secret, clean};
use std::collections::{BTreeMap, BTreeSet};
use tokenry_contract::ProviderSettings;
use url::Url;

/// The values of a sign-in, by the names that `captures` gives them.
pub type Captured = BTreeMap<String, Secret>;

/// The longest value that is kept, in bytes.
pub const MAX_CAPTURED_BYTES: usize = 1024;

/// The longest value that goes into an address, in bytes.
const MAX_SEGMENT_BYTES: usize = 256;

/// Stands for the client id in an address.
const CLIENT_ID: &str = "client_id";

/// Where a value is kept from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureSource<'a> {
    /// This parameter of the redirect.
    Callback(&'a str),
    /// This path in the token response.
    TokenResponse(&'a str),
}

impl<'a> CaptureSource<'a> {
    /// Reads `callback.NAME` or `token_response.PATH`.
    pub fn of(text: &'a str) -> Option<Self> {
        let (kind, name) = text.split_once('.')?;
        match kind {
            _ if name.is_empty() => None,
            "callback" => Some(Self::Callback(name)),
            "token_response" => Some(Self::TokenResponse(name)),
            _ => None,
        }
    }
}

/// Why an address cannot be filled in. None of these shows a value that is not a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// The sign-in did not bring the value.
    #[error(
        "The provider did not send the value {{{0}}}, which a request needs, so nothing was sent. Check the captures in the provider's settings."
    )]
    Missing(String),
    /// The value would change the address beyond its place.
    #[error(
        "The provider sent a value for {{{0}}} that does not fit into an address, so nothing was sent there."
    )]
    Unfit(String),
    /// The value names a host that the settings do not.
    #[error(
        "The provider sent the host {host} for {{{name}}}, which is not among its captured_hosts, so nothing was sent there. Add the host only if it is the provider's."
    )]
    UnknownHost {
        /// The name of the value.
        name: String,
        /// The host, cleaned.
        host: String,
    },
}

/// A part of a text: as it is, or the name of a value.
enum Part<'a> {
    Text(&'a str),
    Value(&'a str),
}

/// The names between braces. Braces around anything else stand for themselves.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut start, mut from) = (0, 0);
    while let Some(open) = text
        .get(from..)
        .and_then(|rest| rest.find('{'))
        .map(|at| at + from)
    {
        from = open + 1;
        let Some(close) = text
            .get(from..)
            .and_then(|rest| rest.find('}'))
            .map(|at| at + from)
        else {
            break;
        };
        let name = text.get(from..close).unwrap_or_default();
        if is_capture_name(name) {
            parts.push(Part::Text(text.get(start..open).unwrap_or_default()));
            parts.push(Part::Value(name));
            (start, from) = (close + 1, close + 1);
        }
    }
    parts.push(Part::Text(text.get(start..).unwrap_or_default()));
    parts
}

/// The names of the values in a text.
pub fn placeholders(text: &str) -> BTreeSet<&str> {
    let names = parts(text).into_iter().filter_map(|part| match part {
        Part::Value(name) => Some(name),
        Part::Text(_) => None,
    });
    names.collect()
}

/// Whether a value can have this name: a letter, then letters, digits and `_`.
pub(crate) fn is_capture_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.len() <= 64
}

/// A text with the values that are known; the names of the others stay.
pub fn fill_text(text: &str, values: &BTreeMap<&str, &str>) -> String {
    let filled = parts(text).into_iter().map(|part| match part {
        Part::Text(text) => text.to_owned(),
        Part::Value(name) => match values.get(name) {
            Some(value) => (*value).to_owned(),
            None => format!("{{{name}}}"),
        },
    });
    filled.collect()
}

/// An address with all its values. A value at its start is a whole origin; one before the path is a part of the host;
/// one behind it is a segment.
///
/// # Errors
/// [`CaptureError`].
pub fn fill_address(
    template: &str,
    captured: &Captured,
    client_id: &str,
    hosts: &[String],
) -> Result<Url, CaptureError> {
    let mut text = String::with_capacity(template.len());
    let (mut of_host, mut missing) = (None, None);
    for part in parts(template) {
        let name = match part {
            Part::Text(part) => {
                text.push_str(part);
                continue;
            }
            Part::Value(name) => name,
        };
        let value = match captured.get(name) {
            Some(value) => value.expose(),
            None if name == CLIENT_ID => client_id,
            None if is_before_path(&text) => return Err(CaptureError::Missing(name.to_owned())),
            // What is known of the host is judged all the same.
            None => {
                missing.get_or_insert(name);
                text.push('x');
                continue;
            }
        };
        let unfit = || CaptureError::Unfit(name.to_owned());
        if text.is_empty() {
            text = origin(value).ok_or_else(unfit)?;
            of_host = Some(name);
        } else if is_before_path(&text) {
            text.push_str(
                Some(value)
                    .filter(|value| is_host_part(value))
                    .ok_or_else(unfit)?,
            );
            of_host = Some(name);
        } else {
            text.push_str(Some(value).filter(|value| is_segment(value)).ok_or_else(unfit)?);
        }
    }
    let unfit = || CaptureError::Unfit(of_host.unwrap_or("value").to_owned());
    let url = read_address(&text).map_err(|_| unfit())?;
    if let Some(name) = of_host
        && !is_among(&url, hosts)
    {
        return Err(CaptureError::UnknownHost {
            name: name.to_owned(),
            host: clean(url.host_str().unwrap_or_default()),
        });
    }
    match missing {
        Some(name) => Err(CaptureError::Missing(name.to_owned())),
        None => Ok(url),
    }
}

/// Where a value stands in an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Origin,
    Host,
    Segment,
}

/// Where each value of an address stands.
pub(crate) fn places(template: &str) -> BTreeMap<&str, Place> {
    let mut before = String::new();
    let mut places = BTreeMap::new();
    for part in parts(template) {
        match part {
            Part::Text(text) => before.push_str(text),
            Part::Value(name) => {
                let place = if before.is_empty() {
                    Place::Origin
                } else if is_before_path(&before) {
                    Place::Host
                } else {
                    Place::Segment
                };
                places.insert(name, place);
                before.push_str(if place == Place::Origin { "https://x" } else { "x" });
            }
        }
    }
    places
}

/// Whether what stands here is still a part of the host: there is no slash after `https://` yet.
fn is_before_path(text: &str) -> bool {
    let rest = text.find("://").and_then(|at| text.get(at + 3..)).unwrap_or(text);
    !rest.contains(['/', '?', '#'])
}

/// `https://host` with nothing behind it; http and a port only on this machine.
fn origin(value: &str) -> Option<String> {
    let url = read_address(value).ok()?;
    let is_here = is_loopback(&url);
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && matches!(url.path(), "" | "/");
    let origin = url.origin().ascii_serialization();
    // Written as a browser would write it: nothing in it means something else to another reader.
    let is_plain = value.strip_suffix('/').unwrap_or(value) == origin;
    (scheme && is_bare && is_plain && (url.port().is_none() || is_here)).then_some(origin)
}

fn is_host_part(value: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    !value.is_empty()
        && value.len() <= 253
        && value.bytes().all(is_plain)
        && !value.starts_with(['.', '-'])
        && !value.ends_with(['.', '-'])
        && !value.contains("..")
}

/// One segment that needs no encoding, and is none that leads elsewhere.
fn is_segment(value: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    !value.is_empty()
        && value.len() <= MAX_SEGMENT_BYTES
        && value.bytes().all(is_plain)
        && !matches!(value, "." | "..")
}

/// Whether an address is at one of these hosts: an exact one, or one below `*.example.com`.
fn is_among(url: &Url, hosts: &[String]) -> bool {
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let is_usual = url.port().is_none() || is_loopback(url);
    let fits = |allowed: &String| {
        let allowed = allowed.to_ascii_lowercase();
        match allowed.strip_prefix('*') {
            Some(suffix) => suffix.starts_with('.') && host.len() > suffix.len() && host.ends_with(suffix),
            None => host == allowed,
        }
    };
    is_usual && hosts.iter().any(fits)
}

/// The settings that are addresses to which a sign-in may bring a part.
type Address = fn(&mut ProviderSettings) -> Option<&mut String>;

/// From the name of each setting to where it is.
pub(crate) const ADDRESSES: [(&str, Address); 6] = [
    ("token_endpoint", |settings| settings.token_endpoint.as_mut()),
    ("refresh_endpoint", |settings| settings.refresh_endpoint.as_mut()),
    ("revocation_endpoint", |settings| {
        settings.revocation_endpoint.as_mut()
    }),
    ("userinfo_endpoint", |settings| {
        settings.userinfo_endpoint.as_mut()
    }),
    ("introspection_endpoint", |settings| {
        settings.introspection_endpoint.as_mut()
    }),
    ("exchange_step", |settings| {
        settings.exchange_step.as_mut().map(|step| &mut step.endpoint)
    }),
];

impl Provider {
    /// Where each value of a sign-in is kept from, by its name.
    pub fn capture_sources(&self) -> impl Iterator<Item = (&str, CaptureSource<'_>)> {
        let captures = self.settings.captures.iter();
        captures.filter_map(|(name, source)| Some((name.as_str(), CaptureSource::of(source)?)))
    }

    /// The provider with the values of a sign-in in its addresses and parameters. An address or a parameter whose value is
    /// not known yet keeps its placeholder, and is used for nothing.
    ///
    /// # Errors
    /// [`CaptureError`], where a value does not fit or names a host that the settings do not.
    pub fn filled_in(mut self, captured: &Captured) -> Result<Self, CaptureError> {
        let (client_id, hosts) = (
            self.settings.client_id.clone(),
            self.settings.captured_hosts.clone(),
        );
        for (_, address) in ADDRESSES {
            let Some(address) = address(&mut self.settings).filter(|text| text.contains('{')) else {
                continue;
            };
            match fill_address(address, captured, &client_id, &hosts) {
                Ok(url) => *address = url.into(),
                Err(CaptureError::Missing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let values: BTreeMap<_, _> = captured
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()))
            .collect();
        let settings = &mut self.settings;
        let step = settings.exchange_step.as_mut().map(|step| &mut step.params);
        let maps = [
            &mut settings.token_params,
            &mut settings.refresh_params,
            &mut settings.revocation_params,
        ];
        for value in maps.into_iter().chain(step).flat_map(BTreeMap::values_mut) {
            *value = fill_text(value, &values);
        }
        Ok(self)
    }

    /// The values at hand, with the new ones that fit where they are used. One that does not fit changes nothing.
    pub fn fitting(&self, at_hand: &Captured, new: Captured) -> Captured {
        let mut kept = at_hand.clone();
        for (name, value) in new {
            let mut with = kept.clone();
            with.insert(name, value);
            if self.clone().filled_in(&with).is_ok() {
                kept = with;
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests;
