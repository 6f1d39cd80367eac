//! The connections of one listener, and which of them goes when there are too many.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How many connections are served at a time. A browser needs two or three.
const MOST: usize = 64;

/// The connections of one listener. The newest is the one that matters: a browser says at once what it wants, so when
/// there is no room, the one that has said nothing for longest goes.
#[derive(Debug, Default)]
pub(super) struct Guests(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The oldest first.
    inside: Vec<Guest>,
    next: u64,
}

#[derive(Debug)]
struct Guest {
    number: u64,
    /// Its request is being answered.
    is_answered: bool,
    leave: Arc<Notify>,
}

impl Guests {
    /// Lets one in. `None` when all who are inside are being answered.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut state = self.state();
        if state.inside.len() >= MOST {
            let oldest = state.inside.iter().position(|guest| !guest.is_answered)?;
            state.inside.remove(oldest).leave.notify_one();
        }
        let (number, leave) = (state.next, Arc::new(Notify::new()));
        state.next += 1;
        state.inside.push(Guest {
            number,
            is_answered: false,
            leave: leave.clone(),
        });
        let guests = self.clone();
        Some(Place {
            guests,
            number,
            leave,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place inside, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    guests: Arc<Guests>,
    number: u64,
    leave: Arc<Notify>,
}

impl Place {
    /// Its request has come: it stays until it is answered.
    pub(super) fn is_answered(&self) {
        let mut state = self.guests.state();
        if let Some(guest) = state.inside.iter_mut().find(|guest| guest.number == self.number) {
            guest.is_answered = true;
        }
    }

    /// Resolves when it has to make room.
    pub(super) async fn must_leave(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let number = self.number;
        self.guests.state().inside.retain(|guest| guest.number != number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// security.md, "Redirects": who says nothing makes room for who comes, and an answer under way is finished.
    #[tokio::test]
    async fn the_oldest_who_says_nothing_makes_room() {
        let guests = Arc::<Guests>::default();
        let inside: Vec<_> = (0..MOST).map(|_| guests.enter().unwrap()).collect();
        inside[0].is_answered();
        let late = guests.enter().unwrap();
        inside[1].must_leave().await;
        late.is_answered();
        inside.iter().for_each(Place::is_answered);
        assert!(guests.enter().is_none());
        drop(inside);
        assert!(guests.enter().is_some());
    }
}
