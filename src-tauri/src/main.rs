//! Starts the desktop app. What can be decided from the arguments alone is decided before anything is loaded.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> std::process::ExitCode {
    tokenry_desktop::run()
}
