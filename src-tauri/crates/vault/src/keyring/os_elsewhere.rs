//! The OS keyring on systems that are not supported yet.

use crate::{Keyring, KeyringError, VaultId};
use std::time::Duration;
use zeroize::Zeroizing;

/// The OS keyring. On this system it is not built in yet and says so.
#[derive(Debug)]
pub struct OsKeyring(());

impl OsKeyring {
    /// The keyring of this user. `timeout` is how long one call may take.
    pub fn new(_timeout: Duration) -> Self {
        Self(())
    }
}

impl Keyring for OsKeyring {
    fn read(&self, _: VaultId) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        Err(KeyringError::NotBuilt)
    }

    fn write(&self, _: VaultId, _: &[u8]) -> Result<(), KeyringError> {
        Err(KeyringError::NotBuilt)
    }
}
