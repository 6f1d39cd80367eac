//! Issued access and refresh tokens: their records, their use and their cleanup.

use super::{ACCESS, REFRESH, fresh};
use crate::{
    Engine, Error,
    engine::blocking,
    locks,
    records::{index::Index, record::Record, sealed_store::SealedStore, transaction::Transaction},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokenry_core::{
    ApiScope, AppCaller, AppId, Caller, Grant, GrantId, IssuedId, Peer, Random, Secret, Timestamp, hex,
};
use tokenry_store::Table;

/// How long an access token lives, unless its grant ends before.
const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(3600);
/// And a refresh token, which is a new one each time (A13.6).
const REFRESH_TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);
/// What has ended is deleted when the vault is opened, and this often, in seconds.
const CLEANUP_INTERVAL_SECONDS: i64 = 3600;

/// A token that we gave to an app, without the token: only a keyed hash of it is kept (A13.7).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Issued {
    pub(crate) id: IssuedId,
    /// What came from one code. It ends together when a refresh token of it comes twice.
    pub(super) family: IssuedId,
    pub(super) kind: Kind,
    hash: [u8; 32],
    pub(super) app: AppId,
    pub(super) grant: GrantId,
    pub(super) scopes: BTreeSet<ApiScope>,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
    /// A refresh token that was exchanged for the next one. It is kept to be known when it comes again.
    pub(super) used: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Access,
    Refresh,
}

impl Record for Issued {
    const TABLE: Table = Table::Issued;
    fn lookup(&self) -> Option<String> {
        Some(hex(&self.hash).to_string())
    }
}

impl Issued {
    /// Whether it is good: neither it nor its grant has ended, and its app is still there.
    pub(super) fn is_alive(&self, index: &Index, now: Timestamp) -> bool {
        !self.used && self.expires_at > now && grant_of(index, self.app, self.grant, now).is_some()
    }
}

/// A living grant of an app that is still there.
pub(super) fn grant_of(index: &Index, app: AppId, grant: GrantId, now: Timestamp) -> Option<Grant> {
    index.app(app)?;
    let mut grants = index.grants_of(app);
    grants
        .find(|found| found.id == grant && found.is_alive(now))
        .cloned()
}

/// The record of a token, if it is one of ours: one read by its keyed hash, and a comparison in constant time.
pub(super) fn find(store: &SealedStore, token: &Secret) -> Result<Option<Issued>, Error> {
    let text = token.expose();
    if !text.starts_with(ACCESS) && !text.starts_with(REFRESH) {
        return Ok(None);
    }
    let hash = store.vault().token_hash(token);
    let found = store.find::<Issued>(&hex(&hash))?;
    Ok(found.filter(|found| tokenry_core::same_bytes(&found.hash, &hash)))
}

/// Both tokens, on their way to the app.
pub(super) struct Pair {
    pub(super) access: Secret,
    pub(super) refresh: Secret,
    /// In seconds, for the access token.
    pub(super) expires_in: u64,
}

/// Whose tokens they will be.
#[derive(Clone)]
pub(super) struct Family {
    pub(super) id: IssuedId,
    pub(super) app: AppId,
    /// As it was granted: what the refresh token is good for (RFC 6749 §6).
    pub(super) scopes: BTreeSet<ApiScope>,
}

impl Engine {
    /// Makes a pair of tokens inside a transaction. Neither outlives the grant.
    pub(super) fn put_pair(
        &self,
        transaction: &mut Transaction<'_>,
        family: &Family,
        grant: &Grant,
        scopes: BTreeSet<ApiScope>,
        now: Timestamp,
    ) -> Result<Pair, Error> {
        let random: &dyn Random = &*self.inner.random;
        let (access, refresh) = (fresh(ACCESS, random), fresh(REFRESH, random));
        let until = |life: Duration| {
            let end = tokenry_core::later(now, life);
            grant.expires_at.map_or(end, |grants| grants.min(end))
        };
        let record = |kind, token: &Secret, scopes, life| Issued {
            id: IssuedId::new(&*self.inner.clock, random),
            family: family.id,
            kind,
            hash: transaction.store.vault().token_hash(token),
            app: family.app,
            grant: grant.id,
            scopes,
            issued_at: now,
            expires_at: until(life),
            used: false,
        };
        let records = [
            record(Kind::Access, &access, scopes, ACCESS_TOKEN_LIFETIME),
            record(
                Kind::Refresh,
                &refresh,
                family.scopes.clone(),
                REFRESH_TOKEN_LIFETIME,
            ),
        ];
        for record in &records {
            transaction.put(record.id.row(), record)?;
        }
        Ok(Pair {
            access,
            refresh,
            expires_in: seconds(records[0].expires_at, now),
        })
    }

