//! Events of the activity log, and their callers.

use crate::{
    ApiScope, AppId, CallerKind, Connection, ConnectionId, CredentialId, EventId, EventKind, GrantId,
    IssuedId, Outcome, ProviderId, RequestId, Scopes,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One line of the activity log: who asked for what, what was decided, what happened. Never a value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Its id; ids sort by time.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What it is about.
    pub kind: EventKind,
    /// The kind of the caller.
    pub caller: Caller,
    /// The provider concerned.
    pub provider: Option<ProviderId>,
    /// The connection concerned.
    pub connection: Option<ConnectionId>,
    /// The credential concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialId>,
    /// The app concerned, where it is not the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppId>,
    /// The outcome.
    pub outcome: Outcome,
    /// The rule that allowed or denied it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// More in words, cleaned; never a value.
    pub detail: Option<String>,
    /// For a hand-out of a token: when that token ends, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_expires_at: Option<Timestamp>,
    /// For a hand-out of a token: what that token can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_scopes: Option<Scopes>,
    /// The request that was refused or failed: its error names the same id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// How often it happened: repeats of what was refused or failed are one line.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub count: u64,
    /// When it happened first, if more than once; then `at` is the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_at: Option<Timestamp>,
}

fn once() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_once(count: &u64) -> bool {
    *count == 1
}

impl Event {
    /// The same, let through by this rule.
    #[must_use]
    pub fn by(mut self, rule: Rule) -> Self {
        self.rule = Some(rule);
        self
    }

    /// The same, about a connection and its provider.
    #[must_use]
    pub fn about(self, connection: &Connection) -> Self {
        self.with_provider(connection.provider)
            .with_connection(connection.id)
    }

    /// The same, about a provider, if there is one.
    #[must_use]
    pub fn with_provider(mut self, id: impl Into<Option<ProviderId>>) -> Self {
        self.provider = id.into();
        self
    }

    /// The same, about a connection, if there is one.
    #[must_use]
    pub fn with_connection(mut self, id: impl Into<Option<ConnectionId>>) -> Self {
        self.connection = id.into();
        self
    }

    /// The same, about a credential, if there is one.
    #[must_use]
    pub fn with_credential(mut self, id: impl Into<Option<CredentialId>>) -> Self {
        self.credential = id.into();
        self
    }

    /// The same, about an app, if there is one.
    #[must_use]
    pub fn with_app(mut self, id: impl Into<Option<AppId>>) -> Self {
        self.app = id.into();
        self
    }

    /// The same, with more text, sanitized for display.
    #[must_use]
    pub fn with_detail(self, detail: &str) -> Self {
        self.with_detail_if(Some(detail))
    }

    /// The same, with more text if there is any, sanitized for display.
    #[must_use]
    pub fn with_detail_if(mut self, detail: Option<&str>) -> Self {
        self.detail = detail.map(crate::clean);
        self
    }
}

/// The rule that allowed or denied something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rule", content = "grant")]
pub enum Rule {
    /// The person did it, in our own window.
    Window,
    /// Tokenry did it in the background.
    Engine,
    /// Every program of this user may.
    SameUser,
    /// The app has a grant.
    Grant(GrantId),
    /// The user allowed it for the session.
    Session,
    /// The user allowed it once.
    Once,
    /// The engine was started with `--approve all`.
    ApproveAll,
    /// The user denied it.
    Denied,
    /// The person said no a moment ago, and is not asked again yet.
    DeniedBefore,
    /// The user did not answer in time.
    Unanswered,
    /// The user could not be prompted.
    CannotAsk,
    /// The app has no grant for it.
    NoGrant,
    /// Callers of this kind may not do it.
    NotForThisCaller,
}

