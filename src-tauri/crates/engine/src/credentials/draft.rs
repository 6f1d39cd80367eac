//! What a credential is made of, and what is to change of one.

use crate::{Engine, Error};
use std::collections::{BTreeMap, BTreeSet};
use tokenry_core::{
    Caller, Credential, CredentialId, CredentialType, DEFAULT_PROJECT, Name, Secret, Timestamp,
};

/// A credential to be added.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// Unique within the project.
    pub name: Name,
    /// The default project when not given.
    pub project: Option<Name>,
    /// Which fields it must have.
    pub kind: CredentialType,
    /// From each field to its value, base64.
    pub data: BTreeMap<String, Secret>,
    /// Fields that are never returned; ignored for other types than `default`.
    pub redact_fields: BTreeSet<String>,
    /// When it is deleted.
    pub expires_at: Option<Timestamp>,
}

/// What of a credential is to change. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct CredentialChange {
    /// Unique within the project.
    pub name: Option<Name>,
    /// New values, base64, field by field; `None` takes a field away.
    pub data: BTreeMap<String, Option<Secret>>,
    /// Further fields that are never returned. What was redacted once stays so.
    pub redact_fields: BTreeSet<String>,
    /// `Some(None)`: it is kept until it is deleted.
    pub expires_at: Option<Option<Timestamp>>,
}

impl CredentialChange {
    /// The credential with this change. That it can be kept is looked at apart.
    pub(super) fn applied_to(self, mut credential: Credential, now: Timestamp) -> Result<Credential, Error> {
        if let Some(name) = self.name {
            credential.name = name;
        }
        for (field, value) in self.data {
            match value {
                Some(value) => {
                    credential.data.insert(field, value);
                }
                None if credential.data.remove(&field).is_none() => {
                    let problem = "is not there, so it cannot be taken away";
                    return Err(Error::field(&super::check::named(&field), problem));
                }
                None => {}
            }
        }
        // Other types have no fields to be chosen from: there it is ignored.
        if credential.kind == CredentialType::Default {
            credential.redact_fields.extend(self.redact_fields);
        }
        if let Some(expires_at) = self.expires_at {
            credential.expires_at = expires_at;
        }
        credential.updated_at = now;
        Ok(credential)
    }
}

impl Engine {
    pub(super) fn drafted(&self, caller: &Caller, new: NewCredential) -> Result<Credential, Error> {
        let project = match new.project {
            Some(project) => project,
            None => DEFAULT_PROJECT
                .parse()
                .map_err(|_| Error::Internal("the default project has no name".into()))?,
        };
        let now = self.now();
        Ok(Credential {
            id: CredentialId::new(&*self.inner.clock, &*self.inner.random),
            project,
            name: new.name,
            kind: new.kind,
            data: new.data,
            redact_fields: match new.kind {
                CredentialType::Default => new.redact_fields,
                CredentialType::Raw | CredentialType::BasicAuth | CredentialType::OAuth2Refresh => {
                    BTreeSet::new()
                }
            },
            expires_at: new.expires_at,
            created_by: caller.app(),
            created_at: now,
            updated_at: now,
            last_used_at: None,
        })
    }
}
