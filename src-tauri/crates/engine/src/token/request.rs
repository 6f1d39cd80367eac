//! Token requests: which access token a caller gets, and whether it is refreshed first.

use crate::{
    Engine, Error, TokenView,
    access::{consent::AccessRequest, policy::Operation, resolve, visibility::Sight},
    records::{record::Record, sealed_store::SealedStore},
    token::{narrowing, refresh::RefreshTrigger, refresh_timing},
};
use serde::Deserialize;
use std::time::Duration;
use tokenry_core::{
    Caller, Code, Connection, ConnectionId, ConnectionStatus, EventKind, LastFailure, Outcome, ReauthReason,
    Scopes, Secret, Timestamp, Tokens,
};

/// After a failure callers wait this long before they cause another try, in milliseconds.
pub(super) const CALLER_RETRY_PAUSE_MS: i64 = 1_000;

/// What a caller wants of a token.
#[derive(Debug, Clone, Default)]
pub struct TokenRequest {
    /// It must live at least this long, or as long as the provider grants.
    pub min_valid: Duration,
    /// The most it should be able to do; `None` is whatever the connection holds.
    pub scopes: Option<Scopes>,
    /// Who it is for, as the provider calls it.
    pub audience: Option<String>,
    /// Where it will be used: an absolute URI (RFC 8707 §2).
    pub resource: Option<String>,
    /// Whether an audience or a resource that was never used before is sent, although a refusal may cost the sign-in.
    pub allow_unknown_target: bool,
    /// Whether the id token is wanted, too.
    pub id_token: bool,
    /// Whether it has to be a new one, although the current one is good. Each token is replaced once, and three of a
    /// connection in ten minutes, as if a resource had rejected them.
    pub renew: bool,
}

impl From<Duration> for TokenRequest {
    fn from(min_valid: Duration) -> Self {
        Self {
            min_valid,
            ..Self::default()
        }
    }
}

/// The longest list of scopes that a line of the log holds for a hand-out.
const MAX_LOGGED_SCOPE_BYTES: usize = 1024;

/// How far a clock may be set back before what was fetched is looked at again, in seconds.
const CLOCK_SLACK_SECONDS: i64 = 60;

impl Engine {
    /// Hands out an access token that lives at least `min_valid` more, or as long as the provider grants. Refreshes
    /// when due; other callers meanwhile wait for the same refresh. While refreshing fails and the token still
    /// lives, it is handed out with its true end.
    ///
    /// One that can do less, or is for one audience, is fetched for itself; where the provider gives only the whole,
    /// that is handed out if the user agreed to the whole.
    ///
    /// # Errors
    /// When there is no such connection, the user has to sign in again, or the provider cannot be reached and the
    /// token has ended; when a wish is for more than the connection holds, or its provider refuses it.
    pub async fn token(
        &self,
        caller: &Caller,
        reference: &str,
        wish: impl Into<TokenRequest>,
    ) -> Result<TokenView, Error> {
        let wish = wish.into();
        let store = match self.store() {
            Ok(store) => store,
            Err(error) => return self.token_while_locked(caller, reference, &wish).ok_or(error),
        };
        let found = {
            let index = store.index();
            let found = Sight::of(&index, caller, self.latest()).connection(reference);
            found.map(|connection| {
                let (id, provider, owner) = (connection.id, connection.provider, connection.started_by);
                let wanted = AccessRequest::new(Operation::Token).at(provider).of(id, owner);
                let limited = (!wish.is_plain()).then(|| (connection.clone(), index.name_of(connection)));
                (id, provider, wanted, limited)
            })
        };
        let (id, provider, mut wanted, limited) =
            found.map_err(|error| self.not_meant(caller, Operation::Token, reference, error))?;
        if let Some((connection, name)) = limited {
            wanted = self.question_of(&store, caller, &connection, &name, &wish, wanted)?;
        }
        let check = async { self.could_be_found(&store, id) };
        self.check_before_asking(caller, &wanted, check).await?;
        let permit = self.permit(caller, wanted.clone()).await?;
        let (min_valid, with_id_token) = (wish.min_valid, wish.id_token);
        let renewed = match wish.renew {
            true => self.renewed_on_request(&store, id).await,
            false => Ok(()),
        };
        let limits = match (renewed, wish.is_plain() && permit.token_scopes.is_none()) {
            (Err(error), _) => Err(error),
            (Ok(()), true) => Ok(None),
            (Ok(()), false) => self.limits(&store, id, caller, wish, &permit),
        };
        let limited = match &limits {
            Ok(Some(limits)) => Some(limits.to.words()),
            _ => None,
        };
        let found = match limits {
            Ok(Some(limits)) => self.find_narrowed(&store, id, &limits, min_valid).await,
            Ok(None) => self
                .find_token(&store, id, min_valid)
                .await
                .and_then(|token| narrowing::check_own(token.into(), &permit)),
            Err(error) => Err(error),
        };
        let found = match found {
            Ok(token) if with_id_token => {
                let most = permit.token_scopes.as_ref();
                let id_token = self.find_id_token(&store, id, min_valid, most).await;
                id_token.map(|id_token| TokenView {
                    id_token: Some(id_token),
                    ..token
                })
            }
            found => found,
        };
        let found = found.and_then(|token| self.still_permitted(caller, &wanted, &permit).map(|()| token));
        let (outcome, detail) = match &found {
            Ok(_) if with_id_token => {
                let detail = limited.map_or_else(String::new, |limited| format!("{limited}, "));
                (Outcome::Done, Some(detail + "with the id token"))
            }
            Ok(_) => (Outcome::Done, limited),
            Err(error) if error.code() == Code::PermissionDenied => {
                (Outcome::Refused, Some(error.to_string()))
            }
            Err(error) => (Outcome::Failed, Some(error.to_string())),
        };
        let mut event = self
            .event(caller, EventKind::TokenHandedOut, outcome)
            .with_provider(provider)
            .with_connection(id)
            .with_detail_if(detail.as_deref())
            .by(permit.rule);
        match found {
            Ok(token) => {
                event.token_expires_at = token.expires_at;
                event.token_scopes = logged(&token.scopes);
                self.inner.activity.used(id, event);
                Ok(token)
            }
            Err(error) => {
                self.inner.activity.push(event);
                Err(error)
            }
        }
    }

