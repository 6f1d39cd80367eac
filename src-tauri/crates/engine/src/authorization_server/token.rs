//! The token endpoint: codes and refresh tokens exchanged for new tokens.

use super::{
    client,
    codes::{Bound, Presented},
    error::{
        OAuthError,
        OAuthErrorCode::{InvalidGrant, InvalidScope, UnsupportedGrantType},
    },
    issued::{self, Family, Issued, Kind, Pair, delete_family, grant_of},
    parameters::Parameters,
    request,
};
use crate::{
    Engine, Error,
    records::{sealed_store::SealedStore, transaction::Transaction},
};
use std::{collections::BTreeSet, sync::Arc};
use tokenry_core::{ApiScope, App, AppId, Caller, EventKind, IssuedId, Outcome, Secret, Timestamp};

/// What an app is given: tokens of this API, and of no provider.
#[derive(Debug, Clone)]
pub struct IssuedTokens {
    /// Good for `expires_in` seconds.
    pub access_token: Secret,
    /// Good for one use.
    pub refresh_token: Secret,
    /// In seconds.
    pub expires_in: u64,
    /// What the access token is good for.
    pub scopes: BTreeSet<ApiScope>,
}

/// What became of a refresh token.
enum Rotated {
    Fresh(Pair),
    /// It came a second time: its whole family has ended.
    Again,
    Invalid,
}

impl Engine {
    /// The token endpoint: a code or a refresh token, from an app that proved itself, for an access token and the next
    /// refresh token. `authorization` is the header, `form` the body.
    ///
    /// # Errors
    /// As RFC 6749 §5.2 has them.
    pub async fn issue_tokens(
        &self,
        authorization: Option<&str>,
        form: &[u8],
    ) -> Result<IssuedTokens, OAuthError> {
        let form = Parameters::of_body(form)?;
        let store = self.store()?;
        let app = client::authenticate(&store, authorization, &form)?;
        self.clean_now_and_then(&store).await?;
        match form.required("grant_type")? {
            "authorization_code" => self.redeem_code(&store, &app, &form).await,
            "refresh_token" => self.rotate(&store, &app, &form).await,
            _ => Err(UnsupportedGrantType.because("grant_type must be authorization_code or refresh_token")),
        }
    }

    async fn redeem_code(
        &self,
        store: &Arc<SealedStore>,
        app: &App,
        form: &Parameters,
    ) -> Result<IssuedTokens, OAuthError> {
        let code = form.required_secret("code")?;
        let redirect_uri = form.required("redirect_uri")?;
        let verifier = form.required_secret("code_verifier")?;
        let family = IssuedId::new(&*self.inner.clock, &*self.inner.random);
        let hash = store.vault().token_hash(&code);
        let now = self.inner.clock.boottime();
        let codes = &self.inner.authorization_server;
        let presented = codes.codes().present(&hash, app.id, family, now);
        let bound = match presented {
            Presented::Good(bound) => bound,
            Presented::Again(before) => {
                self.end_family(store, before).await?;
                self.note_reuse(app.id, "a code came a second time; the tokens it gave have ended");
                return Err(InvalidGrant.because("the code was used before; what it gave has ended"));
            }
            Presented::Unknown => return Err(unknown_code()),
        };
        let verified = tokenry_oauth::pkce::verifies(verifier.expose(), &bound.challenge);
        if bound.redirect_uri != redirect_uri || !verified {
            return Err(InvalidGrant
                .because("redirect_uri or code_verifier is not the one of the authorization request"));
        }
        let scopes = bound.scopes.clone();
        let pair = self.first_pair(store, family, *bound).await?;
        // Presented again while this was being written, perhaps by another program.
        if codes.codes().is_revoked(family) {
            self.end_family(store, family).await?;
            return Err(InvalidGrant.because("the code was used twice; what it gave has ended"));
        }
        Ok(given(pair, scopes))
    }

