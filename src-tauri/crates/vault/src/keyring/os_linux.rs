//! The OS keyring of Linux: the Secret Service.

use crate::{Keyring, KeyringError, VaultId};
use keyring_core::{Entry, Error as StoreError, api::CredentialStoreApi};
use std::{
    collections::HashMap,
    env,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};
use zbus_secret_service_keyring_store::Store;
use zeroize::Zeroizing;

const SERVICE: &str = "io.github.tokenry";
const LABEL: &str = "Tokenry vault key";

/// No user closes a password window faster: a "dismissed" before that means that it was never shown.
const SHOWN: Duration = Duration::from_millis(300);

/// The OS keyring of this user: the Secret Service (gnome-keyring, KWallet, KeePassXC).
///
/// Each call runs on a thread of its own with a connection of its own: an open password window blocks that thread
/// only, and between calls there is no connection that would wake the process.
pub struct OsKeyring {
    timeout: Duration,
    line: Arc<Line>,
}

impl OsKeyring {
    /// The keyring of this user. `timeout` is how long one call may take, a question to the person included.
    pub fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            line: Arc::default(),
        }
    }

    /// Runs `work` on its own thread. One at a time: a second password window beside an open one does not help.
    fn call<T: Send + 'static>(
        &self,
        id: VaultId,
        work: impl FnOnce(&Call) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let deadline = Instant::now() + self.timeout;
        let turn = Line::wait(&self.line, deadline).ok_or(KeyringError::TimedOut)?;
        let given_up = Arc::new(AtomicBool::new(false));
        let (answer, answered) = mpsc::channel();
        let call_given_up = given_up.clone();
        thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(move || {
                let result = Call::open(id, call_given_up).and_then(|call| work(&call));
                drop(turn);
                // The caller may have given up.
                let _ = answer.send(result);
            })
            .map_err(|error| KeyringError::Failed(error.to_string()))?;
        match answered.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(result) => result,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(KeyringError::Failed("its client broke off".to_owned()))
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                given_up.store(true, Ordering::SeqCst);
                Err(KeyringError::TimedOut)
            }
        }
    }
}

impl Keyring for OsKeyring {
    fn read(&self, id: VaultId) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        self.call(id, Call::read)
    }

    fn write(&self, id: VaultId, item: &[u8]) -> Result<(), KeyringError> {
        let item = Zeroizing::new(item.to_vec());
        self.call(id, move |call| call.write(&item))
    }
}

/// One call: a connection, and the entry of one vault. Both go when it ends.
struct Call {
    entry: Entry,
    start: Instant,
    given_up: Arc<AtomicBool>,
}

impl Call {
    fn open(id: VaultId, given_up: Arc<AtomicBool>) -> Result<Self, KeyringError> {
        let start = Instant::now();
        let store = Store::new().map_err(|_| KeyringError::Absent)?;
        let label = HashMap::from([("label", LABEL)]);
        let entry = store
            .build(SERVICE, &id.to_string(), Some(&label))
            .map_err(|error| KeyringError::Failed(tokenry_core::clean(&error.to_string())))?;
        Ok(Self {
            entry,
            start,
            given_up,
        })
    }

    fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        match self.entry.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(StoreError::NoEntry) => Ok(None),
            Err(error) => Err(self.told(&error)),
        }
    }

    fn write(&self, item: &[u8]) -> Result<(), KeyringError> {
        let is_new = self.read()?.is_none();
        self.entry.set_secret(item).map_err(|error| self.told(&error))?;
        // The person answered after we had given up and said so: leave no key behind that belongs to nothing.
        if is_new && self.given_up.load(Ordering::SeqCst) {
            self.entry
                .delete_credential()
                .map_err(|error| self.told(&error))?;
            return Err(KeyringError::TimedOut);
        }
        Ok(())
    }

    /// Which state the keyring is in.
    fn told(&self, error: &StoreError) -> KeyringError {
        let source = match error {
            StoreError::Ambiguous(_) => return KeyringError::Ambiguous,
            StoreError::NoStorageAccess(source) => source.downcast_ref::<secret_service::Error>(),
            _ => None,
        };
        match source {
            Some(secret_service::Error::Prompt) if self.was_shown() => KeyringError::Dismissed,
            Some(secret_service::Error::Prompt | secret_service::Error::Locked) => KeyringError::Locked,
            Some(secret_service::Error::NoResult) => KeyringError::NoDefault,
            _ => KeyringError::Failed(tokenry_core::clean(&error.to_string())),
        }
    }

    /// Whether there was a question that a person could have closed. The service reports both alike.
    fn was_shown(&self) -> bool {
        let display = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        (display("DISPLAY") || display("WAYLAND_DISPLAY")) && self.start.elapsed() > SHOWN
    }
}

/// Whose turn it is.
#[derive(Default)]
struct Line {
    busy: Mutex<bool>,
    free: Condvar,
}

impl Line {
    fn wait(line: &Arc<Self>, deadline: Instant) -> Option<Turn> {
        let busy = line.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.saturating_duration_since(Instant::now());
        let (mut busy, _) = line
            .free
            .wait_timeout_while(busy, left, |busy| *busy)
            .unwrap_or_else(PoisonError::into_inner);
        if *busy {
            return None;
        }
        *busy = true;
        Some(Turn(line.clone()))
    }
}

/// Ends when it is dropped, even by a panic.
struct Turn(Arc<Line>);

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.busy.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.free.notify_one();
    }
}
