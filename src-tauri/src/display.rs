//! Connects to the display. Without one, the start of the window system would panic.

/// Starts GTK, which connects to the display.
///
/// # Errors
/// A message, when there is no display, or it does not respond.
#[cfg(target_os = "linux")]
pub(crate) fn connect() -> Result<(), String> {
    gtk::init().map_err(|_| missing(|name| std::env::var(name).ok().filter(|value| !value.is_empty())))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn connect() -> Result<(), String> {
    Ok(())
}

/// What is missing, according to these variables, and the next step.
#[cfg(target_os = "linux")]
fn missing(variable: impl Fn(&str) -> Option<String>) -> String {
    let set: Vec<_> = ["WAYLAND_DISPLAY", "DISPLAY"]
        .into_iter()
        .filter_map(|name| variable(name).map(|value| format!("{name}={}", tokenry_core::clean(&value))))
        .collect();
    let why = if set.is_empty() {
        "neither WAYLAND_DISPLAY nor DISPLAY is set".to_owned()
    } else {
        format!("{} cannot be used", set.join(" and "))
    };
    format!(
        "no display found ({why}). Start Tokenry in a desktop session, or run the engine without a window: `tokenry serve`"
    )
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_missing_and_a_dead_display_are_told_apart() {
        let none = missing(|_| None);
        assert!(
            none.contains("neither") && none.contains("tokenry serve"),
            "{none}"
        );
        let dead = missing(|name| (name == "DISPLAY").then(|| ":99".to_owned()));
        assert!(
            dead.contains("DISPLAY=:99 cannot be used") && dead.contains("tokenry serve"),
            "{dead}"
        );
    }
}
