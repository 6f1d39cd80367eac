//! The processes that started the one that asks.

use super::Stat;
use tokenry_core::Peer;

/// How far up it is looked.
const MAX_GENERATIONS: usize = 32;

/// A process by its number and when it began.
pub type Process = (u32, u64);

/// The process that asks and those that started it, up to what starts programs for the user: a shell at a terminal, or
/// what the system's first process started (the user's own service manager, a display manager). A program that starts
/// copies of itself, or gives each a session of its own, is in the lineage of all of them; one whose parents have ended
/// has no other process in its own.
pub fn lineage(peer: &Peer) -> Vec<Process> {
    let mut found = Vec::new();
    let mut pid = peer.pid;
    for generation in 0..MAX_GENERATIONS {
        let Some(stat) = Stat::of(pid) else { break };
        let is_asker = generation == 0;
        if is_asker && stat.started != peer.started {
            break;
        }
        let is_shell_at_a_terminal = stat.session == pid && stat.terminal != 0;
        if !is_asker && (stat.parent <= 1 || is_shell_at_a_terminal) {
            break;
        }
        found.push((pid, stat.started));
        if stat.parent <= 1 {
            break;
        }
        pid = stat.parent;
    }
    found
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::of_process;
    use std::process::{Command, Stdio};

    /// security.md, "Local interfaces": after a Deny a growing pause. A session of its own does not hide who started a
    /// program.
    #[test]
    fn two_programs_that_one_started_have_it_in_common_whatever_their_session() {
        let uid = rustix::process::getuid().as_raw();
        let start = || {
            let child = Command::new("setsid")
                .args(["sleep", "60"])
                .stdout(Stdio::null())
                .spawn();
            child.unwrap()
        };
        let (mut one, mut other) = (start(), start());
        let both = [one.id(), other.id()].map(|pid| lineage(&of_process(uid, pid)));
        let us = of_process(uid, std::process::id());
        for (own, child) in both.iter().zip([&one, &other]) {
            assert_eq!(own[0].0, child.id());
            assert!(own.contains(&(us.pid, us.started)), "{own:?}");
        }
        for child in [&mut one, &mut other] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
