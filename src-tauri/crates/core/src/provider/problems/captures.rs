//! What is wrong with the values that a sign-in is to bring, and with where they are used.

use super::{Add, Problems, requests};
use crate::address::{is_loopback, read_address};
use crate::provider::captures::{ADDRESSES, Place, is_capture_name, places};
use crate::provider::{CaptureSource, Captured, Provider, fill_address, placeholders};
use crate::{Secret, clean};
use url::{Host, Url};

const MAX_CAPTURES: usize = 16;
const MAX_HOSTS: usize = 32;

/// The names that stand for something else in an address or a parameter.
const TAKEN: [&str; 5] = [
    "access_token",
    "client_id",
    "client_secret",
    "refresh_token",
    "token",
];

impl Provider {
    pub(super) fn check_captures(&self, problems: &mut Problems) {
        let settings = &self.settings;
        if settings.captures.len() > MAX_CAPTURES {
            problems.add("captures", format!("must be at most {MAX_CAPTURES}"));
        }
        for (name, source) in &settings.captures {
            let wrong = match CaptureSource::of(source) {
                _ if !is_capture_name(name) => Some("must have a name of letters, digits and _"),
                _ if TAKEN.contains(&name.as_str()) => {
                    Some("must not have the name of a token or of the client")
                }
                Some(CaptureSource::Callback(parameter)) if requests::is_parameter(parameter) => None,
                Some(CaptureSource::TokenResponse(path)) if requests::is_path(path) => None,
                _ => Some("must come from callback.NAME or token_response.PATH"),
            };
            problems.add_some("captures", wrong.map(|wrong| format!("{}: {wrong}", clean(name))));
        }
        if settings.captured_hosts.len() > MAX_HOSTS {
            problems.add("captured_hosts", format!("must be at most {MAX_HOSTS}"));
        }
        if let Some(bad) = settings.captured_hosts.iter().find(|host| !is_host(host)) {
            let wrong = format!("{:?} is not a host like example.com or *.example.com", clean(bad));
            problems.add("captured_hosts", wrong);
        }
        for (field, params) in [
            ("token_params", &settings.token_params),
            ("refresh_params", &settings.refresh_params),
            ("revocation_params", &settings.revocation_params),
        ] {
            let is_known = |name: &&str| {
                settings.captures.contains_key(*name)
                    || (field == "revocation_params" && TAKEN.contains(name))
            };
            let unknown = params.values().flat_map(|value| placeholders(value));
            let unknown = { unknown }.find(|name| !is_known(name));
            problems.add_some(field, unknown.map(undeclared));
        }
        if let Some(step) = &settings.exchange_step {
            let is_known = |name: &&str| {
                settings.captures.contains_key(*name)
                    || matches!(*name, "access_token" | "client_id" | "client_secret")
            };
            let unknown = step.params.values().flat_map(|value| placeholders(value));
            let unknown = { unknown }.find(|name| !is_known(name));
            problems.add_some("exchange_step", unknown.map(undeclared));
        }
    }

    /// An endpoint with an example for each value of a sign-in, so that it can be judged like any other.
    ///
    /// # Errors
    /// What is wrong with it, for the user.
    pub(super) fn example_address(&self, field: &str, text: &str) -> Result<Url, String> {
        let names = placeholders(text);
        let takes_values = ADDRESSES.iter().any(|(name, _)| *name == field);
        match names.iter().next() {
            None => return read_address(text),
            // The URL parser takes braces for a part of a host.
            Some(name) if !takes_values => return Err(undeclared(name)),
            Some(_) => {}
        }
        if let Some(unknown) = names
            .iter()
            .find(|name| **name != "client_id" && !self.settings.captures.contains_key(**name))
        {
            return Err(undeclared(unknown));
        }
        let hosts = &self.settings.captured_hosts;
        let places = places(text);
        let reaches_host = places.values().any(|place| *place != Place::Segment);
        if reaches_host && hosts.is_empty() {
            return Err(
                "has a value of the sign-in in its host: name the hosts that it may be in captured_hosts"
                    .to_owned(),
            );
        }
        let hosts_or_none = hosts.iter().map(|host| host.replace('*', "example"));
        for host in hosts_or_none.chain([String::new()]) {
            let is_here = Url::parse(&format!("http://{host}/")).is_ok_and(|url| is_loopback(&url));
            let origin = format!("{}://{host}", if is_here { "http" } else { "https" });
            // The part of a host may be all of it or one label.
            for part in [host.as_str(), "example"] {
                let values = places.iter().map(|(name, place)| {
                    let example = match place {
                        Place::Origin => origin.as_str(),
                        Place::Host => part,
                        Place::Segment => "example",
                    };
                    ((*name).to_owned(), Secret::new(example.to_owned()))
                });
                if let Ok(url) = fill_address(text, &values.collect::<Captured>(), "id", hosts) {
                    return Ok(url);
                }
            }
        }
        let wrong = if reaches_host {
            "has a value of the sign-in in its host, and none of the captured_hosts fits there"
        } else {
            "has a value of the sign-in where none can stand: it has to be the whole origin, a part of the host, or a segment"
        };
        Err(wrong.to_owned())
    }
}

fn undeclared(name: impl AsRef<str>) -> String {
    let name = clean(name.as_ref());
    format!("has the placeholder {{{name}}}: write its value instead, or add {name} to captures")
}

/// An exact host, or `*.` and the end of one that has a dot.
fn is_host(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let is_wide = name.len() != text.len();
    match Host::parse(name) {
        // The parser takes `*` for a part of a name.
        Ok(Host::Domain(domain)) if domain.contains('*') => false,
        Ok(Host::Domain(domain)) => domain == name.to_ascii_lowercase() && (!is_wide || domain.contains('.')),
        Ok(_) => !is_wide,
        Err(_) => false,
    }
}
