//! A keyring in memory, for tests.

use crate::{Keyring, KeyringError, VaultId};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use zeroize::Zeroizing;

/// A keyring in memory, for tests. It keeps nothing beyond itself and plays every fault on demand.
#[derive(Default)]
pub struct MemoryKeyring {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: HashMap<[u8; 16], Zeroizing<Vec<u8>>>,
    fault: Option<Fault>,
    calls: usize,
}

/// What a [`MemoryKeyring`] does wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Every call fails so.
    Fails(KeyringError),
    /// Writing fails so; reading works. A keyring service without a default keyring is like this.
    FailsToWrite(KeyringError),
    /// Says that it wrote, and did not.
    Forgets,
    /// Says that it wrote, and kept something else.
    Garbles,
}

impl MemoryKeyring {
    /// An empty keyring that works.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on it does this wrong; `None` mends it.
    pub fn play(&self, fault: impl Into<Option<Fault>>) {
        self.state().fault = fault.into();
    }

    /// The item it keeps for a vault, whatever fault it plays.
    pub fn item(&self, id: VaultId) -> Option<Vec<u8>> {
        self.state().items.get(&id.0).map(|item| item.to_vec())
    }

    /// Puts an item there, as another program could.
    pub fn put(&self, id: VaultId, item: &[u8]) {
        self.state().items.insert(id.0, Zeroizing::new(item.to_vec()));
    }

    /// Deletes an item, as another program could.
    pub fn remove(&self, id: VaultId) {
        self.state().items.remove(&id.0);
    }

    /// How many items it keeps.
    pub fn len(&self) -> usize {
        self.state().items.len()
    }

    /// Whether it keeps none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many times it was asked.
    pub fn calls(&self) -> usize {
        self.state().calls
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keyring for MemoryKeyring {
    fn read(&self, id: VaultId) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        let mut state = self.state();
        state.calls += 1;
        match &state.fault {
            Some(Fault::Fails(error)) => Err(error.clone()),
            _ => Ok(state.items.get(&id.0).cloned()),
        }
    }

    fn write(&self, id: VaultId, item: &[u8]) -> Result<(), KeyringError> {
        let mut state = self.state();
        state.calls += 1;
        let mut item = Zeroizing::new(item.to_vec());
        match &state.fault {
            Some(Fault::Fails(error) | Fault::FailsToWrite(error)) => return Err(error.clone()),
            Some(Fault::Forgets) => return Ok(()),
            Some(Fault::Garbles) => item.iter_mut().for_each(|byte| *byte ^= 1),
            None => {}
        }
        state.items.insert(id.0, item);
        Ok(())
    }
}
