//! How many sign-ins may be open at a time: a listener, a record and a pending connection belong to each.

use crate::Error;
use crate::locks;
use std::sync::{Arc, Mutex, MutexGuard};
use tokenry_core::{AppId, Caller};

/// How many one caller may have open, all programs together, and everybody. What is left is the user's own.
const MAX_FLOWS_OF_ONE: usize = 16;
const MAX_FLOWS_OF_PROGRAMS: usize = 48;
const MAX_FLOWS: usize = 64;

/// The sign-ins that are open, by who started them.
#[derive(Default)]
pub(crate) struct FlowLimits(Mutex<State>);

#[derive(Default)]
struct State {
    taken: Vec<(u64, Starter)>,
    next: u64,
}

/// Who starts sign-ins. A program that is started anew each time is the same as long as its session is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Starter {
    /// The user, in the window, or the engine.
    Own,
    App(AppId),
    Session(u32),
    Program(Option<String>),
}

impl Starter {
    fn of(caller: &Caller) -> Self {
        match caller {
            Caller::App(app) => Self::App(app.app),
            Caller::Program(peer) => match peer.session {
                Some(session) => Self::Session(session),
                None => Self::Program(peer.program.clone()),
            },
            Caller::Ui | Caller::Consent | Caller::Engine => Self::Own,
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Self::Own => "the window",
            Self::App(_) => "this app",
            Self::Session(_) => "the programs of this session",
            Self::Program(_) => "this program",
        }
    }
}

impl FlowLimits {
    /// Whether this caller may start one more as things are.
    pub(crate) fn check(&self, caller: &Caller) -> Result<(), Error> {
        self.state().check(&Starter::of(caller))
    }

    /// A place for one more, until it is dropped.
    pub(crate) fn take(self: &Arc<Self>, caller: &Caller) -> Result<FlowPermit, Error> {
        let starter = Starter::of(caller);
        let mut state = self.state();
        state.check(&starter)?;
        let number = state.next;
        state.next += 1;
        state.taken.push((number, starter));
        drop(state);
        let places = self.clone();
        Ok(FlowPermit { places, number })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locks::lock(&self.0)
    }
}

impl State {
    fn check(&self, starter: &Starter) -> Result<(), Error> {
        let count = |fits: &dyn Fn(&Starter) -> bool| self.taken.iter().filter(|(_, who)| fits(who)).count();
        let whose = match starter {
            Starter::Own if self.taken.len() < MAX_FLOWS => return Ok(()),
            Starter::Own => format!("{MAX_FLOWS} sign-ins are open already"),
            one if count(&|who| who == one) >= MAX_FLOWS_OF_ONE => {
                format!("{MAX_FLOWS_OF_ONE} sign-ins of {} are open already", one.words())
            }
            _ if count(&|who| *who != Starter::Own) >= MAX_FLOWS_OF_PROGRAMS => {
                format!("{MAX_FLOWS_OF_PROGRAMS} sign-ins of programs are open already")
            }
            _ => return Ok(()),
        };
        let message = format!(
            "{whose}; finish one in the browser, or cancel one: in the window, with Ctrl-C in its `tokenry connect`, or \
             with `DELETE /v1/flows/ID`. Each ends by itself after ten minutes"
        );
        Err(Error::Busy(message, None))
    }
}

/// The place of one open sign-in.
pub(crate) struct FlowPermit {
    places: Arc<FlowLimits>,
    number: u64,
}

impl Drop for FlowPermit {
    fn drop(&mut self) {
        let number = self.number;
        self.places.state().taken.retain(|(taken, _)| *taken != number);
    }
}