    /// Whether a token could be handed out as things are: nothing is sent.
    fn could_be_found(&self, store: &SealedStore, id: ConnectionId) -> Result<(), Error> {
        let (name, connection) = narrowing::known(store, id)?;
        can_be_handed_out(&connection, &name)?;
        let tokens = store.get::<Tokens>(id.row())?;
        let lives = |end: Option<Timestamp>| end.is_none_or(|end| end > self.now());
        // One that lives is handed out, whatever stands in the way of a fresh one.
        let is_at_hand = |tokens: &Tokens| {
            lives(tokens.expires_at) || tokens.narrowed.iter().any(|kept| lives(kept.expires_at))
        };
        if tokens.as_ref().is_some_and(is_at_hand) {
            return Ok(());
        }
        self.may_renew(store, &connection, &name, self.now())
    }

    pub(super) async fn find_token(
        &self,
        store: &SealedStore,
        id: ConnectionId,
        min_valid: Duration,
    ) -> Result<StoredAccessToken, Error> {
        // Opened and decrypted for every request: there is no cache of plaintext.
        let stored = || store.get_part::<StoredAccessToken>(Tokens::TABLE, id.row());
        let token = stored()?;
        let now = self.now();
        let (name, connection) = {
            let index = store.index();
            let Some(connection) = index.connection(id) else {
                return Err(resolve::gone(&id.to_string()));
            };
            let is_good = |t: &StoredAccessToken| is_fresh(t.obtained_at, t.expires_at, min_valid, now);
            let fresh = token.filter(|t| !connection.doubtful && is_good(t));
            if let (ConnectionStatus::Active, Some(token)) = (connection.status, fresh) {
                return Ok(token);
            }
            (index.name_of(connection), connection.clone())
        };
        can_be_handed_out(&connection, &name)?;
        let refused = match self.may_renew(store, &connection, &name, now) {
            Ok(()) => self.refreshed(id, RefreshTrigger::Due(min_valid)).await.err(),
            Err(error) => Some(error),
        };
        // Whatever became of that: what is there now is good, if it lives and no narrowed answer casts doubt on it.
        let now = store.index().connection(id).cloned();
        if let Some(connection) = &now {
            can_be_handed_out(connection, &name)?;
        }
        let is_doubtful = now.is_some_and(|connection| connection.doubtful);
        let is_alive = |token: &StoredAccessToken| token.expires_at.is_none_or(|end| end > self.now());
        let alive = stored()?.filter(|token| !is_doubtful && is_alive(token));
        match (alive, refused) {
            (Some(token), _) => Ok(token),
            (None, Some(error)) => Err(error),
            (None, None) => Err(ended_at_once(&name)),
        }
    }

