//! Access tokens that a resource rejected. A caller reports one by its fingerprint, and each causes one refresh at most.

use crate::{
    Engine, Error,
    access::{consent::AccessRequest, policy::Operation},
    locks,
    records::sealed_store::SealedStore,
    token::{narrowing::known, refresh::RefreshTrigger, request::can_be_handed_out},
};
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokenry_core::{Caller, Connection, ConnectionId, EventKind, Outcome, Rule, Secret, Tokens};

/// How many refreshes reports may cause for one connection in [`REPORT_WINDOW`].
const MAX_REPORTS: usize = 3;
/// See [`MAX_REPORTS`].
const REPORT_WINDOW: Duration = Duration::from_secs(600);

/// What is known of an access token without having it: its SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// When the text is something else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::field(
                "fingerprint",
                "must be the SHA-256 of the access token: 64 hexadecimal digits",
            )
        };
        tokenry_core::from_hex(text).map(Self).ok_or_else(wrong)
    }

    pub(super) fn of(token: &Secret) -> Self {
        Self(Sha256::digest(token.expose()).into())
    }
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectedOutcome {
    /// It was refreshed: there is a new token.
    Refreshed,
    /// The token is not the current one. Nothing was sent.
    Newer,
}

/// The reports that caused a refresh, by connection.
#[derive(Default)]
pub(crate) struct Reports(Mutex<HashMap<ConnectionId, VecDeque<(Fingerprint, Duration)>>>);

impl Reports {
    /// Notes one more, at this time since boot.
    fn add(&self, id: ConnectionId, token: Fingerprint, now: Duration) -> Result<(), Error> {
        let mut all = locks::lock(&self.0);
        let reports = all.entry(id).or_default();
        if reports.iter().any(|(reported, _)| *reported == token) {
            return Err(Error::Conflict(
                "this token was reported before, and the provider gives no other one: the resource rejects it for \
                 another reason, such as a missing scope"
                    .to_owned(),
            ));
        }
        if reports.len() >= MAX_REPORTS
            && let Some((_, first)) = reports.front()
            && let Some(wait) = (*first + REPORT_WINDOW)
                .checked_sub(now)
                .filter(|wait| !wait.is_zero())
        {
            let text = format!(
                "{MAX_REPORTS} tokens of this connection were reported within ten minutes, and each was refreshed: \
                 the resource rejects them for another reason"
            );
            return Err(Error::Busy(text, Some(wait)));
        }
        reports.push_back((token, now));
        let surplus = reports.len().saturating_sub(MAX_REPORTS);
        reports.drain(..surplus);
        Ok(())
    }
}

/// Which of a connection's tokens was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reported {
    Own,
    Narrowed,
    /// None that is handed out now.
    Unknown,
}

impl Engine {
    /// Takes the report that a resource rejected an access token, although it should be good. If it is the current one, it
    /// is refreshed, once for each token.
    ///
    /// Who may have a token may report it; and a program that has it, was allowed to.
    ///
    /// # Errors
    /// When the caller may have no token, the token was reported before, too many were, nothing can refresh it, or the
    /// provider gives none.
    pub async fn token_rejected(
        &self,
        caller: &Caller,
        reference: &str,
        token: Fingerprint,
    ) -> Result<RejectedOutcome, Error> {
        let connection = self.connection_meant(caller, Operation::Token, reference)?;
        let store = self.store()?;
        let reported = reported(&store, connection.id, token)?;
        let rule = self.permit_report(caller, &connection, reported).await?;
        let result = self.renew_rejected(&store, connection.id, token, reported).await;
        let (outcome, detail) = match &result {
            Ok(RejectedOutcome::Refreshed) => (Outcome::Done, "It was refreshed".to_owned()),
            Ok(RejectedOutcome::Newer) => (Outcome::Done, "A newer token is there".to_owned()),
            Err(error) => (Outcome::Failed, error.to_string()),
        };
        let event = self
            .event(caller, EventKind::TokenRejected, outcome)
            .about(&connection)
            .with_detail(&detail);
        self.inner.activity.push(event.by(rule));
        result
    }

    /// The permit for a report: that for a token. A program that has the token need not ask for it again.
    pub(super) async fn permit_report(
        &self,
        caller: &Caller,
        connection: &Connection,
        reported: Reported,
    ) -> Result<Rule, Error> {
        let wanted = AccessRequest::new(Operation::Token)
            .at(connection.provider)
            .of(connection.id, connection.started_by);
        match reported {
            Reported::Unknown => Ok(self.permit(caller, wanted).await?.rule),
            Reported::Own | Reported::Narrowed => self.permit_known(caller, wanted).await,
        }
    }

    /// Replaces the current token for a caller that wants a new one. Without anything to refresh it with, it stays.
    pub(super) async fn renewed_on_request(
        &self,
        store: &SealedStore,
        id: ConnectionId,
    ) -> Result<(), Error> {
        let (name, connection) = known(store, id)?;
        can_be_handed_out(&connection, &name)?;
        let tokens = store.get::<Tokens>(id.row())?;
        let Some(tokens) = tokens.filter(|_| connection.refreshable) else {
            return Ok(());
        };
        self.may_renew(store, &connection, &name, self.now())?;
        let token = Fingerprint::of(&tokens.access_token);
        let now = self.inner.clock.boottime();
        self.inner.refreshes.reports.add(id, token, now)?;
        self.refreshed(id, RefreshTrigger::Rejected(token))
            .await
            .map(drop)
    }