    /// Ends everything that came from one code.
    pub(super) async fn end_family(&self, store: &Arc<SealedStore>, family: IssuedId) -> Result<(), Error> {
        self.commit_surely(store, move |transaction| delete_family(transaction, family))
            .await
    }

    /// Who it is that calls with an access token of ours. One indexed read, and nothing is written. A grant or an app
    /// that was taken away a moment ago is gone here, too.
    ///
    /// # Errors
    /// While locked, or when the store cannot be read.
    pub(crate) async fn caller_of_issued(
        &self,
        token: &Secret,
        peer: Option<Peer>,
    ) -> Result<Option<Caller>, Error> {
        if !token.expose().starts_with(ACCESS) {
            return Ok(None);
        }
        let store = self.store()?;
        let Some(found) = find(&store, token)? else {
            return Ok(None);
        };
        if found.kind != Kind::Access || !found.is_alive(&store.index(), self.latest()) {
            return Ok(None);
        }
        Ok(Some(Caller::App(AppCaller {
            app: found.app,
            grant: Some(found.grant),
            scopes: Some(found.scopes),
            token: Some(found.id),
            peer,
        })))
    }

    /// How long the access token that a caller came with still lives. `None` for one that came with none.
    ///
    /// # Errors
    /// When it has ended, or was taken back.
    pub(crate) fn life_left(&self, caller: &Caller) -> Result<Option<Duration>, Error> {
        let Caller::App(AppCaller { token: Some(id), .. }) = caller else {
            return Ok(None);
        };
        let (store, now) = (self.store()?, self.latest());
        let found = store.get::<Issued>(id.row())?;
        match found.filter(|issued| issued.is_alive(&store.index(), now)) {
            Some(issued) => Ok(Some(issued.expires_at.duration_since(now).unsigned_abs())),
            None => Err(Error::Unauthorized(
                "the access token has ended; fetch a new one and ask again",
            )),
        }
    }

    /// Deletes what has ended, once an hour at most.
    pub(super) async fn clean_now_and_then(&self, store: &Arc<SealedStore>) -> Result<(), Error> {
        let now = self.latest();
        {
            let at = &self.inner.authorization_server.cleaned_at;
            let mut at = locks::lock(at);
            let since = at.map_or(i64::MAX, |at| (now.as_second() - at.as_second()).abs());
            if since < CLEANUP_INTERVAL_SECONDS {
                return Ok(());
            }
            *at = Some(now);
        }
        let store = store.clone();
        blocking(move || clean(&store, now)).await
    }
}

/// Deletes what has ended, or whose grant has.
pub(crate) fn clean(store: &SealedStore, now: Timestamp) -> Result<(), Error> {
    let all = store.all::<Issued>()?;
    let dead: Vec<_> = {
        let index = store.index();
        let ended = |issued: &&Issued| {
            issued.expires_at <= now || grant_of(&index, issued.app, issued.grant, now).is_none()
        };
        all.iter().filter(ended).map(|issued| issued.id.row()).collect()
    };
    if dead.is_empty() {
        return Ok(());
    }
    store.change(now, |transaction| {
        dead.iter()
            .try_for_each(|row| transaction.delete(Table::Issued, *row))
    })
}

pub(super) fn delete_family(transaction: &mut Transaction<'_>, family: IssuedId) -> Result<(), Error> {
    // What this transaction has written itself is not among them; nothing of the family is.
    let all = transaction.store.all::<Issued>()?;
    all.iter()
        .filter(|issued| issued.family == family)
        .try_for_each(|issued| transaction.delete(Table::Issued, issued.id.row()))
}

/// Deletes what was issued to an app, or to all of them, and says how many tokens that were.
pub(crate) fn delete_of(transaction: &mut Transaction<'_>, app: Option<AppId>) -> Result<u64, Error> {
    let mut all = transaction.store.all::<Issued>()?;
    all.retain(|issued| app.is_none_or(|app| issued.app == app));
    all.iter()
        .try_for_each(|issued| transaction.delete(Table::Issued, issued.id.row()))?;
    Ok(all.iter().filter(|issued| !issued.used).count() as u64)
}

fn seconds(end: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(end.duration_since(now).as_secs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn the_words_of_issued_tokens_are_frozen() {
        let every = |kind: Kind| match kind {
            Kind::Access | Kind::Refresh => (),
        };
        for (kind, word) in [(Kind::Access, "access"), (Kind::Refresh, "refresh")] {
            every(kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), word);
            assert_eq!(serde_json::from_value::<Kind>(word.into()).unwrap(), kind);
        }
    }
}
