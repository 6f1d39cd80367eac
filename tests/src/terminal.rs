//! A program at a terminal of its own: it has a screen, a keyboard, and Ctrl-C.

use crate::process::TIMEOUT;
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A program that runs at a terminal. Its process group ends when this is dropped.
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    /// Starts a program as the leader of a session whose terminal this is.
    pub fn start(command: &Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let line = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NOCTTY.bits().cast_signed())
            .open(std::ffi::OsStr::from_bytes(name.as_bytes()))
            .unwrap();
        let mut session = Command::new("setsid");
        session
            .arg("--ctty")
            .arg(command.get_program())
            .args(command.get_args());
        session.env_clear().env("TERM", "xterm");
        session.envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        if let Some(folder) = command.get_current_dir() {
            session.current_dir(folder);
        }
        session
            .stdin(line.try_clone().unwrap())
            .stdout(line.try_clone().unwrap())
            .stderr(line);
        let child = session.spawn().unwrap();
        drop(session);
        let keyboard = File::from(master);
        let screen = Arc::<Mutex<String>>::default();
        let (mut shown, text) = (keyboard.try_clone().unwrap(), screen.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of a terminal is an error.
            while let Ok(read @ 1..) = shown.read(&mut bytes) {
                text.lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        });
        Self {
            child,
            keyboard,
            screen,
        }
    }

    /// Everything that was shown so far.
    pub fn screen(&self) -> String {
        self.screen.lock().unwrap().replace('\r', "")
    }

    /// Waits until this is shown.
    ///
    /// # Panics
    /// When it is not, within [`TIMEOUT`].
    #[track_caller]
    pub fn shows(&self, words: &str) -> String {
        self.shows_within(words, TIMEOUT)
    }

    /// The same, in less time.
    #[track_caller]
    pub fn shows_within(&self, words: &str, timeout: Duration) -> String {
        let end = Instant::now() + timeout;
        loop {
            let screen = self.screen();
            if screen.contains(words) {
                return screen;
            }
            assert!(Instant::now() < end, "{words:?} is not shown:\n{screen}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types this.
    pub fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Presses Ctrl-C.
    pub fn interrupts(&mut self) {
        self.types("\u{3}");
    }

    /// Whether what is typed now would be shown.
    pub fn echoes(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&self.keyboard).unwrap().local_modes;
        modes.contains(rustix::termios::LocalModes::ECHO)
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the program's end: its exit code, 128 and more for a signal, and all that was shown.
    ///
    /// # Panics
    /// When it does not end within [`TIMEOUT`].
    #[track_caller]
    pub fn ends(mut self) -> (i32, String) {
        let end = Instant::now() + TIMEOUT;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(Instant::now() < end, "it does not end:\n{}", self.screen()),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        // What was written last may still be on its way.
        let mut shown = self.screen();
        loop {
            std::thread::sleep(Duration::from_millis(50));
            let now = self.screen();
            if now == shown {
                break;
            }
            shown = now;
        }
        let code = status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        (code, shown)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // An error means that nothing is left of the group.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}
