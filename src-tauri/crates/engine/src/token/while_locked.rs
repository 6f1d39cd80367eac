//! Access tokens that are kept in memory while the vault is locked, for apps with a grant that says so.
//!
//! What must never be true of it: that anything is kept while the setting is off; that more is kept than the living
//! access tokens within such a grant, and what recognises its app; that one is there after its end, or after an unlock.

use super::request::{StoredAccessToken, TokenRequest};
use crate::{
    Engine, Error, TokenView,
    access::visibility::Sight,
    engine::blocking,
    locks,
    records::{record::Record, sealed_store::SealedStore},
    settings,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokenry_core::{
    ApiScope, AppCaller, AppId, Caller, Connection, ConnectionId, ConnectionStatus, EventKind, Grant,
    GrantId, Outcome, ProviderId, Rule, Secret, Timestamp, Tokens,
};
use tokenry_vault::TokenHasher;

/// How many may be handed out before the next unlock, when they are written into the activity log: the lines that
/// wait for that must not push each other out.
const MAX_HAND_OUTS: usize = 4_000;
/// How often it is looked at least whether something has ended: timers stop while the machine sleeps.
const WIPE_INTERVAL: Duration = Duration::from_secs(30);

/// Empty while the vault is open, and while the setting is off.
#[derive(Default)]
pub(crate) struct KeptTokens(Mutex<Option<Kept>>);

struct Kept {
    /// Recognises the own tokens of apps. It opens no record.
    hasher: TokenHasher,
    apps: Vec<KeptApp>,
    handed_out: usize,
}

struct KeptApp {
    id: AppId,
    token_hash: [u8; 32],
    tokens: Vec<KeptToken>,
}

struct KeptToken {
    grant: GrantId,
    provider: ProviderId,
    connection: ConnectionId,
    /// What the app may call the connection.
    names: Vec<String>,
    token: TokenView,
    /// When the token ends, or the grant, whichever is first; by the time since boot, which cannot be set back.
    ends: Duration,
}

impl Kept {
    /// Wipes what has ended by this time since boot.
    fn wipe_ended(&mut self, now: Duration) {
        for app in &mut self.apps {
            app.tokens.retain(|kept| kept.ends > now);
        }
        self.apps.retain(|app| !app.tokens.is_empty());
    }

    fn next_end(&self) -> Option<Duration> {
        let ends = self.apps.iter().flat_map(|app| &app.tokens).map(|kept| kept.ends);
        ends.min()
    }
}

impl KeptTokens {
    /// The app that has this token of its own, if something is kept for it.
    pub(crate) fn app_of(&self, bearer: &Secret) -> Option<AppId> {
        let kept = locks::lock(&self.0);
        let kept = kept.as_ref()?;
        let hash = kept.hasher.hash(bearer);
        let mut apps = kept.apps.iter();
        apps.find(|app| tokenry_core::same_bytes(&app.token_hash, &hash))
            .map(|app| app.id)
    }

    /// How many tokens are kept.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        let kept = locks::lock(&self.0);
        kept.iter()
            .flat_map(|kept| &kept.apps)
            .map(|app| app.tokens.len())
            .sum()
    }

    pub(crate) fn wipe(&self) {
        locks::lock(&self.0).take();
    }

    /// Wipes what has ended. Gives when the next one ends; `None` when nothing is left.
    fn wipe_ended(&self, now: Duration) -> Option<Duration> {
        let mut kept = locks::lock(&self.0);
        let inner = kept.as_mut()?;
        inner.wipe_ended(now);
        let next = inner.next_end();
        if next.is_none() {
            *kept = None;
        }
        next
    }
}