    async fn first_pair(
        &self,
        store: &Arc<SealedStore>,
        family: IssuedId,
        bound: Bound,
    ) -> Result<Pair, OAuthError> {
        let (engine, store, now) = (self.clone(), store.clone(), self.now());
        let family = Family {
            id: family,
            app: bound.app,
            scopes: bound.scopes,
        };
        let pair = self
            .commit(&store, move |transaction| {
                let grant = grant_of(
                    &transaction.store.index(),
                    bound.app,
                    bound.grant,
                    transaction.store.latest.seen(now),
                );
                let Some(grant) = grant else { return Ok(None) };
                let scopes = family.scopes.clone();
                engine
                    .put_pair(transaction, &family, &grant, scopes, now)
                    .map(Some)
            })
            .await?;
        pair.ok_or_else(|| InvalidGrant.because("the grant was taken away or has ended; ask again"))
    }

    async fn rotate(
        &self,
        store: &Arc<SealedStore>,
        app: &App,
        form: &Parameters,
    ) -> Result<IssuedTokens, OAuthError> {
        let token = form.required_secret("refresh_token")?;
        let invalid = || InvalidGrant.because("the refresh token is unknown, has ended, or was taken away");
        let found = issued::find(store, &token)?
            .filter(|found| found.kind == Kind::Refresh && found.app == app.id)
            .ok_or_else(invalid)?;
        let scopes = match form.get("scope") {
            None => found.scopes.clone(),
            asked => request::scopes(asked)?,
        };
        if !scopes.is_subset(&found.scopes) {
            return Err(InvalidScope.because("the refresh token is good for less than that"));
        }
        let (engine, now, row, asked) = (self.clone(), self.now(), found.id.row(), scopes.clone());
        let changing = store.clone();
        // One at a time: of two that come at once, the second finds the first's mark.
        let rotated = self
            .commit_surely(&changing, move |transaction| {
                engine.next_pair(transaction, row, asked.clone(), now)
            })
            .await?;
        match rotated {
            Rotated::Fresh(pair) => Ok(given(pair, scopes)),
            Rotated::Invalid => Err(invalid()),
            Rotated::Again => {
                self.note_reuse(
                    app.id,
                    "a refresh token came a second time; all that came from it has ended",
                );
                Err(InvalidGrant
                    .because("the refresh token was used before; all that came from it has ended"))
            }
        }
    }

    fn next_pair(
        &self,
        transaction: &mut Transaction<'_>,
        row: i64,
        scopes: BTreeSet<ApiScope>,
        now: Timestamp,
    ) -> Result<Rotated, Error> {
        let Some(mut before) = transaction.get::<Issued>(row)? else {
            return Ok(Rotated::Invalid);
        };
        if before.used {
            delete_family(transaction, before.family)?;
            return Ok(Rotated::Again);
        }
        let latest = transaction.store.latest.seen(now);
        let grant = grant_of(&transaction.store.index(), before.app, before.grant, latest);
        let Some(grant) = grant.filter(|_| before.expires_at > latest) else {
            return Ok(Rotated::Invalid);
        };
        before.used = true;
        transaction.put(row, &before)?;
        let family = Family {
            id: before.family,
            app: before.app,
            scopes: before.scopes,
        };
        self.put_pair(transaction, &family, &grant, scopes, now)
            .map(Rotated::Fresh)
    }

    fn note_reuse(&self, app: AppId, what: &str) {
        let event = self
            .event(&Caller::Engine, EventKind::AppAuthorized, Outcome::Refused)
            .with_detail(what)
            .with_app(app);
        self.inner.activity.push(event);
    }
}

fn given(pair: Pair, scopes: BTreeSet<ApiScope>) -> IssuedTokens {
    IssuedTokens {
        access_token: pair.access,
        refresh_token: pair.refresh,
        expires_in: pair.expires_in,
        scopes,
    }
}

fn unknown_code() -> OAuthError {
    InvalidGrant.because("the code is unknown, older than a minute, or was issued to another client")
}
