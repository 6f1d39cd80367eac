//! Reads the signals of the desktop's screen saver and idle monitor. Pure, so that hostile ones can be tried.

use super::bus::BUS;
use crate::Sources;
use zbus::{Message, message::Type};

/// The screen savers that are known. Each has its interface under its own name.
pub(super) const SCREEN_SAVERS: [&str; 5] = [
    "org.freedesktop.ScreenSaver",
    "org.gnome.ScreenSaver",
    "org.cinnamon.ScreenSaver",
    "org.mate.ScreenSaver",
    "org.xfce.ScreenSaver",
];
/// The only service that says reliably how long the user has been idle. `GetSessionIdleTime` of KDE's screen saver
/// is always 0 on Wayland.
pub(super) const IDLE_MONITOR: &str = "org.gnome.Mutter.IdleMonitor";

/// The programs that provide the services now, by the unique names of their connections.
#[derive(Debug, Default)]
pub(super) struct Owners(Vec<(&'static str, String)>);

impl Owners {
    pub(super) fn set(&mut self, service: &'static str, owner: Option<String>) {
        self.0.retain(|(name, _)| *name != service);
        self.0.extend(owner.map(|owner| (service, owner)));
    }

    pub(super) fn of(&self, service: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| *name == service);
        found.map(|(_, owner)| owner.as_str())
    }

    pub(super) fn note(&self, sources: &mut Sources) {
        let is_screen_saver = |name: &&'static str| SCREEN_SAVERS.contains(name);
        sources.screen_lock.retain(|name| !is_screen_saver(name));
        sources
            .screen_lock
            .extend(SCREEN_SAVERS.into_iter().filter(|name| self.of(name).is_some()));
        sources.idle = self.of(IDLE_MONITOR).map(|_| IDLE_MONITOR);
    }
}

/// What the desktop says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A program provides a service from now on, or none does.
    Owner(&'static str, Option<String>),
    /// The screen was locked.
    Locked,
    /// The user has been idle for as long as the watch with this number waits.
    Idle(u32),
}

/// Nothing, when the sender does not provide the service, or a value has another type.
pub(super) fn read(message: &Message, owners: &Owners) -> Option<Said> {
    let header = message.header();
    if message.message_type() != Type::Signal {
        return None;
    }
    let (sender, interface, member) = (header.sender()?.as_str(), header.interface()?, header.member()?);
    let body = message.body();
    let is_owner = |service: &str| owners.of(service) == Some(sender);
    match (interface.as_str(), member.as_str()) {
        (BUS, "NameOwnerChanged") if sender == BUS => {
            let (name, _, owner) = body.deserialize::<(&str, &str, &str)>().ok()?;
            let mut services = SCREEN_SAVERS.into_iter().chain([IDLE_MONITOR]);
            let service = services.find(|service| *service == name)?;
            Some(Said::Owner(
                service,
                (!owner.is_empty()).then(|| owner.to_owned()),
            ))
        }
        (IDLE_MONITOR, "WatchFired") if is_owner(IDLE_MONITOR) => body.deserialize().ok().map(Said::Idle),
        (interface, "ActiveChanged") if SCREEN_SAVERS.contains(&interface) && is_owner(interface) => body
            .deserialize()
            .ok()
            .filter(|active| *active)
            .map(|_: bool| Said::Locked),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use zbus::zvariant::DynamicType;

    const GNOME: &str = "org.gnome.ScreenSaver";

    fn signal<B: Serialize + DynamicType>(
        sender: &str,
        (interface, member): (&str, &str),
        body: &B,
    ) -> Option<Said> {
        let message = Message::signal("/org/gnome/ScreenSaver", interface, member).unwrap();
        let message = message.sender(sender).unwrap().build(body).unwrap();
        let mut owners = Owners::default();
        owners.set(GNOME, Some(":1.7".to_owned()));
        owners.set(IDLE_MONITOR, Some(":1.8".to_owned()));
        read(&message, &owners)
    }

    #[test]
    fn the_signals_of_the_desktop_are_read() {
        assert_eq!(
            signal(":1.7", (GNOME, "ActiveChanged"), &true),
            Some(Said::Locked)
        );
        assert_eq!(
            signal(":1.8", (IDLE_MONITOR, "WatchFired"), &5_u32),
            Some(Said::Idle(5))
        );
        let gone = (GNOME, ":1.7", "");
        assert_eq!(
            signal(BUS, (BUS, "NameOwnerChanged"), &gone),
            Some(Said::Owner(GNOME, None))
        );
    }

    #[test]
    fn a_signal_of_another_sender_or_with_wrong_types_says_nothing() {
        assert_eq!(signal(":1.8", (GNOME, "ActiveChanged"), &true), None);
        assert_eq!(
            signal(":1.7", ("org.mate.ScreenSaver", "ActiveChanged"), &true),
            None
        );
        assert_eq!(signal(":1.7", (GNOME, "ActiveChanged"), &false), None);
        assert_eq!(signal(":1.7", (GNOME, "ActiveChanged"), &1_u32), None);
        assert_eq!(signal(":1.7", (GNOME, "ActiveChanged"), &()), None);
        assert_eq!(signal(":1.7", (IDLE_MONITOR, "WatchFired"), &5_u32), None);
        assert_eq!(signal(":1.8", (IDLE_MONITOR, "WatchFired"), &"5"), None);
        assert_eq!(
            signal(":1.7", (BUS, "NameOwnerChanged"), &(GNOME, "", ":1.7")),
            None
        );
        assert_eq!(
            signal(BUS, (BUS, "NameOwnerChanged"), &("org.example.X", "", ":1.7")),
            None
        );
    }

    #[test]
    fn a_service_that_came_and_went_is_no_source() {
        let (mut owners, mut sources) = (Owners::default(), Sources::default());
        owners.set(GNOME, Some(":1.7".to_owned()));
        owners.set(IDLE_MONITOR, Some(":1.8".to_owned()));
        owners.note(&mut sources);
        assert_eq!(
            (sources.screen_lock.as_slice(), sources.idle),
            (&[GNOME][..], Some(IDLE_MONITOR))
        );
        owners.set(GNOME, None);
        owners.set(IDLE_MONITOR, None);
        owners.note(&mut sources);
        assert_eq!(sources, Sources::default());
    }
}