impl Engine {
    /// Keeps what apps get while the vault is locked. Called right before a lock.
    pub(crate) async fn keep_tokens(&self, store: Arc<SealedStore>) {
        let (engine, now) = (self.clone(), self.latest());
        let found = blocking(move || engine.to_keep(&store, now)).await;
        match found {
            Ok(Some(kept)) => {
                *locks::lock(&self.inner.kept.0) = Some(kept);
                self.spawn(wipe_in_time);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!("no token is kept for apps while the vault is locked: {error}"),
        }
    }

    fn to_keep(&self, store: &SealedStore, now: Timestamp) -> Result<Option<Kept>, Error> {
        if !settings::read(store)?.tokens_while_locked || store.read_only().is_some() {
            return Ok(None);
        }
        let grants: Vec<Grant> = {
            let index = store.index();
            let holds = |grant: &&Grant| {
                grant.while_locked && grant.is_alive(now) && grant.scopes.contains(&ApiScope::TokensRead)
            };
            index.grants().filter(holds).cloned().collect()
        };
        let mut apps: Vec<KeptApp> = Vec::new();
        for grant in grants {
            let Some(token_hash) = store.index().app(grant.app).and_then(|app| app.token_hash) else {
                continue;
            };
            let tokens = tokens_of(store, &grant, (now, self.inner.clock.boottime()))?;
            match apps.iter_mut().find(|app| app.id == grant.app) {
                Some(app) => app.tokens.extend(tokens),
                None => apps.push(KeptApp {
                    id: grant.app,
                    token_hash,
                    tokens,
                }),
            }
        }
        apps.retain(|app| !app.tokens.is_empty());
        Ok((!apps.is_empty()).then(|| Kept {
            hasher: store.vault().token_hasher(),
            apps,
            handed_out: 0,
        }))
    }

    /// A token of a connection while the vault is locked, if it was kept for this app. Nothing is refreshed, so it is
    /// handed out with its true end. The line of the log is written at the next unlock.
    pub fn token_while_locked(
        &self,
        caller: &Caller,
        reference: &str,
        request: &TokenRequest,
    ) -> Option<TokenView> {
        let app = caller.app()?;
        if !request.is_plain() || request.id_token {
            return None;
        }
        let (view, grant, provider, connection) = {
            let mut kept = locks::lock(&self.inner.kept.0);
            let kept = kept.as_mut()?;
            kept.wipe_ended(self.inner.clock.boottime());
            if kept.handed_out >= MAX_HAND_OUTS {
                return None;
            }
            let app = kept.apps.iter().find(|kept| kept.id == app)?;
            let token = app
                .tokens
                .iter()
                .find(|token| token.names.iter().any(|name| name == reference))?;
            let found = (token.token.clone(), token.grant, token.provider, token.connection);
            kept.handed_out += 1;
            found
        };
        let event = self
            .event(caller, EventKind::TokenHandedOut, Outcome::Done)
            .with_provider(provider)
            .with_connection(connection)
            .with_detail("while the vault was locked")
            .by(Rule::Grant(grant));
        self.inner.activity.used_grant(app, grant, event.at);
        self.inner.activity.used(connection, event);
        Some(view)
    }
}

/// Wipes each token when it ends, until the vault is unlocked.
async fn wipe_in_time(engine: Engine) {
    let locks = engine.locks();
    let clock = &engine.inner.clock;
    while let Some(next) = engine.inner.kept.wipe_ended(clock.boottime()) {
        let left = next.saturating_sub(clock.boottime());
        tokio::time::sleep(WIPE_INTERVAL.min(left)).await;
        if engine.locks() > locks + 1 {
            // A later lock has a task of its own.
            return;
        }
    }
}

/// The living tokens that this grant covers. `now` is also the time since boot.
fn tokens_of(
    store: &SealedStore,
    grant: &Grant,
    (now, boottime): (Timestamp, Duration),
) -> Result<Vec<KeptToken>, Error> {
    let mut tokens = Vec::new();
    for id in &grant.connections {
        let Some(connection) = store.index().connection(*id).cloned() else {
            continue;
        };
        if connection.status != ConnectionStatus::Active || connection.doubtful {
            continue;
        }
        let Some(token) = store.get_part::<StoredAccessToken>(Tokens::TABLE, id.row())? else {
            continue;
        };
        let token = TokenView::from(token);
        let is_within = grant
            .token_scopes
            .as_ref()
            .is_none_or(|most| token.scopes.is_within(most));
        // One whose end is unknown could not be wiped in time.
        let Some(ends) = token.expires_at.filter(|end| *end > now && is_within) else {
            continue;
        };
        let ends = grant.expires_at.map_or(ends, |end| end.min(ends));
        tokens.push(KeptToken {
            grant: grant.id,
            provider: connection.provider,
            connection: *id,
            names: names_of(store, &connection, grant, now),
            token,
            ends: boottime + ends.duration_since(now).unsigned_abs(),
        });
    }
    Ok(tokens)
}

/// What the app may call this connection, and is understood now: its id, its name, its provider, its label.
fn names_of(store: &SealedStore, connection: &Connection, grant: &Grant, now: Timestamp) -> Vec<String> {
    let index = store.index();
    let caller = Caller::App(AppCaller {
        app: grant.app,
        grant: None,
        scopes: None,
        token: None,
        peer: None,
    });
    let sight = Sight::of(&index, &caller, now);
    let mut names = vec![connection.id.to_string(), index.name_of(connection)];
    let provider = index
        .provider_name(connection.provider)
        .zip(index.project_of(connection.provider));
    if let Some((name, project)) = provider {
        names.push(name.to_string());
        names.push(format!("{project}/{name}"));
        names.push(connection.provider.to_string());
    }
    names.extend(connection.label.clone());
    names.retain(|name| {
        sight
            .connection(name)
            .is_ok_and(|found| found.id == connection.id)
    });
    names.sort();
    names.dedup();
    names
}
