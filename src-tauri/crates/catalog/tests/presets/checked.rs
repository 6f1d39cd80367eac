//! What holds of every request: its parameters, and where the client and its secret are in it.

use super::CLIENT_SECRET;
use super::server::Received;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::collections::BTreeMap;
use tokenry_contract::{BodyFormat, Preset, TokenEndpointAuthMethod};
use tokenry_core::Provider;

/// The request, and whose it is in messages of failed assertions.
pub(crate) struct Checked<'a> {
    pub(crate) preset: &'a Preset,
    pub(crate) provider: &'a Provider,
    pub(crate) what: &'static str,
}

impl Checked<'_> {
    pub(crate) fn says(&self, holds: bool, what: impl std::fmt::Display) {
        let method = self.provider.auth_method();
        assert!(holds, "{} ({}, {method:?}): {what}", self.preset.name, self.what);
    }

    fn own(&self, name: &str) -> String {
        let names = &self.provider.settings.param_names;
        names.get(name).map_or(name, String::as_str).to_owned()
    }

    /// The value of a parameter by its standard name; it comes once.
    pub(crate) fn value(&self, pairs: &[(String, String)], name: &str) -> Option<String> {
        let own = self.own(name);
        let values: Vec<_> = pairs.iter().filter(|(other, _)| *other == own).collect();
        self.says(values.len() < 2, format_args!("{own} comes twice"));
        if own != name {
            let has_standard_name = pairs.iter().any(|(other, _)| other == name);
            self.says(!has_standard_name, format_args!("{name} is called {own} there"));
        }
        values.first().map(|(_, value)| value.clone())
    }

    pub(crate) fn has(&self, pairs: &[(String, String)], name: &str, expected: &str) {
        let found = self.value(pairs, name);
        self.says(
            found.as_deref() == Some(expected),
            format_args!("{name} is {found:?} and not {expected:?}"),
        );
    }

    pub(crate) fn has_all(&self, pairs: &[(String, String)], expected: &BTreeMap<String, String>) {
        for (name, value) in expected {
            let is_there = pairs
                .iter()
                .filter(|pair| *pair == &(name.clone(), value.clone()));
            self.says(
                is_there.count() == 1,
                format_args!("{name}={value} is not there once"),
            );
        }
    }

    pub(crate) fn has_no_variable_left(&self, pairs: &[(String, String)], address: &str) {
        let is_left = |text: &str| text.contains(['{', '}']) || text.contains("%7B");
        self.says(!is_left(address), format_args!("a variable is left in {address}"));
        let left = pairs.iter().find(|(name, value)| is_left(name) || is_left(value));
        self.says(left.is_none(), format_args!("a variable is left in {left:?}"));
    }

    /// The client is named once, and its secret is where its way to authenticate has it and nowhere else.
    pub(crate) fn has_client(&self, request: &Received, format: BodyFormat) {
        let (id, secret) = (
            &self.provider.settings.client_id,
            self.provider.client_secret.is_some(),
        );
        let body = request.body(format);
        let (in_body, named) = (self.value(&body, "client_secret"), self.value(&body, "client_id"));
        let basic = request.header("authorization").map(|value| {
            let encoded = value.strip_prefix("Basic ").unwrap();
            String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
        });
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(id), encoded(CLIENT_SECRET));
        let user_name = format!("{CLIENT_SECRET}:");
        let secret = secret.then_some(CLIENT_SECRET);
        let (expected_basic, expected_secret, expected_id) = match self.provider.auth_method() {
            TokenEndpointAuthMethod::ClientSecretBasic => (Some(pair), None, None),
            TokenEndpointAuthMethod::ClientSecretPost => (None, secret, Some(id)),
            TokenEndpointAuthMethod::SecretAsUserName => (Some(user_name), None, Some(id)),
            _ => (None, None, Some(id)),
        };
        self.says(basic == expected_basic, format_args!("HTTP Basic is {basic:?}"));
        self.says(in_body.as_deref() == expected_secret, "the secret in the body");
        self.says(
            named.as_ref() == expected_id,
            format_args!("the client is {named:?}"),
        );
        let has_assertion = body.iter().any(|(name, _)| name == "client_assertion");
        let needs_one = self.provider.auth_method() == TokenEndpointAuthMethod::PrivateKeyJwt;
        self.says(has_assertion == needs_one, "the client's assertion");
        let whole = request.whole();
        let copies = whole.matches(CLIENT_SECRET).count() + whole.matches(&encoded(CLIENT_SECRET)).count();
        self.says(
            copies == usize::from(expected_secret.is_some()),
            "the secret is elsewhere, too",
        );
    }

    /// The parameters and headers of the settings are there, and no variable of the preset is left.
    pub(crate) fn is_dressed(
        &self,
        request: &Received,
        sent: &[(String, String)],
        extra: &BTreeMap<String, String>,
    ) {
        self.has_all(sent, extra);
        for (name, value) in &self.provider.settings.token_headers {
            let sent = request.header(&name.to_ascii_lowercase());
            self.says(sent == Some(value), format_args!("the header {name} is {sent:?}"));
        }
        self.has_no_variable_left(sent, &request.target);
        let has_proof = request.header("dpop").is_some();
        self.says(has_proof == self.provider.settings.dpop, "the proof of a key");
    }
}
