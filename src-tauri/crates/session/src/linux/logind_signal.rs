//! Reads the signals of logind. Pure, so that hostile ones can be tried.

use super::bus::BUS;
use std::collections::HashMap;
use zbus::{Message, message::Type, zvariant::Value};

pub(super) const LOGIND: &str = "org.freedesktop.login1";
pub(super) const MANAGER_PATH: &str = "/org/freedesktop/login1";
pub(super) const MANAGER: &str = "org.freedesktop.login1.Manager";
pub(super) const SESSION: &str = "org.freedesktop.login1.Session";
pub(super) const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// What logind says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Another program is logind from now on, or none is.
    OwnerChanged,
    /// The machine is about to suspend (`true`), or is back.
    Sleep(bool),
    /// The session's screen is to be locked, or is.
    Locked,
    /// The session is the active one of its seat, or no longer.
    Active(bool),
    /// The desktop, or the terminal, says whether the user is idle.
    Idle(bool),
}

/// Nothing, when the sender is not logind, the session is another one, or a value has another type.
pub(super) fn read(message: &Message, logind: &str, session: Option<&str>) -> Vec<Said> {
    let header = message.header();
    let (Type::Signal, Some(sender), Some(path), Some(interface), Some(member)) = (
        message.message_type(),
        header.sender(),
        header.path(),
        header.interface(),
        header.member(),
    ) else {
        return Vec::new();
    };
    let (sender, path) = (sender.as_str(), path.as_str());
    let is_session = session == Some(path);
    let body = message.body();
    match (interface.as_str(), member.as_str()) {
        (BUS, "NameOwnerChanged") if sender == BUS => match body.deserialize::<(&str, &str, &str)>() {
            Ok((LOGIND, ..)) => vec![Said::OwnerChanged],
            _ => Vec::new(),
        },
        _ if sender != logind => Vec::new(),
        (MANAGER, "PrepareForSleep") if path == MANAGER_PATH => {
            body.deserialize().map(Said::Sleep).into_iter().collect()
        }
        (SESSION, "Lock") if is_session => vec![Said::Locked],
        (PROPERTIES, "PropertiesChanged") if is_session => {
            match body.deserialize::<(&str, HashMap<&str, Value<'_>>, Vec<&str>)>() {
                Ok((SESSION, changed, _)) => properties(&changed),
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

fn properties(changed: &HashMap<&str, Value<'_>>) -> Vec<Said> {
    let is = |name: &str| match changed.get(name) {
        Some(Value::Bool(value)) => Some(*value),
        _ => None,
    };
    let locked = is("LockedHint").filter(|locked| *locked).map(|_| Said::Locked);
    let active = is("Active").map(Said::Active);
    let idle = is("IdleHint").map(Said::Idle);
    [locked, active, idle].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use zbus::zvariant::DynamicType;

    const OWNER: &str = ":1.4";
    const OURS: &str = "/org/freedesktop/login1/session/_31";
    const OTHER: &str = "/org/freedesktop/login1/session/_32";

    fn signal<B: Serialize + DynamicType>(
        sender: &str,
        path: &str,
        (interface, member): (&str, &str),
        body: &B,
    ) -> Vec<Said> {
        let message = Message::signal(path, interface, member).unwrap();
        let message = message.sender(sender).unwrap().build(body).unwrap();
        read(&message, OWNER, Some(OURS))
    }

    fn changed(
        name: &'static str,
        value: Value<'static>,
    ) -> (
        &'static str,
        HashMap<&'static str, Value<'static>>,
        Vec<&'static str>,
    ) {
        (SESSION, HashMap::from([(name, value)]), Vec::new())
    }

    const LOCK: (&str, &str) = (SESSION, "Lock");
    const SLEEP: (&str, &str) = (MANAGER, "PrepareForSleep");
    const CHANGED: (&str, &str) = (PROPERTIES, "PropertiesChanged");

    #[test]
    fn the_signals_of_logind_are_read() {
        assert_eq!(signal(OWNER, OURS, LOCK, &()), [Said::Locked]);
        assert_eq!(signal(OWNER, MANAGER_PATH, SLEEP, &true), [Said::Sleep(true)]);
        let hint = changed("LockedHint", true.into());
        assert_eq!(signal(OWNER, OURS, CHANGED, &hint), [Said::Locked]);
        let away = changed("Active", false.into());
        assert_eq!(signal(OWNER, OURS, CHANGED, &away), [Said::Active(false)]);
        let idle = changed("IdleHint", true.into());
        assert_eq!(signal(OWNER, OURS, CHANGED, &idle), [Said::Idle(true)]);
        let gone = (LOGIND, OWNER, "");
        assert_eq!(
            signal(BUS, "/org/freedesktop/DBus", (BUS, "NameOwnerChanged"), &gone),
            [Said::OwnerChanged]
        );
    }

    #[test]
    fn a_signal_of_another_sender_or_session_or_with_wrong_types_says_nothing() {
        assert_eq!(signal(":1.9", OURS, LOCK, &()), []);
        assert_eq!(signal(OWNER, OTHER, LOCK, &()), []);
        assert_eq!(signal(":1.9", MANAGER_PATH, SLEEP, &true), []);
        assert_eq!(signal(OWNER, OURS, SLEEP, &true), []);
        assert_eq!(signal(OWNER, MANAGER_PATH, SLEEP, &"true"), []);
        assert_eq!(signal(OWNER, MANAGER_PATH, SLEEP, &()), []);
        assert_eq!(
            signal(OWNER, OURS, CHANGED, &changed("LockedHint", "true".into())),
            []
        );
        assert_eq!(
            signal(OWNER, OURS, CHANGED, &changed("LockedHint", false.into())),
            []
        );
        assert_eq!(
            signal(OWNER, OTHER, CHANGED, &changed("Active", false.into())),
            []
        );
        assert_eq!(signal(OWNER, OURS, CHANGED, &(SESSION, "nothing")), []);
        let other_interface = (
            "org.example.X",
            HashMap::from([("LockedHint", Value::from(true))]),
            Vec::<&str>::new(),
        );
        assert_eq!(signal(OWNER, OURS, CHANGED, &other_interface), []);
        let of_another = (":1.9", "", "");
        assert_eq!(signal(BUS, "/", (BUS, "NameOwnerChanged"), &of_another), []);
        assert_eq!(
            signal(":1.9", "/", (BUS, "NameOwnerChanged"), &(LOGIND, "", ":1.9")),
            []
        );
    }
}
