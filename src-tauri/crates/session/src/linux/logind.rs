//! Listens to logind: the session's lock, suspend, the active session, and its idle hint.

use super::{
    bus::{Addresses, Bus},
    logind_signal::{LOGIND, MANAGER, MANAGER_PATH, PROPERTIES, SESSION, Said, read},
};
use crate::{Inhibitor, Reporter, SessionEvent, Sources, WatchOptions};
use serde::Serialize;
use std::{
    os::fd::OwnedFd,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;
use zbus::zvariant::{DynamicType, OwnedFd as BusFd, OwnedObjectPath, OwnedValue, Value};

/// What there is of logind here.
#[derive(Default)]
pub(super) struct Found {
    /// The unique name of logind.
    owner: Option<String>,
    /// The path of the user's session.
    session: Option<String>,
}

impl Found {
    pub(super) fn note(&self, sources: &mut Sources) {
        let of_session = self.session.as_ref().map(|_| LOGIND);
        sources.suspend = self.owner.as_ref().map(|_| LOGIND);
        sources.user_switch = of_session;
        sources.screen_lock.retain(|source| *source != LOGIND);
        sources.screen_lock.extend(of_session);
    }
}

/// Looks once what there is.
pub(super) async fn find(addresses: &Addresses) -> zbus::Result<Found> {
    find_on(&Bus::system(addresses).await?).await
}

async fn find_on(bus: &Bus) -> zbus::Result<Found> {
    let owner = bus.owner(LOGIND).await?;
    let session = match &owner {
        Some(owner) => session(bus, owner).await,
        None => None,
    };
    Ok(Found { owner, session })
}

/// The session that this process belongs to; for a service of the user, the session of the user's display.
async fn session(bus: &Bus, owner: &str) -> Option<String> {
    if let Ok(id) = std::env::var("XDG_SESSION_ID")
        && let Ok(path) = manager(bus, owner, "GetSession", &(id,)).await
    {
        return Some(path);
    }
    if let Ok(path) = manager(bus, owner, "GetSessionByPID", &(std::process::id(),)).await {
        return Some(path);
    }
    let user = manager(bus, owner, "GetUser", &(rustix::process::getuid().as_raw(),))
        .await
        .ok()?;
    let display = property(bus, owner, &user, "org.freedesktop.login1.User", "Display")
        .await
        .ok()?;
    let (id, path) = <(String, OwnedObjectPath)>::try_from(display).ok()?;
    (!id.is_empty()).then(|| path.as_str().to_owned())
}

async fn manager<B: Serialize + DynamicType>(
    bus: &Bus,
    owner: &str,
    method: &str,
    body: &B,
) -> zbus::Result<String> {
    let reply = bus.call(owner, MANAGER_PATH, MANAGER, method, body).await?;
    let path: OwnedObjectPath = reply.body().deserialize()?;
    Ok(path.as_str().to_owned())
}

async fn property(
    bus: &Bus,
    owner: &str,
    path: &str,
    interface: &str,
    name: &str,
) -> zbus::Result<OwnedValue> {
    let reply = bus
        .call(owner, path, PROPERTIES, "Get", &(interface, name))
        .await?;
    reply.body().deserialize()
}

/// Listens until logind or the bus goes away.
pub(super) async fn listen(
    addresses: Addresses,
    wanted: WatchOptions,
    reporter: Reporter,
) -> zbus::Result<()> {
    let mut bus = Bus::system(&addresses).await?;
    bus.subscribe_owner(LOGIND).await?;
    for rule in [
        format!("type='signal',sender='{LOGIND}',path='{MANAGER_PATH}',member='PrepareForSleep'"),
        format!("type='signal',sender='{LOGIND}',interface='{SESSION}',member='Lock'"),
        format!("type='signal',sender='{LOGIND}',interface='{PROPERTIES}',arg0='{SESSION}'"),
    ] {
        bus.subscribe(&rule).await?;
    }
    let found = find_on(&bus).await?;
    reporter.found(|sources| found.note(sources));
    let ended = follow(&mut bus, &found, &wanted, &reporter).await;
    reporter.found(|sources| Found::default().note(sources));
    ended
}

async fn follow(
    bus: &mut Bus,
    found: &Found,
    wanted: &WatchOptions,
    reporter: &Reporter,
) -> zbus::Result<()> {
    let owner = found.owner.as_deref().unwrap_or_default();
    let session = found.session.as_deref();
    let mut inhibitor = inhibit(bus, owner, wanted).await;
    // A user who unlocks the vault from elsewhere is idle here, and gets the whole time all the same.
    let not_before = Instant::now() + wanted.idle.unwrap_or_default();
    let mut idle_at = match wanted.idle {
        Some(limit) => idle_at(bus, found, limit, not_before).await,
        None => None,
    };
    loop {
        let message = tokio::select! {
            message = bus.next() => message,
            () = reached(idle_at) => {
                idle_at = None;
                reporter.report(SessionEvent::Idle).await;
                continue;
            }
        };
        let Some(message) = message else { return Ok(()) };
        for said in read(&message, owner, session) {
            match said {
                Said::OwnerChanged => return Ok(()),
                Said::Sleep(true) if wanted.suspend => {
                    let held = Inhibitor::from(inhibitor.take());
                    reporter.report(SessionEvent::AboutToSuspend(held)).await;
                }
                Said::Sleep(false) if inhibitor.is_none() => inhibitor = inhibit(bus, owner, wanted).await,
                Said::Locked if wanted.screen_lock => reporter.report(SessionEvent::ScreenLocked).await,
                Said::Active(false) if wanted.user_switch => {
                    reporter.report(SessionEvent::UserSwitched).await;
                }
                Said::Idle(true) if let Some(limit) = wanted.idle => {
                    idle_at = self::idle_at(bus, found, limit, not_before).await;
                }
                Said::Idle(false) => idle_at = None,
                _ => {}
            }
        }
    }
}

/// Lets the machine wait, some seconds at most, with suspending. Without the right to that it suspends at once.
async fn inhibit(bus: &Bus, owner: &str, wanted: &WatchOptions) -> Option<OwnedFd> {
    if !wanted.suspend || owner.is_empty() {
        return None;
    }
    let body = (
        "sleep",
        "Tokenry",
        "Tokenry locks its vault before the computer suspends",
        "delay",
    );
    let taken = bus.call(owner, MANAGER_PATH, MANAGER, "Inhibit", &body).await;
    match taken.and_then(|reply| reply.body().deserialize::<BusFd>()) {
        Ok(held) => Some(held.into()),
        Err(error) => {
            tracing::warn!("logind does not wait for Tokenry before a suspend: {error}");
            None
        }
    }
}

/// When the user will have been idle for this long, as far as the session's hint says so now.
async fn idle_at(bus: &Bus, found: &Found, limit: Duration, not_before: Instant) -> Option<Instant> {
    let (owner, session) = (found.owner.as_deref()?, found.session.as_deref()?);
    let hint = property(bus, owner, session, SESSION, "IdleHint").await.ok()?;
    let since = property(bus, owner, session, SESSION, "IdleSinceHint")
        .await
        .ok()?;
    let (Value::Bool(true), Value::U64(since)) = (&*hint, &*since) else {
        return None;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let idle = now.saturating_sub(Duration::from_micros(*since));
    Some(not_before.max(Instant::now() + limit.saturating_sub(idle)))
}

async fn reached(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
