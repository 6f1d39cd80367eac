//! Listens to the desktop: its screen saver, and its idle monitor.

use super::{
    bus::{Addresses, Bus},
    screen_signal::{IDLE_MONITOR, Owners, SCREEN_SAVERS, Said, read},
};
use crate::{Reporter, SessionEvent, WatchOptions};

const IDLE_MONITOR_PATH: &str = "/org/gnome/Mutter/IdleMonitor/Core";

/// Looks once which services are there.
pub(super) async fn find(addresses: &Addresses) -> zbus::Result<Owners> {
    find_on(&Bus::session(addresses).await?).await
}

async fn find_on(bus: &Bus) -> zbus::Result<Owners> {
    let mut owners = Owners::default();
    for service in SCREEN_SAVERS.into_iter().chain([IDLE_MONITOR]) {
        owners.set(service, bus.owner(service).await?);
    }
    Ok(owners)
}

/// Listens until the bus goes away.
pub(super) async fn listen(
    addresses: Addresses,
    wanted: WatchOptions,
    reporter: Reporter,
) -> zbus::Result<()> {
    let mut bus = Bus::session(&addresses).await?;
    let savers = SCREEN_SAVERS.into_iter().filter(|_| wanted.screen_lock);
    let savers = savers.map(|saver| (saver, "ActiveChanged"));
    let monitor = wanted.idle.map(|_| (IDLE_MONITOR, "WatchFired"));
    for (service, signal) in savers.chain(monitor) {
        bus.subscribe_owner(service).await?;
        bus.subscribe(&format!(
            "type='signal',sender='{service}',interface='{service}',member='{signal}'"
        ))
        .await?;
    }
    let mut owners = find_on(&bus).await?;
    reporter.found(|sources| owners.note(sources));
    let ended = follow(&mut bus, &mut owners, &wanted, &reporter).await;
    reporter.found(|sources| Owners::default().note(sources));
    ended
}

async fn follow(
    bus: &mut Bus,
    owners: &mut Owners,
    wanted: &WatchOptions,
    reporter: &Reporter,
) -> zbus::Result<()> {
    let mut watch = None;
    // A user who unlocks the vault from elsewhere is idle here, and gets the whole time all the same.
    let begin = tokio::time::sleep(wanted.idle.unwrap_or_default());
    tokio::pin!(begin);
    let mut has_begun = false;
    loop {
        let message = tokio::select! {
            message = bus.next() => message,
            () = begin.as_mut(), if !has_begun => {
                has_begun = true;
                watch = add_idle_watch(bus, owners, wanted, reporter).await;
                continue;
            }
        };
        let Some(message) = message else {
            return Ok(());
        };
        match read(&message, owners) {
            Some(Said::Owner(service, owner)) => {
                owners.set(service, owner);
                reporter.found(|sources| owners.note(sources));
                if service == IDLE_MONITOR && has_begun {
                    watch = add_idle_watch(bus, owners, wanted, reporter).await;
                }
            }
            Some(Said::Locked) if wanted.screen_lock => reporter.report(SessionEvent::ScreenLocked).await,
            Some(Said::Idle(fired)) if Some(fired) == watch => reporter.report(SessionEvent::Idle).await,
            _ => {}
        }
    }
}

/// Asks the idle monitor to report when the user has been idle for this long. It forgets that when we disconnect. One
/// that does not take the request is no source.
async fn add_idle_watch(
    bus: &Bus,
    owners: &mut Owners,
    wanted: &WatchOptions,
    reporter: &Reporter,
) -> Option<u32> {
    let (limit, owner) = (wanted.idle?, owners.of(IDLE_MONITOR)?);
    let millis = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    let added = bus
        .call(owner, IDLE_MONITOR_PATH, IDLE_MONITOR, "AddIdleWatch", &(millis,))
        .await;
    match added.and_then(|reply| reply.body().deserialize()) {
        Ok(watch) => Some(watch),
        Err(error) => {
            tracing::warn!("the desktop does not report how long the user is idle: {error}");
            owners.set(IDLE_MONITOR, None);
            reporter.found(|sources| owners.note(sources));
            None
        }
    }
}
