//! What a change of a credential changes, for the question about it. Never a value.

use super::check;
use crate::access::consent::{Differences, fingerprint};
use std::collections::{BTreeMap, BTreeSet};
use tokenry_core::{Credential, Secret, Timestamp};
use tokenry_vault::Vault;

/// What differs between a credential and what it is to be.
pub(crate) fn between(vault: &Vault, before: &Credential, after: &Credential) -> Differences {
    let mut differences = Differences::default();
    differences.text("name", name(before), name(after));
    values(&mut differences, vault, &before.data, &after.data);
    let redacted = |fields| redacted(fields);
    differences.text(
        "redact_fields",
        redacted(&before.redact_fields),
        redacted(&after.redact_fields),
    );
    differences.text("expires_at", end(before.expires_at), end(after.expires_at));
    differences
}

/// What a new credential is.
pub(super) fn of_new(vault: &Vault, new: &Credential) -> Differences {
    let mut differences = Differences::default();
    differences.text("name", None, name(new));
    differences.text("type", None, Some(new.kind.as_str().to_owned()));
    values(&mut differences, vault, &BTreeMap::new(), &new.data);
    differences.text("redact_fields", None, redacted(&new.redact_fields));
    differences.text("expires_at", None, end(new.expires_at));
    differences
}

fn name(credential: &Credential) -> Option<String> {
    Some(credential.name.to_string())
}

fn values(
    differences: &mut Differences,
    vault: &Vault,
    before: &BTreeMap<String, Secret>,
    after: &BTreeMap<String, Secret>,
) {
    let all: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for field in all {
        let of = |data: &BTreeMap<String, Secret>| fingerprint(vault, data.get(field));
        differences.secret(&check::named(field), of(before), of(after));
    }
}

fn redacted(fields: &BTreeSet<String>) -> Option<String> {
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    (!fields.is_empty()).then(|| fields.join(", "))
}

fn end(expires_at: Option<Timestamp>) -> Option<String> {
    expires_at.map(|end| format!("{end:.0}"))
}
