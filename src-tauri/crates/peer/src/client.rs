//! The program that has one of ours connect for it.

use crate::{Stat, of_process, proc_file};
use std::fs;
use tokenry_core::{Helper, Peer};

/// How many shells may stand between a program and the helper that it runs: git runs one by `sh -c`.
const MAX_SHELLS: usize = 3;

/// Shells that a program runs a command with.
const SHELLS: &[&str] = &["ash", "bash", "busybox", "dash", "ksh", "mksh", "sh", "zsh"];

/// The arguments of a process, its own name first; none where they cannot be read.
pub fn arguments(pid: u32) -> Vec<String> {
    let bytes = proc_file(pid, "cmdline").unwrap_or_default();
    if bytes.is_empty() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_suffix('\0').unwrap_or(&text);
    text.split('\0').map(str::to_owned).collect()
}

/// The program that runs this helper of ours, as the caller: the parent of the helper, or of the shell in between that
/// runs one command (`sh -c`). `None` where it has ended, or belongs to another user.
pub fn client_of(helper: &Peer, command: &str) -> Option<Peer> {
    let mut child = (helper.pid, helper.started);
    for _ in 0..=MAX_SHELLS {
        let parent = parent_of(child)?;
        let found = of_process(helper.uid, parent);
        // A number is not given to another process while its child lives and names it.
        if found.started == 0 || parent_of(child) != Some(parent) || user_of(parent)? != helper.uid {
            return None;
        }
        if !runs_one_command(&found) {
            return Some(Peer {
                helper: Some(Helper {
                    command: command.to_owned(),
                    pid: helper.pid,
                    started: helper.started,
                }),
                ..found
            });
        }
        child = (parent, found.started);
    }
    None
}

/// The parent of this very process. The first process of the system started nothing by itself: it takes over those whose
/// parents ended.
fn parent_of((pid, started): (u32, u64)) -> Option<u32> {
    let stat = Stat::of(pid).filter(|stat| stat.started == started)?;
    (stat.parent > 1).then_some(stat.parent)
}

fn user_of(pid: u32) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    Some(fs::metadata(format!("/proc/{pid}")).ok()?.uid())
}

fn runs_one_command(peer: &Peer) -> bool {
    let program = peer.program.as_deref().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or(program);
    let is_command =
        |option: &String| option.starts_with('-') && !option.starts_with("--") && option.ends_with('c');
    SHELLS.contains(&name) && arguments(peer.pid).get(1).is_some_and(is_command)
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::is_unchanged;
    use rustix::process::{Pid, Signal, kill_process};
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Child, Command, Stdio};

    fn started(script: &str) -> Child {
        let shell = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        shell.unwrap()
    }

    fn first_line(child: &mut Child) -> String {
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        line.trim().to_owned()
    }

    fn end(pid: u32) {
        let process = Pid::from_raw(pid.cast_signed()).unwrap();
        kill_process(process, Signal::KILL).unwrap();
    }

    #[test]
    fn the_client_of_a_helper_is_its_parent_or_that_of_the_shell_in_between() {
        let uid = rustix::process::getuid().as_raw();
        for script in ["echo $$; exec sleep 60", "sleep 60 & echo $!; wait; true"] {
            let mut child = started(script);
            let pid: u32 = first_line(&mut child).parse().unwrap();
            let helper = of_process(uid, pid);
            let client = client_of(&helper, "git-credential").unwrap();
            assert_eq!(client.pid, std::process::id(), "{script}");
            assert_eq!(client.program, of_process(uid, std::process::id()).program);
            assert!(is_unchanged(&client));
            end(pid);
            child.kill().ok();
            child.wait().unwrap();
            // A signal takes effect a little later.
            let begun = std::time::Instant::now();
            while is_unchanged(&client) {
                assert!(begun.elapsed().as_secs() < 20, "it outlives its helper: {script}");
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn a_shell_at_a_terminal_is_a_client_and_a_process_that_ended_has_none() {
        let uid = rustix::process::getuid().as_raw();
        let mut child = started("exec sh -s");
        child
            .stdin
            .as_mut()
            .unwrap()
            .write_all(b"sleep 60 & echo $!\n")
            .unwrap();
        let pid: u32 = first_line(&mut child).parse().unwrap();
        let client = client_of(&of_process(uid, pid), "git-credential").unwrap();
        assert_eq!(client.pid, child.id());
        end(pid);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(client_of(&crate::ended(uid, pid), "git-credential"), None);
        let other = Peer {
            uid: uid + 1,
            ..of_process(uid, std::process::id())
        };
        assert_eq!(
            client_of(&other, "git-credential"),
            None,
            "another user's process is no client"
        );
    }
}
