//! Id tokens: kept sealed with the tokens they came with, and handed out under the same rules as an access token.

use crate::{
    Engine, Error,
    engine::blocking,
    records::{record::Record, sealed_store::SealedStore},
    token::{partial_response, refresh::RefreshTrigger},
};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokenry_core::{
    Connection, ConnectionId, GrantType, KeptIdToken, Provider, Scopes, Secret, Timestamp, Tokens,
};
use tokenry_oauth::{Answer, Expected, checked_id_token, id_token_end};

/// What a hand-out takes out of the record of a connection's tokens.
#[derive(Deserialize)]
struct Stored {
    #[serde(default)]
    id_token: Option<KeptIdToken>,
    obtained_at: Timestamp,
}

/// An id token that was checked, as it is kept.
pub(crate) fn kept(token: Option<&Secret>, now: Timestamp) -> Option<KeptIdToken> {
    let token = token?;
    Some(KeptIdToken {
        token: token.clone(),
        expires_at: id_token_end(token)?,
        obtained_at: now,
    })
}

impl Engine {
    /// Keeps the id token that came with a refresh. The tokens are on the disk by now: a wrong id token costs itself and
    /// nothing else.
    pub(super) async fn keep_id_token(
        &self,
        store: &Arc<SealedStore>,
        provider: &Provider,
        id: ConnectionId,
        answer: &Answer,
    ) {
        let Some(token) = answer.id_token.as_ref().filter(|_| answer.objection.is_none()) else {
            return;
        };
        let Ok(Some(tokens)) = store.get::<Tokens>(id.row()) else {
            return;
        };
        let before = tokens.id_token.as_ref().map(|kept| kept.token.clone());
        let expected = Expected {
            nonce: None,
            access_token: answer.access_token.as_ref(),
            before: before.as_ref(),
            date: answer.date,
        };
        let now = self.now();
        let (kept, wrong) = match checked_id_token(&self.inner.http, provider, token, expected).await {
            Ok(Some(checked)) => (kept(Some(&checked.token), now), None),
            Ok(None) => return,
            // Without the provider's keys one that tells nothing was always passed over.
            Err(_) if provider.settings.jwks_uri.is_none() => return,
            Err(failure) => (None, Some(failure)),
        };
        let told = Answer {
            objection: wrong,
            ..answer.clone()
        };
        let (store, random) = (store.clone(), self.inner.random.clone());
        let written = blocking(move || {
            store.change(now, |transaction| {
                let (Some(mut connection), Some(mut current)) = (
                    transaction.get::<Connection>(id.row())?,
                    transaction.get::<Tokens>(id.row())?,
                ) else {
                    return Ok(());
                };
                if current.fence != tokens.fence {
                    return Ok(());
                }
                if let Some(kept) = kept.clone() {
                    current.id_token = Some(kept);
                    transaction.put(id.row(), &current)?;
                } else {
                    let next = connection.refresh_at;
                    connection.trouble = partial_response::trouble(&connection, &told, next, now, &*random);
                    transaction.put(id.row(), &connection)?;
                }
                Ok(())
            })
        });
        if let Err(error) = written.await {
            tracing::warn!("an id token could not be kept: {error}");
        }
    }

    /// The id token of a connection, which lives at least this long. One that has ended is renewed by a refresh, unless
    /// the last refresh brought none.
    pub(super) async fn find_id_token(
        &self,
        store: &SealedStore,
        id: ConnectionId,
        min_valid: Duration,
        most: Option<&Scopes>,
    ) -> Result<Secret, Error> {
        let (name, refreshable, provider) = {
            let index = store.index();
            let connection = index
                .connection(id)
                .ok_or_else(|| crate::access::resolve::gone(&id.to_string()))?;
            (
                index.name_of(connection),
                connection.refreshable,
                connection.provider,
            )
        };
        // It tells who the user is, which is what this scope stands for.
        if most.is_some_and(|most| !most.contains("openid")) {
            let needs = format!("the token scope openid at {name}, for an id token");
            return Err(Error::NoGrant { needs });
        }
        let stored = || store.get_part::<Stored>(Tokens::TABLE, id.row());
        let living = |stored: Option<&Stored>| {
            let needed = tokenry_core::later(self.now(), min_valid);
            let kept = stored.and_then(|stored| stored.id_token.as_ref());
            kept.filter(|kept| kept.expires_at > needed.max(self.now()))
                .map(|kept| kept.token.clone())
        };
        let first = stored()?;
        if let Some(token) = living(first.as_ref()) {
            return Ok(token);
        }
        let came_with_the_last = first.as_ref().is_some_and(|stored| {
            stored
                .id_token
                .as_ref()
                .is_some_and(|kept| kept.obtained_at >= stored.obtained_at)
        });
        if refreshable && came_with_the_last {
            self.refreshed(id, RefreshTrigger::Asked).await?;
        }
        let now = stored()?;
        let kept = now.as_ref().and_then(|stored| stored.id_token.as_ref());
        match (living(now.as_ref()), kept) {
            (Some(token), _) => Ok(token),
            (None, Some(kept)) => match kept.expires_at > self.now() {
                true => Ok(kept.token.clone()),
                false => Err(Error::Conflict(format!(
                    "the id token of {name} has ended, and its provider gives none with a refresh; sign in again with `tokenry connect {name}`"
                ))),
            },
            (None, None) => Err(Error::Conflict(
                match self.provider_by_id(provider)?.settings.grant_type {
                    GrantType::ClientCredentials => format!(
                        "{name} has no id token: it is a program's own access, and an id token tells who a user is; choose a connection of a user"
                    ),
                    _ => format!(
                        "{name} has no id token: its provider gave none; ask for the scope openid, and sign in again with `tokenry connect {name}`"
                    ),
                },
            )),
        }
    }
}
