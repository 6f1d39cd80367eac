//! The session as logind and the desktop report it over D-Bus.

mod bus;
mod logind;
mod logind_signal;
mod screen;
mod screen_signal;

use crate::{SessionMonitor, Sources, Watch, WatchOptions};
use bus::Addresses;
use std::{future::Future, pin::Pin, time::Duration};
use tokio::{task::JoinSet, time::Instant};

/// After a bus went away or could not be reached. The wait doubles each time.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const MAX_RETRY: Duration = Duration::from_secs(60);
/// A connection that lasted this long was a good one: the next retry is the first again.
const STABLE: Duration = Duration::from_secs(60);

/// The session of the user.
#[derive(Debug, Clone, Default)]
pub struct DesktopSession {
    addresses: Addresses,
}

impl DesktopSession {
    /// At the buses with these addresses, instead of those that the environment names.
    pub fn at(system: &str, session: &str) -> Self {
        let addresses = Addresses {
            system: Some(system.into()),
            session: Some(session.into()),
        };
        Self { addresses }
    }
}

impl SessionMonitor for DesktopSession {
    fn watch(&self, wanted: &WatchOptions) -> Watch {
        let (wanted, addresses) = (wanted.clone(), &self.addresses);
        Watch::new(|reporter| {
            let mut tasks = JoinSet::new();
            if wanted != WatchOptions::default() {
                let (wanted, reporter, addresses) = (wanted.clone(), reporter.clone(), addresses.clone());
                tasks.spawn(keep("system", move || {
                    logind::listen(addresses.clone(), wanted.clone(), reporter.clone())
                }));
            }
            if wanted.idle.is_some() || wanted.screen_lock {
                let addresses = addresses.clone();
                tasks.spawn(keep("session", move || {
                    screen::listen(addresses.clone(), wanted.clone(), reporter.clone())
                }));
            }
            tasks
        })
    }

    fn sources(&self) -> Pin<Box<dyn Future<Output = Sources> + Send + '_>> {
        Box::pin(async {
            let (logind, desktop) =
                tokio::join!(logind::find(&self.addresses), screen::find(&self.addresses));
            let mut sources = Sources::default();
            if let Ok(found) = logind {
                found.note(&mut sources);
            }
            if let Ok(owners) = desktop {
                owners.note(&mut sources);
            }
            sources
        })
    }
}

/// Listens again whenever the connection has ended.
async fn keep<F>(bus: &'static str, listen: impl Fn() -> F + Send)
where
    F: Future<Output = zbus::Result<()>> + Send,
{
    let mut retry = FIRST_RETRY;
    loop {
        let began = Instant::now();
        if let Err(error) = listen().await {
            tracing::debug!("the {bus} bus is not listened to: {error}");
        }
        if began.elapsed() >= STABLE {
            retry = FIRST_RETRY;
        }
        tokio::time::sleep(retry).await;
        retry = (retry * 2).min(MAX_RETRY);
    }
}