    /// Whether a caller may cause a request to the provider now.
    pub(super) fn may_renew(
        &self,
        store: &SealedStore,
        connection: &Connection,
        name: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        if let ConnectionStatus::NeedsReauth(reason) = self.status_now(connection) {
            return Err(Error::needs_reauth(name.to_owned(), reason, connection));
        }
        if let Some(why) = store.read_only() {
            return Err(Error::ReadOnly(why));
        }
        if let Some(trouble) = &connection.trouble {
            let since = now.as_millisecond() - trouble.at.as_millisecond();
            let next = trouble.next_try_at.filter(|next| *next > now);
            // Callers keep to the announced time, like the schedule. A clock that was set back must not make a pause of
            // a second last for hours.
            let soon = (0..CALLER_RETRY_PAUSE_MS).contains(&since);
            if soon || (next.is_some() && (since >= 0 || trouble.asked_by_provider)) {
                return Err(held_back(trouble, next, now));
            }
        }
        Ok(())
    }
}

/// The scopes of a token as its line in the log holds them. A list that is too long is left out.
fn logged(scopes: &Scopes) -> Option<Scopes> {
    let bytes: usize = scopes.iter().map(|scope| scope.len() + 1).sum();
    (1..=MAX_LOGGED_SCOPE_BYTES)
        .contains(&bytes)
        .then(|| scopes.clone())
}

/// Whether a connection that stands like this hands out tokens at all.
pub(super) fn can_be_handed_out(connection: &Connection, name: &str) -> Result<(), Error> {
    match connection.status {
        ConnectionStatus::Paused => Err(Error::Paused(name.to_owned())),
        ConnectionStatus::Disconnecting => Err(resolve::gone(name)),
        ConnectionStatus::NeedsReauth(ReauthReason::CutOff) => Err(Error::needs_reauth(
            name.to_owned(),
            ReauthReason::CutOff,
            connection,
        )),
        ConnectionStatus::Pending => Err(Error::Conflict(format!(
            "{name} still waits for its sign-in; finish it in the browser"
        ))),
        _ => Ok(()),
    }
}

pub(super) fn ended_at_once(name: &str) -> Error {
    Error::Unreachable {
        message: format!(
            "the provider of {name} gave a token that ended at once; check this machine's clock"
        ),
        next_try_at: None,
        wait: None,
    }
}

/// The same code as the answer had that the pause is for.
fn held_back(trouble: &LastFailure, next_try_at: Option<Timestamp>, now: Timestamp) -> Error {
    let message = trouble.message.clone();
    let wait = next_try_at.map(|next| next.duration_since(now).unsigned_abs());
    match trouble.provider_error.clone() {
        Some(provider_error) => Error::HeldBack {
            message,
            provider_error,
            next_try_at,
            wait,
        },
        None => Error::Unreachable {
            message,
            next_try_at,
            wait,
        },
    }
}

/// What a hand-out takes out of the record of a connection's tokens. The refresh token is not part of it.
#[derive(Deserialize)]
pub(super) struct StoredAccessToken {
    access_token: Secret,
    token_type: String,
    expires_at: Option<Timestamp>,
    scopes: Scopes,
    obtained_at: Timestamp,
}

impl From<StoredAccessToken> for TokenView {
    fn from(token: StoredAccessToken) -> Self {
        Self {
            access_token: token.access_token,
            token_type: token.token_type,
            expires_at: token.expires_at,
            scopes: token.scopes,
            id_token: None,
        }
    }
}

/// Whether a token lives as long as a caller needs it to. One whose end is unknown is used until a caller says that
/// it was rejected.
pub(super) fn is_fresh(
    obtained_at: Timestamp,
    expires_at: Option<Timestamp>,
    min_valid: Duration,
    now: Timestamp,
) -> bool {
    // A token from the future: the clock was wrong then, and so may be its end.
    if obtained_at.as_second() - now.as_second() > CLOCK_SLACK_SECONDS {
        return false;
    }
    expires_at.is_none_or(|end| {
        let left = end.as_millisecond() - now.as_millisecond();
        left > 0 && left >= refresh_timing::required_validity(min_valid, obtained_at, end)
    })
}
