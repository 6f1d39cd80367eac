//! Handing out values.

use super::{AnyCredential, CredentialView, check, none};
use crate::{
    Engine, Error,
    access::{consent::AccessRequest, policy::Operation},
    records::{index::CredentialEntry, sealed_store::SealedStore},
};
use tokenry_core::{
    AppId, Caller, Connection, Credential, CredentialId, CredentialType, EventKind, Name, Outcome, Provider,
    Rule, Secret, TokenEndpointAuthMethod,
};
use tokenry_oauth::Failure;

impl Engine {
    /// One value as text, for the shell to copy. It goes to no webview.
    ///
    /// # Errors
    /// When there is no such field, it is redacted, or it is no text.
    pub async fn credential_value(
        &self,
        caller: &Caller,
        reference: &str,
        field: &str,
    ) -> Result<Secret, Error> {
        let (id, known) = self.known(caller, &*self.store()?, reference).ok_or_else(|| {
            self.no_credential_meant(caller, Operation::ReadCredential, reference, none(reference))
        })?;
        let (credential, rule) = self.permitted_values(caller, id, known.created_by).await?;
        if credential.redact_fields.contains(field) {
            return Err(self.withheld(caller, &credential, rule));
        }
        let value = credential.data.get(field).ok_or_else(|| {
            let next = "`tokenry credential show` names the fields";
            Error::not_found("field", field, next)
        })?;
        let text = text_of(value)
            .ok_or_else(|| Error::field(&check::named(field), "is not text, so it cannot be copied"))?;
        self.handed_out(caller, id, &credential.name, rule);
        Ok(text)
    }

    /// One credential with the value of this field and no other; without any where it has no such field.
    ///
    /// # Errors
    /// As [`Engine::credential`]; and when the field is redacted.
    pub async fn credential_field(
        &self,
        caller: &Caller,
        reference: &str,
        field: &str,
    ) -> Result<AnyCredential, Error> {
        let known = self.known(caller, &*self.store()?, reference);
        let (Some((id, known)), false) = (known, *caller == Caller::Ui) else {
            return self.credential(caller, reference).await;
        };
        let (credential, rule) = self.permitted_values(caller, id, known.created_by).await?;
        if credential.redact_fields.contains(field) {
            return Err(self.withheld(caller, &credential, rule));
        }
        let mut view = CredentialView::of(id, CredentialEntry::of(&credential));
        let value = credential.data.get_key_value(field);
        if let Some((field, value)) = value {
            view.data.insert(field.clone(), value.clone());
            self.handed_out(caller, id, &credential.name, rule);
        }
        Ok(AnyCredential::Entered(view))
    }

    /// That a redacted value was asked for, in the log, and the error that says so.
    pub(super) fn withheld(&self, caller: &Caller, credential: &Credential, rule: Rule) -> Error {
        let error = Error::Denied(
            "this field is redacted: it is never returned again; set it anew if you have its value elsewhere",
        );
        let event = self
            .event(caller, EventKind::CredentialHandedOut, Outcome::Refused)
            .with_detail(&format!("{}: {error}", credential.name))
            .with_credential(credential.id);
        self.inner.activity.push(event.by(rule));
        error
    }

    /// The record, for a caller that may have its values.
    pub(super) async fn permitted_values(
        &self,
        caller: &Caller,
        id: CredentialId,
        owner: Option<AppId>,
    ) -> Result<(Credential, Rule), Error> {
        let wanted = AccessRequest::new(Operation::ReadCredential).of_credential(id, owner);
        let rule = self.permit(caller, wanted).await?.rule;
        let store = self.store()?;
        Ok((self.still_there(&store, id)?, rule))
    }

    /// The credential that holds a client secret, of this very project.
    ///
    /// # Errors
    /// When there is none, it belongs to another project, or it has no client secret.
    pub(crate) fn client_secret_credential(
        &self,
        caller: &Caller,
        project: &Name,
        reference: &str,
    ) -> Result<Credential, Error> {
        let store = self.store()?;
        let in_project = format!("{project}/{reference}");
        let found = self
            .known(caller, &store, &in_project)
            .or_else(|| self.known(caller, &store, reference).filter(|_| is_id(reference)));
        let missing =
            || self.no_credential_meant(caller, Operation::ReadCredential, reference, none(reference));
        let (id, known) = found.ok_or_else(missing)?;
        if known.project != *project {
            return Err(Error::Denied(
                "this credential belongs to another project, so it is not used here",
            ));
        }
        let credential = self.still_there(&store, id)?;
        secret_in(&credential)?;
        Ok(credential)
    }

    /// The provider as a client for one connection: with its client secret, and with the values that its sign-in brought.
    pub(crate) fn client_of(
        &self,
        store: &SealedStore,
        provider: Provider,
        connection: &Connection,
    ) -> Result<Provider, Failure> {
        let client = self.with_client_secret(store, provider, connection.client_secret_from)?;
        let filled = client.filled_in(&connection.captured);
        filled.map_err(|error| Failure::NotSent {
            message: error.to_string(),
        })
    }

    /// The provider as a client that proves who it is with this credential's secret, where one was named.
    ///
    /// # Errors
    /// When the credential is not there any more. Then nothing is sent.
    pub(crate) fn with_client_secret(
        &self,
        store: &SealedStore,
        mut provider: Provider,
        from: Option<CredentialId>,
    ) -> Result<Provider, Failure> {
        let Some(id) = from else {
            return Ok(provider);
        };
        let secret = self
            .still_there(store, id)
            .and_then(|credential| secret_in(&credential));
        let secret = secret.map_err(|_| Failure::NotSent {
            message: format!(
                "The credential with the client secret for {} is not there any more, so nothing was sent. Connect again with another one.",
                provider.name
            ),
        })?;
        provider.client_secret = Some(secret);
        if provider.settings.token_endpoint_auth_method == TokenEndpointAuthMethod::None {
            provider.settings.token_endpoint_auth_method = TokenEndpointAuthMethod::Automatic;
        }
        Ok(provider)
    }
}

/// The client secret that a credential holds: its `client_secret`, or the one value of `raw`.
fn secret_in(credential: &Credential) -> Result<Secret, Error> {
    let field = match credential.kind {
        CredentialType::Default => "client_secret",
        CredentialType::Raw => "value",
        CredentialType::BasicAuth | CredentialType::OAuth2Refresh => {
            let wrong = format!(
                "is of type {}; use raw, or default with client_secret",
                credential.kind.as_str()
            );
            return Err(wrong_secret(&wrong));
        }
    };
    let value = credential.data.get(field);
    let value = value.ok_or_else(|| wrong_secret("has no field client_secret"))?;
    let secret = text_of(value)
        .filter(|secret| !secret.expose().is_empty())
        .ok_or_else(|| wrong_secret("holds a client secret that is no text"))?;
    if tokenry_core::is_miscopied(secret.expose()) {
        return Err(wrong_secret(
            "holds a client secret with a byte order mark, a line end or another control character (RFC 6749, A.2)",
        ));
    }
    Ok(secret)
}

fn wrong_secret(wrong: &str) -> Error {
    Error::field("credential.id", wrong)
}

fn text_of(value: &Secret) -> Option<Secret> {
    let bytes = check::decoded(value)?;
    let text = std::str::from_utf8(&bytes).ok()?;
    Some(Secret::new(text.to_owned()))
}

fn is_id(reference: &str) -> bool {
    reference.parse::<CredentialId>().is_ok()
}
