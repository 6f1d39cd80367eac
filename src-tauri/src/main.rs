//! Starts the desktop app. What can be decided from the arguments alone is decided before anything is loaded.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

/// Wipes whatever is given back: a secret passes through buffers of libraries, too.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> std::process::ExitCode {
    tokenry_desktop::run()
}
