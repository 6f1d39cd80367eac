use crate::{
    Engine, Error, TokenView, ledger::Ledger, policy::Operation, record::Record, refresh::Why, resolve,
    schedule,
};
use serde::Deserialize;
use std::time::Duration;
use tokenry_core::{
    Caller, Connection, ConnectionStatus, EventKind, Outcome, Scopes, Secret, Timestamp, Tokens,
};

/// After a failure callers wait this long before they cause another try, in milliseconds.
const CALLERS_PAUSE: i64 = 1_000;

/// How far a clock may be set back before what was fetched is looked at again, in seconds.
const CLOCK_SLACK: i64 = 60;

impl Engine {
    /// Hands out an access token that lives at least `min_valid` more, or as long as the provider grants. Refreshes
    /// when due; whoever asks meanwhile waits for the same refresh. While refreshing fails and the token still
    /// lives, it is handed out with its true end.
    ///
    /// # Errors
    /// When there is no such connection, its person has to connect again, or the provider cannot be reached and the
    /// token has ended.
    pub async fn token(
        &self,
        caller: &Caller,
        reference: &str,
        min_valid: Duration,
    ) -> Result<TokenView, Error> {
        self.allow(caller, Operation::Token)?;
        let ledger = self.ledger()?;
        let (id, provider) = {
            let index = ledger.index();
            let connection = resolve::connection(&index, reference)?;
            (connection.id, connection.provider)
        };
        let found = self.find_token(&ledger, id, min_valid).await;
        let (outcome, detail) = match &found {
            Ok(_) => (Outcome::Done, None),
            Err(error) => (Outcome::Failed, Some(error.to_string())),
        };
        let event = self.event(
            caller,
            EventKind::TokenHandedOut,
            Some(provider),
            Some(id),
            outcome,
            detail.as_deref(),
        );
        match found {
            Ok(token) => {
                self.inner.activity.used(id, event);
                Ok(TokenView {
                    access_token: token.access_token,
                    token_type: token.token_type,
                    expires_at: token.expires_at,
                    scopes: token.scopes,
                })
            }
            Err(error) => {
                self.inner.activity.push(event);
                Err(error)
            }
        }
    }

    async fn find_token(
        &self,
        ledger: &Ledger,
        id: tokenry_core::ConnectionId,
        min_valid: Duration,
    ) -> Result<AtHand, Error> {
        // Opened and decrypted for every request: there is no cache of plaintext.
        let stored = || ledger.get_part::<AtHand>(Tokens::TABLE, id.row());
        let token = stored()?;
        let now = self.now();
        let (name, connection) = {
            let index = ledger.index();
            let Some(connection) = index.connection(id) else {
                return Err(resolve::gone(&id.to_string()));
            };
            let fresh = token.filter(|t| is_fresh(t.obtained_at, t.expires_at, min_valid, now));
            if let (ConnectionStatus::Active, Some(token)) = (connection.status, fresh) {
                return Ok(token);
            }
            (index.name_of(connection), connection.clone())
        };
        match connection.status {
            ConnectionStatus::Paused => return Err(Error::Paused(name)),
            ConnectionStatus::Disconnecting => return Err(resolve::gone(&name)),
            ConnectionStatus::Pending => {
                return Err(Error::Conflict(format!(
                    "{name} still waits for its sign-in; finish it in the browser"
                )));
            }
            _ => {}
        }
        // Boxed: what is rare and large is not carried along by every hand-out.
        let renewal = Box::pin(self.try_to_renew(ledger, &connection, &name, min_valid, now));
        let refused = renewal.await.err();
        // Whatever became of that: what is there now, if it lives, is good.
        let alive = stored()?.filter(|token| token.expires_at.is_none_or(|end| end > self.now()));
        match (alive, refused) {
            (Some(token), _) => Ok(token),
            (None, Some(error)) => Err(error),
            (None, None) => Err(Error::Unreachable {
                message: format!(
                    "the provider of {name} gave a token that ended at once; check this machine's clock"
                ),
                wait: None,
            }),
        }
    }

    async fn try_to_renew(
        &self,
        ledger: &Ledger,
        connection: &Connection,
        name: &str,
        min_valid: Duration,
        now: Timestamp,
    ) -> Result<(), Error> {
        if let ConnectionStatus::NeedsReauth(reason) = self.status_now(connection) {
            return Err(Error::NeedsReauth {
                name: name.to_owned(),
                reason,
            });
        }
        if let Some(why) = ledger.read_only() {
            return Err(Error::ReadOnly(why.to_owned()));
        }
        if let Some(trouble) = &connection.trouble {
            let since = now.as_millisecond() - trouble.at.as_millisecond();
            let next = trouble.next_try_at.filter(|next| *next > now);
            // A clock that was set back must not make a pause of a second last for hours.
            let soon = (0..CALLERS_PAUSE).contains(&since);
            if soon || (next.is_some() && trouble.asked_by_provider) {
                return Err(Error::Unreachable {
                    message: trouble.message.clone(),
                    wait: next.map(|next| next.duration_since(now).unsigned_abs()),
                });
            }
        }
        self.refreshed(connection.id, Why::Due(min_valid)).await
    }
}

/// What a hand-out takes out of the record of a connection's tokens. The refresh token is not part of it.
#[derive(Deserialize)]
struct AtHand {
    access_token: Secret,
    token_type: String,
    expires_at: Option<Timestamp>,
    scopes: Scopes,
    obtained_at: Timestamp,
}

/// Whether a token lives as long as a caller needs it to. One whose end is unknown is used until somebody says that
/// it was rejected.
pub(crate) fn is_fresh(
    obtained_at: Timestamp,
    expires_at: Option<Timestamp>,
    min_valid: Duration,
    now: Timestamp,
) -> bool {
    // A token from the future: the clock was wrong then, and so may be its end.
    if obtained_at.as_second() - now.as_second() > CLOCK_SLACK {
        return false;
    }
    expires_at.is_none_or(|end| {
        let left = end.as_millisecond() - now.as_millisecond();
        left > 0 && left >= schedule::required_validity(min_valid, obtained_at, end)
    })
}
