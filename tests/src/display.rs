//! What a window manager does for a person, where there is none.

use crate::desktop_session::DesktopSession;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, ClientMessageEvent, ConnectionExt, EventMask, Window};
use x11rb::rust_connection::RustConnection;

/// Asks the window with this title to close, as the button in its frame does (ICCCM §4.2.8.1).
///
/// # Panics
/// When there is no such window.
pub fn ask_to_close(session: &DesktopSession, title: &str) {
    let display = session.env()["DISPLAY"].to_str().unwrap();
    let (x, screen) = x11rb::connect(Some(display)).unwrap();
    let root = x.setup().roots[screen].root;
    let atom = |name: &str| {
        x.intern_atom(false, name.as_bytes())
            .unwrap()
            .reply()
            .unwrap()
            .atom
    };
    let (protocols, delete) = (atom("WM_PROTOCOLS"), atom("WM_DELETE_WINDOW"));
    let window = find(&x, root, title, protocols).expect("a window with this title");
    let message = ClientMessageEvent::new(32, window, protocols, [delete, x11rb::CURRENT_TIME, 0, 0, 0]);
    x.send_event(false, window, EventMask::NO_EVENT, message)
        .unwrap()
        .check()
        .unwrap();
}

/// Whether there is a window with this title.
pub fn is_shown(session: &DesktopSession, title: &str) -> bool {
    let display = session.env()["DISPLAY"].to_str().unwrap();
    let (x, screen) = x11rb::connect(Some(display)).unwrap();
    let root = x.setup().roots[screen].root;
    let protocols = x
        .intern_atom(false, b"WM_PROTOCOLS")
        .unwrap()
        .reply()
        .unwrap()
        .atom;
    find(&x, root, title, protocols).is_some()
}

/// The window below this one that has the title and can be asked something.
fn find(x: &RustConnection, below: Window, title: &str, protocols: u32) -> Option<Window> {
    let children = x.query_tree(below).unwrap().reply().ok()?.children;
    let named = |window: &Window| {
        let property = |atom: u32| {
            let all = x
                .get_property(false, *window, atom, AtomEnum::ANY, 0, 256)
                .unwrap();
            all.reply().map(|property| property.value).unwrap_or_default()
        };
        property(AtomEnum::WM_NAME.into()) == title.as_bytes() && !property(protocols).is_empty()
    };
    let here = children.iter().copied().find(named);
    here.or_else(|| {
        children
            .iter()
            .find_map(|child| find(x, *child, title, protocols))
    })
}
