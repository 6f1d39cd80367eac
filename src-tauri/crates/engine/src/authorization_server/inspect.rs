//! Token introspection (RFC 7662) and revocation (RFC 7009).

use super::{
    client,
    error::{
        OAuthError,
        OAuthErrorCode::{InvalidClient, InvalidGrant},
    },
    issued::{self, Kind},
    parameters::Parameters,
};
use crate::Engine;
use std::collections::BTreeSet;
use tokenry_core::{ApiScope, AppId, Timestamp};
use tokenry_store::Table;

/// What a client hears of a token of its own (RFC 7662 §2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introspection {
    /// Whose it is: the `client_id`.
    pub app: AppId,
    /// What it is good for.
    pub scopes: BTreeSet<ApiScope>,
    /// Whether it is an access token; else it is a refresh token.
    pub is_access: bool,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Engine {
    /// Ends a token, and with a refresh token everything that came from the same code (RFC 7009 §2.1). One that we do
    /// not know is as good as ended.
    ///
    /// # Errors
    /// As RFC 6749 §5.2 has them; `invalid_grant` for a token of another client, which stays as it is.
    pub async fn revoke_issued(&self, authorization: Option<&str>, form: &[u8]) -> Result<(), OAuthError> {
        let form = Parameters::of_body(form)?;
        let store = self.store()?;
        let app = client::authenticate(&store, authorization, &form)?;
        let Some(found) = issued::find(&store, &form.required_secret("token")?)? else {
            return Ok(());
        };
        if found.app != app.id {
            return Err(InvalidGrant.because("the token was issued to another client"));
        }
        if found.kind == Kind::Refresh {
            return Ok(self.end_family(&store, found.family).await?);
        }
        let row = found.id.row();
        self.commit_surely(&store, move |transaction| transaction.delete(Table::Issued, row))
            .await?;
        Ok(())
    }

    /// What a token is, told to the client that it belongs to and proved itself; `None` for every other token
    /// (RFC 7662 §2.2, §4).
    ///
    /// # Errors
    /// As RFC 6749 §5.2 has them; a public client cannot ask.
    pub async fn introspect_issued(
        &self,
        authorization: Option<&str>,
        form: &[u8],
    ) -> Result<Option<Introspection>, OAuthError> {
        let form = Parameters::of_body(form)?;
        let store = self.store()?;
        let app = client::authenticate(&store, authorization, &form)?;
        if app.token_hash.is_none() {
            return Err(InvalidClient.because("a public client cannot prove itself, so it may not ask"));
        }
        let found = issued::find(&store, &form.required_secret("token")?)?
            .filter(|found| found.app == app.id && found.is_alive(&store.index(), self.latest()));
        Ok(found.map(|found| Introspection {
            app: found.app,
            scopes: found.scopes,
            is_access: found.kind == Kind::Access,
            issued_at: found.issued_at,
            expires_at: found.expires_at,
        }))
    }
}
