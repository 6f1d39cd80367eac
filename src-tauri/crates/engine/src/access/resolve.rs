//! Wherever an id is taken, a unique name works too.

use crate::{Error, records::index::Index};
use tokenry_core::{
    App, Connection, ConnectionId, ConnectionStatus, CredentialId, DEFAULT_PROJECT, ProviderId,
};

/// A provider by id, `name` or `project/name`.
pub(crate) fn provider(index: &Index, reference: &str) -> Result<ProviderId, Error> {
    if let Ok(id) = reference.parse::<ProviderId>()
        && index.provider_name(id).is_some()
    {
        return Ok(id);
    }
    index
        .provider_called(reference)
        .ok_or_else(|| no_provider(reference))
}

pub(super) fn no_provider(reference: &str) -> Error {
    Error::not_found(
        "provider",
        reference,
        "`tokenry provider list` shows what there is",
    )
}

/// A credential that was entered by hand, by id, `name` in the default project, or `project/name`.
pub(crate) fn credential(index: &Index, reference: &str) -> Option<CredentialId> {
    if let Ok(id) = reference.parse::<CredentialId>()
        && index.credential(id).is_some()
    {
        return Some(id);
    }
    let (project, name) = reference.split_once('/').unwrap_or((DEFAULT_PROJECT, reference));
    index.credential_called(&project.parse().ok()?, &name.parse().ok()?)
}

/// A connection by id; `provider` when that has only one, or only one without a label; `provider/label`; or a label
/// that only one has. Only those that the caller sees are there.
pub(crate) fn connection<'a>(
    index: &'a Index,
    reference: &str,
    sees: impl Fn(&Connection) -> bool,
) -> Result<&'a Connection, Error> {
    let usable = |provider| index.usable_of_provider(provider).filter(|c| sees(c));
    if let Ok(id) = reference.parse::<ConnectionId>()
        && let Some(connection) = index.connection(id).filter(|c| sees(c))
    {
        return Ok(connection);
    }
    if let Some(provider) = index.provider_called(reference) {
        let mut unlabelled = usable(provider).filter(|c| c.label.is_none());
        if let (Some(one), None) = (unlabelled.next(), unlabelled.next()) {
            // It is called exactly so, whatever else the provider has.
            return Ok(one);
        }
        return only(index, reference, usable(provider));
    }
    if let Some((name, label)) = reference.rsplit_once('/')
        && let Some(provider) = index.provider_called(name)
    {
        let found = index
            .labelled(label)
            .filter(|c| c.provider == provider && sees(c));
        return only(index, reference, found);
    }
    let found = index
        .labelled(reference)
        .filter(|c| c.status != ConnectionStatus::Disconnecting && sees(c));
    only(index, reference, found)
}

/// The one that is meant, or an error that says why it is not one.
fn only<'a>(
    index: &Index,
    reference: &str,
    mut found: impl Iterator<Item = &'a Connection>,
) -> Result<&'a Connection, Error> {
    let Some(first) = found.next() else {
        let next = match index.provider_called(reference) {
            Some(_) => format!("that provider has none yet: `tokenry connect {reference}`"),
            None => return Err(no_connection(reference)),
        };
        return Err(Error::not_found("connection", reference, next));
    };
    let mut candidates: Vec<_> = found.map(|c| index.name_of(c)).collect();
    if candidates.is_empty() {
        return Ok(first);
    }
    candidates.push(index.name_of(first));
    candidates.sort();
    Err(Error::Ambiguous {
        reference: tokenry_core::clean(reference),
        candidates,
    })
}

pub(super) fn no_connection(reference: &str) -> Error {
    Error::not_found("connection", reference, "`tokenry list` shows what there is")
}

/// What is left of a connection that was given up.
pub(crate) fn gone(reference: &str) -> Error {
    Error::not_found("connection", reference, "it was disconnected")
}

/// An app by id or name.
pub(crate) fn app<'a>(index: &'a Index, reference: &str) -> Result<&'a App, Error> {
    let by_id = reference.parse().ok().and_then(|id| index.app(id));
    by_id
        .or_else(|| index.apps().find(|app| app.name.as_str() == reference))
        .ok_or_else(|| no_app(reference))
}

pub(super) fn no_app(reference: &str) -> Error {
    Error::not_found("app", reference, "the window shows what there is, under Apps")
}
