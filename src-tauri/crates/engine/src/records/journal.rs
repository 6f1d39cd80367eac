//! The refresh journal: what is on disk about a refresh before it is sent.

use crate::records::record::Record;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokenry_core::{Rotation, Timestamp};
use tokenry_store::Table;

/// What is on disk about a refresh before it is sent, so that a crash in the middle is known for what it was.
/// One row for each connection, under the connection's own key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JournalEntry {
    /// A keyed hash of the refresh token that was sent.
    pub(crate) fingerprint: String,
    /// The [`Tokens::fence`] it belongs to.
    pub(crate) fence: u64,
    /// How many times this token was sent.
    pub(crate) attempt: u32,
    /// When it was first sent.
    pub(crate) first_sent_at: Timestamp,
    /// How far it went.
    pub(crate) state: JournalState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JournalState {
    /// It may have been sent; no answer is on disk.
    Sent,
    /// Sent, and nothing that could be read came back.
    Unanswered,
    /// A server broke down over it: it may or may not have been taken before that.
    #[serde(rename = "doubtful")]
    Ambiguous,
    /// Sent with limits, and the provider refused: some servers replace the token before they look at the limits.
    LimitRefused,
    /// It was not sent, or a proxy answered: it may be sent again.
    #[serde(rename = "free")]
    Retryable,
}

impl JournalState {
    /// Whether the token may have been used without our knowing what for.
    pub(crate) fn is_unresolved(self) -> bool {
        self != Self::Retryable
    }

    /// Whether the server may have done nothing with it: then there is something to lose by giving it up.
    pub(super) fn may_be_unused(self) -> bool {
        matches!(self, Self::Ambiguous | Self::LimitRefused | Self::Retryable)
    }
}

impl Record for JournalEntry {
    const TABLE: Table = Table::Journal;
}

/// What may be done with a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Send it. The time is when it has to be there, if that matters.
    Send(Option<Timestamp>),
    /// Not while the access token lives: sending it again could end that one too. When that ends, if it is known.
    Hold(Option<Timestamp>),
    /// The provider has used it up, and its answer is lost.
    Lost,
}

/// Whether a refresh token may be sent, given what is known of the last time it was; `entry` is about this very
/// token, or `None`.
///
/// An unreadable end of the last attempt means something else at each provider: nothing where tokens are not
/// rotated; nothing within the grace; the end where a used token must not come back. Where it is unknown, or a server
/// broke down and may have done nothing at all, the living access token is used up first, and then there is nothing
/// to lose by asking.
pub(crate) fn verdict(
    entry: Option<&JournalEntry>,
    rotation: Rotation,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Verdict {
    let Some(entry) = entry.filter(|entry| entry.state.is_unresolved()) else {
        return Verdict::Send(None);
    };
    let used_up = match rotation {
        Rotation::None => return Verdict::Send(None),
        Rotation::Grace { seconds } => {
            let end = tokenry_core::later(entry.first_sent_at, Duration::from_secs(seconds.into()));
            if now < end {
                return Verdict::Send(Some(end));
            }
            true
        }
        Rotation::Strict => true,
        Rotation::Unknown => false,
    };
    if used_up && !entry.state.may_be_unused() {
        return Verdict::Lost;
    }
    match expires_at {
        Some(end) if end <= now => Verdict::Send(None),
        known => Verdict::Hold(known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn judged(state: JournalState, rotation: Rotation, expires_at: Option<i64>, now: i64) -> Verdict {
        let entry = JournalEntry {
            fingerprint: "f".to_owned(),
            fence: 1,
            attempt: 1,
            first_sent_at: at(100),
            state,
        };
        verdict(Some(&entry), rotation, expires_at.map(at), at(now))
    }

    #[test]
    fn the_words_of_journal_states_are_frozen() {
        use JournalState as S;
        let every = |state: S| match state {
            S::Sent | S::Unanswered | S::Ambiguous | S::LimitRefused | S::Retryable => (),
        };
        for (state, word) in [
            (S::Sent, "sent"),
            (S::Unanswered, "unanswered"),
            (S::Ambiguous, "doubtful"),
            (S::LimitRefused, "limit_refused"),
            (S::Retryable, "free"),
        ] {
            every(state);
            assert_eq!(serde_json::to_value(state).unwrap(), word);
            assert_eq!(serde_json::from_value::<S>(word.into()).unwrap(), state);
        }
    }

    /// SECURITY.md, "Refresh", 7: what a lost answer means is a fact about the provider.
    #[test]
    fn what_an_unresolved_attempt_means_depends_on_the_rotation_of_the_provider() {
        use JournalState::{Ambiguous, LimitRefused, Retryable, Sent, Unanswered};
        let grace = Rotation::Grace { seconds: 10 };
        for state in [Sent, Unanswered] {
            assert_eq!(judged(state, Rotation::None, Some(500), 200), Verdict::Send(None));
            assert_eq!(judged(state, grace, Some(500), 109), Verdict::Send(Some(at(110))));
            assert_eq!(judged(state, grace, Some(500), 110), Verdict::Lost);
            assert_eq!(judged(state, Rotation::Strict, Some(500), 100), Verdict::Lost);
        }
        for (state, rotation) in [
            (Unanswered, Rotation::Unknown),
            (Ambiguous, Rotation::Unknown),
            (Ambiguous, Rotation::Strict),
            (Ambiguous, grace),
            (LimitRefused, Rotation::Unknown),
            (LimitRefused, Rotation::Strict),
        ] {
            assert_eq!(
                judged(state, rotation, Some(500), 200),
                Verdict::Hold(Some(at(500)))
            );
            assert_eq!(judged(state, rotation, Some(500), 500), Verdict::Send(None));
            assert_eq!(judged(state, rotation, None, 200), Verdict::Hold(None));
        }
        for rotation in [Rotation::None, grace, Rotation::Strict, Rotation::Unknown] {
            assert_eq!(judged(Retryable, rotation, Some(500), 200), Verdict::Send(None));
        }
    }
}
