//! A sign-in belongs to who started it. Others see that one is open: with its address, which holds its `state`, a program
//! could sign in with an account of its own and bring that answer.

use crate::{
    Engine,
    access::{
        consent::{AccessRequest, origin},
        installed,
        policy::Operation,
    },
};
use tokenry_core::{Caller, Connection, ConnectionId, Flow, Redirect};
use tokenry_oauth::redirect;

/// The request to finish a flow.
pub(super) fn finishing(caller: &Caller, flow: &Flow) -> AccessRequest {
    let is_starter = match caller {
        Caller::Program(peer) => {
            flow.started_by.is_none() && flow.started_from.is_some() && flow.started_from == origin(peer)
        }
        _ => false,
    };
    AccessRequest::new(Operation::FinishFlow)
        .at(flow.provider)
        .owned_by(flow.started_by)
        .by_its_starter(is_starter)
}

/// What a prompt says about a flow of another caller.
pub(super) fn owner_note(flow: &Flow, what: &str) -> String {
    let starter = match (&flow.started_by, &flow.started_from) {
        (Some(_), _) => "an app".to_owned(),
        (None, Some(origin)) => origin.program.clone(),
        (None, None) => "you, in the window,".to_owned(),
    };
    format!("{what} the sign-in that {starter} started.")
}

/// Whether this is a deep link that a program of ours brings, to which the system gave it: it was started for that, and the
/// engine is another process. Any program can start ours with a link, and none can know the `state` of another's sign-in.
pub(crate) fn is_link_by_the_system(caller: &Caller, flow: &Flow, uri: &str) -> bool {
    let is_ours = |caller: &Caller| matches!(caller, Caller::Program(peer) if installed::opens_links(peer));
    flow.redirect == Redirect::DeepLink && uri.starts_with(redirect::SCHEME) && is_ours(caller)
}

impl Engine {
    /// Whether the calling program started the sign-in that made this connection, which has no name of its own yet: it
    /// could have named it then.
    pub(crate) fn names_its_own(&self, caller: &Caller, connection: &Connection) -> bool {
        let (Caller::Program(peer), None, None) = (caller, &connection.label, &connection.account) else {
            return false;
        };
        origin(peer).is_some_and(|origin| self.was_made_by(connection.id, &origin))
    }

    /// Whether the caller may have the address of the flow that this connection waits for. An app may by its grants.
    pub(super) fn may_go_on_with(&self, caller: &Caller, connection: ConnectionId) -> bool {
        match (caller, self.flow_waiting_for(connection)) {
            (Caller::Program(_), Some(flow)) => finishing(caller, &flow).target.is_own,
            _ => true,
        }
    }
}
