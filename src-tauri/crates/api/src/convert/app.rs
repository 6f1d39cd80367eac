//! Apps and grants.

use super::list;
use crate::error::{ApiError, Fields};
use std::collections::BTreeSet;
use tokenry_contract as contract;
use tokenry_core::{ApiScope, Grant, Scopes};
use tokenry_engine::{AppView, NewGrant};

/// An app with its grants.
pub fn app(view: AppView) -> contract::App {
    let name = view.app.name.to_string();
    contract::App {
        id: view.app.id.uuid(),
        redirect_uris: view.app.redirect_uris,
        public: view.app.token_hash.is_none(),
        grants: view.grants.into_iter().map(|one| grant(one, &name)).collect(),
        created_at: view.app.created_at,
        last_used_at: view.app.last_used_at,
        name,
    }
}

/// A grant.
pub(crate) fn grant(grant: Grant, app_name: &str) -> contract::Grant {
    contract::Grant {
        id: grant.id.uuid(),
        app_id: grant.app.uuid(),
        app_name: app_name.to_owned(),
        scopes: grant.scopes.iter().map(ToString::to_string).collect(),
        connections: grant.connections.iter().map(|id| id.uuid()).collect(),
        credentials: grant.credentials.iter().map(|id| id.uuid()).collect(),
        token_scopes: grant.token_scopes.as_ref().map(list),
        while_locked: grant.while_locked,
        expires_at: grant.expires_at,
        created_at: grant.created_at,
        last_used_at: grant.last_used_at,
    }
}

/// A new grant, or all invalid fields.
pub(crate) fn new_grant(body: contract::CreateGrant) -> Result<NewGrant, ApiError> {
    let mut fields = Fields::new();
    let mut scopes = BTreeSet::new();
    for text in &body.scopes {
        match text.parse::<ApiScope>() {
            Ok(scope) => drop(scopes.insert(scope)),
            Err(wrong) => {
                let shown = tokenry_core::clean(text);
                fields.insert("scopes".to_owned(), format!("{shown:?} {wrong}"));
            }
        }
    }
    if body
        .token_scopes
        .iter()
        .flatten()
        .any(|scope| !Scopes::is_token(scope))
    {
        fields.insert(
            "token_scopes".to_owned(),
            "has a text that cannot be a scope".to_owned(),
        );
    }
    if !fields.is_empty() {
        return Err(ApiError::Fields(fields));
    }
    Ok(NewGrant {
        app: body.app,
        scopes,
        connections: body.connections,
        credentials: body.credentials,
        token_scopes: body.token_scopes.map(Scopes::from),
        while_locked: body.while_locked,
        expires_at: body.expires_at,
    })
}
