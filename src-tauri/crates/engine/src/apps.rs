//! Apps, and how they prove themselves.

use crate::{Engine, Error};
use tokenry_core::{Caller, Peer, Secret};

impl Engine {
    /// Who has this token.
    ///
    /// # Errors
    /// When nobody has it, or while locked.
    #[expect(clippy::unused_async, reason = "looking a token up reads the disk")]
    pub async fn authenticate(&self, bearer: &Secret, peer: Option<Peer>) -> Result<Caller, Error> {
        let _ledger = self.ledger()?;
        let _ = (bearer, peer);
        Err(Error::Unauthorized(
            "this token is not known; it may be revoked or at its end. Get a new one, or register the app again",
        ))
    }
}
