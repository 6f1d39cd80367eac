//! Cutting off: grants, permissions and tokens of an app, of a connection, or of everything end at once.
//!
//! What must never be true of it: that it says "revoked" without the provider's word; that something is handed out by
//! a permission from before; that tokens which a provider still has to revoke are forgotten.

mod access;
mod connections;

pub(crate) use connections::finish;

use crate::{
    Engine, Error,
    access::{
        consent::{AccessRequest, Differences},
        grants::{self, Given},
        policy::Operation,
        resolve,
    },
    activity::audit::Scope,
    engine::detached,
    records::{index::Index, sealed_store::SealedStore},
};
use std::sync::Arc;
use tokenry_core::{
    AppId, Caller, Connection, ConnectionId, ConnectionStatus, Event, EventKind, Outcome, RevokeAnswer, Rule,
};

/// What is cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CutOff {
    /// An app, by id or name.
    App(String),
    /// A connection, by id or name.
    Connection(String),
    /// Every app and every connection.
    All,
}

/// The same, resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    App(AppId),
    Connection(ConnectionId),
    All,
}

impl Target {
    fn app(self) -> Option<AppId> {
        match self {
            Self::App(app) => Some(app),
            Self::Connection(_) | Self::All => None,
        }
    }

    fn connection(self) -> Option<ConnectionId> {
        match self {
            Self::Connection(id) => Some(id),
            Self::App(_) | Self::All => None,
        }
    }

    /// The connections whose tokens are removed: those that can have any.
    fn connections(self, index: &Index) -> Vec<Connection> {
        let can_have_tokens = |connection: &&Connection| {
            !matches!(
                connection.status,
                ConnectionStatus::Pending | ConnectionStatus::Disconnecting
            )
        };
        match self {
            Self::App(_) => Vec::new(),
            Self::Connection(id) => index.connection(id).cloned().into_iter().collect(),
            Self::All => index.connections().filter(can_have_tokens).cloned().collect(),
        }
    }
}

impl Engine {
    /// Ends grants, permissions for a session, open prompts and sign-ins, and tokens that Tokenry issued; removes the
    /// tokens of connections, and asks their providers to revoke them. Access ends here before any provider is asked.
    ///
    /// # Errors
    /// When the user does not agree, there is no such app or connection, or nothing may be written.
    pub async fn cut_off(&self, caller: &Caller, what: CutOff) -> Result<RevokeAnswer, Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::CutOff))?;
        let store = self.store()?;
        let (target, wanted) = self.to_cut_off(&store, &what)?;
        let rule = self.permit(caller, wanted).await?.rule;
        let (engine, caller) = (self.clone(), caller.clone());
        // The engine's own task: a caller that goes away stops nothing halfway.
        detached(async move { engine.cut_off_now(&caller, &store, target, rule).await }).await
    }

    /// What is meant, and what has to be known before saying yes.
    fn to_cut_off(&self, store: &SealedStore, what: &CutOff) -> Result<(Target, AccessRequest), Error> {
        let index = store.index();
        let wanted = AccessRequest::new(Operation::CutOff);
        Ok(match what {
            CutOff::App(reference) => {
                let app = resolve::app(&index, reference)?;
                let mut differences = Differences::default();
                differences.text("app", Some(app.name.to_string()), None);
                for grant in index.grants_of(app.id) {
                    grants::differences(&index, grant, Given::Taken, &mut differences);
                }
                let note = format!("It ends all access of the app {}. The app stays registered.", app.name);
                (Target::App(app.id), wanted.note(note).changing(differences))
            }
            CutOff::Connection(reference) => {
                let connection = resolve::connection(&index, reference, |_| true)?;
                let name = index.name_of(connection);
                let note = format!(
                    "It ends every access to {name}, removes its tokens and asks the provider to revoke them. You have to \
                     sign in again."
                );
                let wanted = wanted
                    .at(connection.provider)
                    .of(connection.id, connection.started_by);
                (Target::Connection(connection.id), wanted.note(note))
            }
            CutOff::All => (
                Target::All,
                wanted.note(
                    "It ends every grant and permission, removes the tokens of every connection and asks the providers to \
                     revoke them. You have to sign in to each connection again.",
                ),
            ),
        })
    }

    async fn cut_off_now(
        &self,
        caller: &Caller,
        store: &Arc<SealedStore>,
        target: Target,
        rule: Rule,
    ) -> Result<RevokeAnswer, Error> {
        let mut answer = RevokeAnswer {
            sign_ins: self.cancel_sign_ins(caller, store, target).await,
            ..RevokeAnswer::default()
        };
        let connections = target.connections(&store.index());
        let event = self
            .event(caller, EventKind::CutOff, Outcome::Done)
            .with_app(target.app())
            .by(rule);
        let event = match (target, connections.first()) {
            (Target::Connection(_), Some(connection)) => event.about(connection),
            _ => event,
        };
        let counts = self.end_access(store, target, &connections, event).await?;
        (answer.grants, answer.app_tokens) = (counts.grants, counts.app_tokens);
        (answer.sessions, answer.prompts) = (counts.sessions, counts.prompts);
        // A copy of the profile from before must not bring anything back.
        self.raise_floor();
        answer.connections = self.revoke_connections(store, connections).await;
        let scope = Scope {
            app: target.app(),
            connection: target.connection(),
            ..Scope::default()
        };
        let mut audit = self.audited(scope).await?;
        audit.entries.retain(tokenry_core::AuditEntry::may_be_valid);
        answer.still_valid = audit.entries;
        Ok(answer)
    }

    fn cut_off_event(&self, event: Event, counts: &access::Counts) -> Event {
        event.with_detail(&counts.words())
    }
}