impl Rule {
    /// The rule as the API writes it; the grant is a field of its own there.
    pub fn word(self) -> tokenry_contract::Rule {
        use tokenry_contract::Rule as Word;
        match self {
            Self::Window => Word::Window,
            Self::Engine => Word::Engine,
            Self::SameUser => Word::SameUser,
            Self::Grant(_) => Word::Grant,
            Self::Session => Word::Session,
            Self::Once => Word::Once,
            Self::ApproveAll => Word::ApproveAll,
            Self::Denied => Word::Denied,
            Self::DeniedBefore => Word::DeniedBefore,
            Self::Unanswered => Word::Unanswered,
            Self::CannotAsk => Word::CannotAsk,
            Self::NoGrant => Word::NoGrant,
            Self::NotForThisCaller => Word::NotForThisCaller,
        }
    }

    /// The grant, when the rule is `grant`.
    pub fn grant(self) -> Option<GrantId> {
        match self {
            Self::Grant(id) => Some(id),
            _ => None,
        }
    }
}

/// Who asks the engine for something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Caller {
    /// The person, in our own window.
    Ui,
    /// A program of this machine, on the socket.
    Program(Peer),
    /// The window that asks for consent. It answers questions and does nothing else.
    Consent,
    /// An app, authenticated by its own token.
    App(AppCaller),
    /// The engine's own scheduler.
    Engine,
}

impl Caller {
    /// The process that asks, where there is one.
    pub fn peer(&self) -> Option<&Peer> {
        match self {
            Self::Program(peer) => Some(peer),
            Self::App(app) => app.peer.as_ref(),
            _ => None,
        }
    }

    /// The same, where the caller is not needed any more.
    pub fn into_peer(self) -> Option<Peer> {
        match self {
            Self::Program(peer) => Some(peer),
            Self::App(app) => app.peer,
            _ => None,
        }
    }

    /// What kind of caller it is.
    pub fn kind(&self) -> CallerKind {
        match self {
            Self::Ui => CallerKind::Ui,
            Self::Program(_) => CallerKind::Program,
            Self::Consent => CallerKind::Consent,
            Self::App(_) => CallerKind::App,
            Self::Engine => CallerKind::Engine,
        }
    }

    /// The app that asks, if it is one.
    pub fn app(&self) -> Option<AppId> {
        match self {
            Self::App(app) => Some(app.app),
            _ => None,
        }
    }
}

/// An app that proved itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AppCaller {
    /// Which one.
    pub app: AppId,
    /// With an access token of our authorization server: the only grant that counts. With the app's own token: none,
    /// and all of its grants do.
    pub grant: Option<GrantId>,
    /// With an access token: its scopes, which may be fewer than those of the grant. `None` is all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<BTreeSet<ApiScope>>,
    /// With an access token: which one. It is not stored.
    #[serde(skip)]
    pub token: Option<IssuedId>,
    /// The calling process, if the server could identify it.
    pub peer: Option<Peer>,
}

/// What the operating system says of the program on the other end of a socket. The path is a label, not a proof.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Peer {
    /// Its user.
    pub uid: u32,
    /// Its process id when it connected.
    pub pid: u32,
    /// When that process began, in clock ticks since boot: a pid alone may be reused.
    pub started: u64,
    /// The path of its program, cleaned.
    pub program: Option<String>,
    /// The terminal session it belongs to.
    pub session: Option<u32>,
    /// The program of ours that it had connect for it; `None` when it connected itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helper: Option<Helper>,
    /// Where it stands for another host; its program is called after that host then, which no path is.
    #[serde(skip)]
    pub remote: Option<Remote>,
}

/// What the programs of another host can reach, over a socket that ssh forwards there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Remote {
    /// The number of the socket, which is never used again while the engine runs.
    pub forward: u64,
    /// The connections that it was opened for.
    pub connections: BTreeSet<ConnectionId>,
}

/// A process of ours that a program runs to get a token: git runs `git-credential-tokenry`, for example.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Helper {
    /// The command that it runs.
    pub command: String,
    /// Its process id.
    pub pid: u32,
    /// When it began, in clock ticks since boot.
    pub started: u64,
}
