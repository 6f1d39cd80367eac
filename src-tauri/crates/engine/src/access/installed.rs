//! Which programs belong to this engine's own: those that were installed beside it.

use std::path::Path;
use tokenry_core::Peer;

/// The program with the window.
pub(crate) const DESKTOP_APP: &str = "tokenry-desktop";
/// What passes requests on and adds tokens to them.
const BRIDGE: &str = "tokenry-bridge";
/// The command line.
pub(crate) const COMMAND_LINE: &str = "tokenry";

/// Whether the process runs the desktop app.
pub(crate) fn is_desktop_app(peer: &Peer) -> bool {
    is_beside(peer, DESKTOP_APP)
}

/// Whether the process runs one of the programs that a desktop opens our links with.
pub(crate) fn opens_links(peer: &Peer) -> bool {
    [DESKTOP_APP, COMMAND_LINE]
        .into_iter()
        .any(|name| is_beside(peer, name))
}

/// Whether the process of this number runs one of the programs that get tokens for others. The number may be given to
/// another process meanwhile: the caller looks at the process once more behind this.
pub fn is_our_helper(pid: u32) -> bool {
    [COMMAND_LINE, BRIDGE]
        .into_iter()
        .any(|name| runs_beside(pid, name))
}

/// Whether the process runs the program of this name that stands beside our own: that very file, and not only one of its
/// name. It says nothing of what was loaded into the process (`LD_PRELOAD`), which nothing can tell from outside.
fn is_beside(peer: &Peer, name: &str) -> bool {
    // Looked at once more behind it: the number may have been given to another process meanwhile.
    runs_beside(peer.pid, name) && tokenry_peer::is_unchanged(peer)
}

fn runs_beside(pid: u32, name: &str) -> bool {
    let ours = std::env::current_exe();
    ours.is_ok_and(|ours| runs(pid, &ours.with_file_name(name)))
}

/// The same, in a session in which it can show a window.
pub(crate) fn is_desktop_app_with_a_display(peer: &Peer) -> bool {
    is_desktop_app(peer) && has_display(peer.pid)
}

#[cfg(target_os = "linux")]
fn runs(pid: u32, program: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let file = |path: &Path| path.metadata().ok().map(|found| (found.dev(), found.ino()));
    let running = file(Path::new(&format!("/proc/{pid}/exe")));
    running.is_some() && running == file(program)
}

#[cfg(target_os = "linux")]
fn has_display(pid: u32) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let is_set = |name: &str| {
        let mut variables = environment.split(|byte| *byte == 0);
        variables.any(|variable| {
            let value = variable.strip_prefix(name.as_bytes());
            value.is_some_and(|value| value.len() > 1 && value[0] == b'=')
        })
    };
    ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().any(is_set)
}

/// Elsewhere the system does not say which program a process runs.
#[cfg(not(target_os = "linux"))]
fn runs(_: u32, _: &Path) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn has_display(_: u32) -> bool {
    true
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    /// security.md, "Local interfaces": the path is a label. A copy of a program under its name is another program.
    #[test]
    fn a_copy_of_a_program_is_not_that_program_and_an_empty_display_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let real = std::fs::canonicalize("/bin/cat").unwrap();
        let copy = folder.path().join("cat");
        std::fs::copy(&real, &copy).unwrap();
        for (display, has) in [(":1", true), ("", false)] {
            let mut child = Command::new(&real)
                .env_clear()
                .env("DISPLAY", display)
                .env("NO_WAYLAND_DISPLAY", "1")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            // What it says shows that it runs: while it is started, the system knows its file and not yet its environment.
            child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
            child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
            assert!(runs(child.id(), &real));
            assert!(!runs(child.id(), &copy));
            assert!(!runs(child.id(), Path::new("/not/there")));
            assert_eq!(has_display(child.id()), has);
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
