//! The address that a browser is sent to, as the provider wants it.

use tokenry_core::Provider;
use url::{Url, form_urlencoded};

/// An authorization request of RFC 6749 with the provider's own names of our parameters, its encoding of scopes, and its
/// fragment.
pub(crate) fn dressed(provider: &Provider, address: &Url) -> Url {
    let settings = &provider.settings;
    let mut address = address.clone();
    if !settings.param_names.is_empty() || settings.raw_scope {
        let own = |name: &str| {
            settings
                .param_names
                .get(name)
                .map_or(name, String::as_str)
                .to_owned()
        };
        let pairs: Vec<_> = address
            .query_pairs()
            .map(|(name, value)| {
                let is_raw = settings.raw_scope && name == "scope";
                let value = if is_raw { raw(&value) } else { encoded(&value) };
                format!("{}={value}", encoded(&own(&name)))
            })
            .collect();
        address.set_query(Some(&pairs.join("&")));
    }
    if let Some(fragment) = &settings.authorize_fragment {
        // A page that reads its fragment reads the parameters behind it, too.
        let fragment = match address.query() {
            Some(query) => format!("{fragment}?{query}"),
            None => fragment.clone(),
        };
        address.set_query(None);
        address.set_fragment(Some(&fragment));
    }
    address
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Scopes with the characters that a query may hold as they are (RFC 3986 §3.4).
fn raw(scopes: &str) -> String {
    let mut text = String::with_capacity(scopes.len());
    for c in scopes.chars() {
        match c {
            ' ' => text.push_str("%20"),
            ':' | '/' | ',' | '+' | '@' | '!' | '$' | '(' | ')' | '*' | ';' | '?' | '~' => text.push(c),
            other => text.push_str(&encoded(other.encode_utf8(&mut [0; 4]))),
        }
    }
    text
}
