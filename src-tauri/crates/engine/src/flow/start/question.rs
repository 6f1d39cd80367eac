//! What a question about a sign-in says.

use super::{ConnectOptions, wanted_scopes};
use crate::{
    Engine, Error,
    access::{
        consent::{AccessRequest, Differences},
        policy::Operation,
    },
};
use tokenry_core::{Caller, CredentialId, Provider, setting_text};
use url::Url;

impl Engine {
    /// The request for a sign-in: what it asks for at the provider, how the answer comes back, and whose the
    /// connection will be.
    pub(super) fn signing_in(
        &self,
        caller: &Caller,
        provider: &Provider,
        how: &ConnectOptions,
    ) -> Result<AccessRequest, Error> {
        let mut differences = Differences::default();
        if how.renew.is_none() {
            differences.text("label", None, how.label.clone());
        }
        let redirect = match how.device {
            true => Some("none: a code that you type on another device".to_owned()),
            false => {
                let redirect = serde_json::to_value(how.redirect.unwrap_or(provider.settings.redirect));
                setting_text(&redirect.unwrap_or_default())
            }
        };
        differences.text("redirect", None, redirect);
        if how.allow_further {
            let further = "makes a connection of its own";
            differences.text("allow_further", None, Some(further.to_owned()));
        }
        if how.allow_unknown_account && caller.app().is_none() {
            let account = "replaces this one also where the provider does not tell which it is";
            differences.decisive("account", None, Some(account.to_owned()));
        }
        for (name, value) in &how.parameters {
            differences.decisive(&format!("parameter {name}"), None, Some(value.clone()));
        }
        if how.renew.is_none() {
            let owner = caller.app().and_then(|app| self.app_name(app));
            let owner = owner.map_or_else(
                || "you: each program that wants its tokens is asked about".to_owned(),
                |app| format!("the app {app}, which its grants let use it"),
            );
            differences.text("owner", None, Some(owner));
        }
        let scopes = wanted_scopes(provider, how.scopes.clone())?;
        Ok(AccessRequest::new(Operation::StartFlow)
            .at(provider.id)
            .limited_to(Some(scopes))
            .changing(differences))
    }

    /// That a credential will be sent to a provider as our client's secret is part of the question. An app must be
    /// allowed to have the credential, too: else it could have any of them sent to a provider of its own.
    pub(super) async fn sending(
        &self,
        caller: &Caller,
        mut wanted: AccessRequest,
        provider: &Provider,
        id: CredentialId,
    ) -> Result<AccessRequest, Error> {
        let credential = self.still_there(&*self.store()?, id)?;
        if caller.app().is_some() {
            let having =
                AccessRequest::new(Operation::ReadCredential).of_credential(id, credential.created_by);
            self.permit(caller, having).await?;
        }
        let endpoint = provider.token_endpoint();
        let host = endpoint.as_ref().and_then(Url::host_str);
        wanted.target.credential = Some(id);
        Ok(wanted.note(format!(
            "It sends the credential {} to {} as the client secret.",
            credential.name,
            tokenry_core::clean(host.unwrap_or("an unknown host"))
        )))
    }
}
