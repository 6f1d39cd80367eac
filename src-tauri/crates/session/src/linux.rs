//! The session as logind and the desktop report it over D-Bus.

mod bus;
mod logind;
mod logind_signal;
mod screen;
mod screen_signal;

use crate::{Reporter, SessionMonitor, Sources, Watch, WatchOptions};
use std::{future::Future, pin::Pin, time::Duration};
use tokio::{task::JoinSet, time::Instant};

/// After a bus went away or could not be reached. The wait doubles each time.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const MAX_RETRY: Duration = Duration::from_secs(60);
/// A connection that lasted this long was a good one: the next retry is the first again.
const STABLE: Duration = Duration::from_secs(60);

/// The session of the user, at the buses that the environment names.
#[derive(Debug, Clone, Copy, Default)]
pub struct DesktopSession;

impl SessionMonitor for DesktopSession {
    fn watch(&self, wanted: &WatchOptions) -> Watch {
        let wanted = wanted.clone();
        Watch::new(|reporter| {
            let mut tasks = JoinSet::new();
            if wanted != WatchOptions::default() {
                tasks.spawn(keep("system", wanted.clone(), reporter.clone(), logind::listen));
            }
            if wanted.idle.is_some() || wanted.screen_lock {
                tasks.spawn(keep("session", wanted, reporter, screen::listen));
            }
            tasks
        })
    }

    fn sources(&self) -> Pin<Box<dyn Future<Output = Sources> + Send + '_>> {
        Box::pin(async {
            let (logind, desktop) = tokio::join!(logind::find(), screen::find());
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
async fn keep<F>(
    bus: &'static str,
    wanted: WatchOptions,
    reporter: Reporter,
    listen: impl Fn(WatchOptions, Reporter) -> F + Send,
) where
    F: Future<Output = zbus::Result<()>> + Send,
{
    let mut retry = FIRST_RETRY;
    loop {
        let began = Instant::now();
        if let Err(error) = listen(wanted.clone(), reporter.clone()).await {
            tracing::debug!("the {bus} bus is not listened to: {error}");
        }
        if began.elapsed() >= STABLE {
            retry = FIRST_RETRY;
        }
        tokio::time::sleep(retry).await;
        retry = (retry * 2).min(MAX_RETRY);
    }
}
