use crate::ledger::Record;
use serde::{Deserialize, Serialize};
use tokenry_core::{Connection, Provider, Rotation, Timestamp, Tokens};
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
    /// It never left, or somebody answered who did not take it: it may be sent again.
    Free,
    /// The answer is on disk.
    Done,
}

impl Record for JournalEntry {
    const TABLE: Table = Table::Journal;
}

/// What may be done with a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Send it.
    Send,
    /// Not while the access token lives: sending it again could end that one too.
    HoldUntil(Timestamp),
    /// The provider has used it up, and its answer is lost.
    Lost,
}

/// Whether a refresh token may be sent, given what is known of the last time it was.
///
/// An unreadable end of the last attempt means something else at each provider: nothing where tokens are not
/// rotated; nothing within the grace; the end where a used token must not come back. Where nobody knows, the living
/// access token is used up first, and then there is nothing to lose by asking.
pub(crate) fn verdict(
    entry: Option<&JournalEntry>,
    fingerprint: &str,
    provider: &Provider,
    connection: &Connection,
    tokens: &Tokens,
    asked_by_person: bool,
    now: Timestamp,
) -> Verdict {
    let Some(entry) = entry else { return Verdict::Send };
    let open_end = matches!(entry.state, JournalState::Sent | JournalState::Unanswered);
    if !open_end || entry.fence != tokens.fence || entry.fingerprint != fingerprint || asked_by_person {
        return Verdict::Send;
    }
    match provider.rotation {
        Rotation::None => Verdict::Send,
        Rotation::Grace { seconds } => {
            let since = now.as_second() - entry.first_sent_at.as_second();
            if since < i64::from(seconds) {
                Verdict::Send
            } else {
                Verdict::Lost
            }
        }
        Rotation::Strict => Verdict::Lost,
        Rotation::Unknown => match connection.expires_at {
            Some(end) if end > now => Verdict::HoldUntil(end),
            _ => Verdict::Send,
        },
    }
}
