//! The tray icon: show, lock, quit.

use crate::{state, windows};
use tauri::{
    AppHandle, Manager,
    menu::{Menu, MenuItem},
    tray::TrayIconBuilder,
};

/// Whether the desktop shows tray icons, which is checked once at the start.
struct Tray {
    shown: bool,
}

/// Shows the icon. On a desktop without tray icons, closing the window ends the app.
pub(crate) fn show(app: &AppHandle) {
    let shown = has_host()
        && build(app)
            .inspect_err(|error| tracing::warn!("could not show the tray icon: {error}"))
            .is_ok();
    app.manage(Tray { shown });
}

pub(crate) fn is_there(app: &AppHandle) -> bool {
    app.state::<Tray>().shown
}

fn build(app: &AppHandle) -> tauri::Result<()> {
    let show = MenuItem::with_id(app, "show", "Show Tokenry", true, None::<&str>)?;
    let lock = MenuItem::with_id(app, "lock", "Lock", true, None::<&str>)?;
    let quit = MenuItem::with_id(app, "quit", "Quit", true, None::<&str>)?;
    let menu = Menu::with_items(app, &[&show, &lock, &quit])?;
    let mut tray = TrayIconBuilder::with_id("tokenry")
        .tooltip("Tokenry")
        .menu(&menu)
        .on_menu_event(|app, event| match event.id().as_ref() {
            "show" => windows::show_logged(app),
            "lock" => state::lock(app),
            "quit" => app.exit(0),
            _ => {}
        });
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.build(app)?;
    Ok(())
}

/// On Linux a desktop that shows tray icons has a name on the session bus.
#[cfg(target_os = "linux")]
fn has_host() -> bool {
    const WATCHER: &str = "org.kde.StatusNotifierWatcher";
    let query = || -> zbus::Result<bool> {
        let bus = zbus::blocking::Connection::session()?;
        let proxy = zbus::blocking::fdo::DBusProxy::new(&bus)?;
        Ok(proxy.name_has_owner(WATCHER.try_into()?)?)
    };
    query().unwrap_or(false)
}

#[cfg(not(target_os = "linux"))]
fn has_host() -> bool {
    true
}
