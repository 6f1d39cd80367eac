//! The connections of one listener, and which of them goes when there are too many.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How many connections are served at a time. A browser needs two or three.
const MAX_CONNECTIONS: usize = 64;

/// The connections of one listener. The newest is the one that matters: a browser says at once what it wants, so when
/// there is no room, the one that has said nothing for longest goes.
#[derive(Debug, Default)]
pub(super) struct Connections(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The oldest first.
    open: Vec<Connection>,
    next: u64,
}

#[derive(Debug)]
struct Connection {
    number: u64,
    /// Its request is being answered.
    is_answered: bool,
    close: Arc<Notify>,
}

impl Connections {
    /// Lets one in. `None` when all who are open are being answered.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Slot> {
        let mut state = self.state();
        if state.open.len() >= MAX_CONNECTIONS {
            let oldest = state.open.iter().position(|connection| !connection.is_answered)?;
            state.open.remove(oldest).close.notify_one();
        }
        let (number, close) = (state.next, Arc::new(Notify::new()));
        state.next += 1;
        state.open.push(Connection {
            number,
            is_answered: false,
            close: close.clone(),
        });
        let connections = self.clone();
        Some(Slot {
            connections,
            number,
            close,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A slot open, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    connections: Arc<Connections>,
    number: u64,
    close: Arc<Notify>,
}

impl Slot {
    /// Its request has come: it stays until it is answered.
    pub(super) fn is_answered(&self) {
        let mut state = self.connections.state();
        if let Some(connection) = state
            .open
            .iter_mut()
            .find(|connection| connection.number == self.number)
        {
            connection.is_answered = true;
        }
    }

    /// Resolves when it has to make room.
    pub(super) async fn closed(&self) {
        self.close.notified().await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let number = self.number;
        self.connections
            .state()
            .open
            .retain(|connection| connection.number != number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// security.md, "Redirects": who says nothing makes room for who comes, and an answer under way is finished.
    #[tokio::test]
    async fn the_oldest_who_says_nothing_makes_room() {
        let connections = Arc::<Connections>::default();
        let open: Vec<_> = (0..MAX_CONNECTIONS)
            .map(|_| connections.enter().unwrap())
            .collect();
        open[0].is_answered();
        let late = connections.enter().unwrap();
        open[1].closed().await;
        late.is_answered();
        open.iter().for_each(Slot::is_answered);
        assert!(connections.enter().is_none());
        drop(open);
        assert!(connections.enter().is_some());
    }
}