    async fn renew_rejected(
        &self,
        store: &Arc<SealedStore>,
        id: ConnectionId,
        token: Fingerprint,
        reported: Reported,
    ) -> Result<RejectedOutcome, Error> {
        let (name, connection) = known(store, id)?;
        can_be_handed_out(&connection, &name)?;
        if reported == Reported::Own && !connection.refreshable {
            self.note_rejected(store, id).await?;
            return Err(Error::Rejected(name));
        }
        self.may_renew(store, &connection, &name, self.now())?;
        if reported == Reported::Unknown {
            return Ok(RejectedOutcome::Newer);
        }
        let refreshes = &self.inner.refreshes;
        if let Err(again) = refreshes.reports.add(id, token, self.inner.clock.boottime()) {
            // Another caller reported it a moment ago: what comes of that is for both.
            if reported == Reported::Own && refreshes.is_running(id) {
                self.refreshed(id, RefreshTrigger::Rejected(token)).await?;
            }
            return match self::reported(store, id, token)? {
                Reported::Unknown => Ok(RejectedOutcome::Newer),
                Reported::Own | Reported::Narrowed => Err(again),
            };
        }
        if reported == Reported::Narrowed {
            // The next request for such a token fetches another.
            self.drop_narrowed(store, id, token).await?;
            return Ok(RejectedOutcome::Newer);
        }
        self.refreshed(id, RefreshTrigger::Rejected(token)).await?;
        match self::reported(store, id, token)? {
            Reported::Own => {
                self.note_rejected(store, id).await?;
                Err(Error::Conflict(format!(
                    "the provider of {name} gave the same token again: the resource rejects it for another reason, \
                     such as a missing scope"
                )))
            }
            _ => Ok(RejectedOutcome::Refreshed),
        }
    }

    /// Notes for the user that only a new sign-in may bring a token that is taken.
    async fn note_rejected(&self, store: &Arc<SealedStore>, id: ConnectionId) -> Result<(), Error> {
        let now = self.now();
        self.commit(store, move |transaction| {
            if let Some(mut connection) = transaction.get::<Connection>(id.row())? {
                connection.rejected_at = Some(now);
                transaction.put(id.row(), &connection)?;
            }
            Ok(())
        })
        .await?;
        let _ = self.inner.changes.send(crate::Change::Connection(id));
        Ok(())
    }

    async fn drop_narrowed(
        &self,
        store: &Arc<SealedStore>,
        id: ConnectionId,
        token: Fingerprint,
    ) -> Result<(), Error> {
        self.commit(store, move |transaction| {
            if let Some(mut tokens) = transaction.get::<Tokens>(id.row())? {
                tokens
                    .narrowed
                    .retain(|kept| Fingerprint::of(&kept.access_token) != token);
                transaction.put(id.row(), &tokens)?;
            }
            Ok(())
        })
        .await
    }
}

/// Which of the connection's tokens has this fingerprint.
pub(super) fn reported(store: &SealedStore, id: ConnectionId, token: Fingerprint) -> Result<Reported, Error> {
    let Some(tokens) = store.get::<Tokens>(id.row())? else {
        return Ok(Reported::Unknown);
    };
    // A restored connection has none yet, and everybody knows the fingerprint of nothing.
    let is_it = |secret: &Secret| !secret.expose().is_empty() && Fingerprint::of(secret) == token;
    Ok(if is_it(&tokens.access_token) {
        Reported::Own
    } else if tokens.narrowed.iter().any(|kept| is_it(&kept.access_token)) {
        Reported::Narrowed
    } else {
        Reported::Unknown
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_core::{Code, OsRandom, SystemClock};

    fn fingerprint(number: u8) -> Fingerprint {
        Fingerprint([number; 32])
    }

    #[test]
    fn a_fingerprint_is_the_sha_256_of_a_token_as_64_digits() {
        // The test vector of FIPS 180-2 for "abc".
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let of_abc = Fingerprint::of(&Secret::new("abc".to_owned()));
        assert_eq!(Fingerprint::parse(abc).unwrap(), of_abc);
        assert_eq!(Fingerprint::parse(&abc.to_uppercase()).unwrap(), of_abc);
        for wrong in ["", "abc", &abc[1..], &format!("{abc}0"), &abc.replace('b', "g")] {
            let error = Fingerprint::parse(wrong).unwrap_err();
            assert!(error.fields().unwrap().contains_key("fingerprint"), "{wrong}");
        }
    }

    #[test]
    fn a_token_counts_once_and_three_of_a_connection_count_in_ten_minutes() {
        let reports = Reports::default();
        let id = || ConnectionId::new(&SystemClock, &OsRandom);
        let (one, other) = (id(), id());
        let at = Duration::from_secs;
        for number in 0..3 {
            reports.add(one, fingerprint(number), at(number.into())).unwrap();
        }
        let again = reports.add(one, fingerprint(2), at(700)).unwrap_err();
        assert_eq!(again.code(), Code::Conflict, "however long ago");
        let fourth = reports.add(one, fingerprint(3), at(10)).unwrap_err();
        assert_eq!(fourth.code(), Code::RateLimited);
        assert_eq!(fourth.retry_after(), Some(at(590)));
        reports.add(other, fingerprint(3), at(10)).unwrap();
        reports.add(one, fingerprint(3), at(600)).unwrap();
        reports.add(one, fingerprint(4), at(600)).unwrap_err();
    }
}
