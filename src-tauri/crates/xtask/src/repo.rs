//! Paths, and the environment.

use std::path::PathBuf;

/// The variable that moves a profile; the whole of it is below that folder, socket included.
pub(crate) const HOME: &str = "TOKENRY_HOME";

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    // <root>/src-tauri/crates/xtask
    manifest
        .ancestors()
        .nth(3)
        .map_or(manifest.clone(), PathBuf::from)
}

/// Where cargo builds to.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// A program that cargo built, `profile` being the folder's name (`debug`, `release`).
pub(crate) fn program(profile: &str, name: &str) -> PathBuf {
    target()
        .join(profile)
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Whether this is CI (the variable `CI` is set to anything but nothing, `0` or `false`).
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// Whether a window can be shown.
pub(crate) fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(target_os = "linux")) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
