//! What an interpreter interprets: a yes to one script must not be one to every script.

use std::path::{Path, PathBuf};
use tokenry_core::{Peer, clean};

/// Programs that run what a file says, without their version.
const INTERPRETERS: &[&str] = &[
    "ash",
    "bash",
    "bun",
    "busybox",
    "csh",
    "dash",
    "deno",
    "fish",
    "gawk",
    "guile",
    "irb",
    "java",
    "julia",
    "ksh",
    "lua",
    "luajit",
    "mawk",
    "mksh",
    "mono",
    "node",
    "nodejs",
    "osascript",
    "perl",
    "php",
    "pwsh",
    "pypy",
    "python",
    "rscript",
    "ruby",
    "sh",
    "tcsh",
    "tclsh",
    "tsx",
    "wish",
    "zsh",
];

/// How much of the arguments is looked at, in bytes.
const MAX_ARGUMENT_BYTES: usize = 16 * 1024;

/// What a program runs beside itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Script {
    /// Nothing: it is no interpreter that is known here.
    None,
    /// This file, whole. A label, as its program is: the requester decides what its arguments are.
    File(String),
    /// Something that no file says: a command, a module, what is typed.
    Any,
}

/// What the process interprets, as far as its arguments say.
pub fn script(peer: &Peer) -> Script {
    let Some(program) = peer.program.as_deref().filter(|program| is_interpreter(program)) else {
        return Script::None;
    };
    let process = PathBuf::from(format!("/proc/{}", peer.pid));
    let Ok(bytes) = std::fs::read(process.join("cmdline")) else {
        return Script::Any;
    };
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_ARGUMENT_BYTES)]);
    let is_java = stem(program).starts_with("java");
    let named = named(text.split('\0').skip(1), is_java);
    let folder = std::fs::read_link(process.join("cwd")).unwrap_or_default();
    match named.and_then(|path| folder.join(path).canonicalize().ok()) {
        Some(file) if file.is_file() => Script::File(clean(&file.to_string_lossy())),
        _ => Script::Any,
    }
}

/// The file that the arguments name: the first that is no option, unless one before it says that there is none.
fn named<'a>(arguments: impl Iterator<Item = &'a str>, is_java: bool) -> Option<&'a Path> {
    let mut arguments = arguments.filter(|argument| !argument.is_empty());
    while let Some(argument) = arguments.next() {
        match argument {
            "-jar" if is_java => return arguments.next().map(Path::new),
            "--" => return arguments.next().map(Path::new),
            // `-c`, `-m`, `-e`, `-p`, `-r`, alone or behind other letters: what is run stands elsewhere.
            _ if argument.starts_with("--") => {
                if ["--eval", "--print", "--command"]
                    .iter()
                    .any(|run| argument.starts_with(run))
                {
                    return None;
                }
            }
            _ if argument.starts_with('-') => {
                if argument.contains(['c', 'm', 'e', 'p', 'r']) && !is_java {
                    return None;
                }
            }
            _ if is_java => return None,
            _ => return Some(Path::new(argument)),
        }
    }
    None
}

/// By the name of its file, without a version: `python3.12` is `python`.
fn is_interpreter(program: &str) -> bool {
    let name = stem(program);
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '_'));
    INTERPRETERS.contains(&name)
}

fn stem(program: &str) -> String {
    let name = program.rsplit('/').next().unwrap_or(program);
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_is_known_by_its_name_without_the_version() {
        for program in [
            "/usr/bin/python3.12",
            "/bin/bash",
            "/opt/x/node-22",
            "/usr/bin/perl5.38",
            "/usr/bin/lua5.4",
        ] {
            assert!(is_interpreter(program), "{program}");
        }
        for program in [
            "/usr/bin/tokenry",
            "/usr/bin/gh",
            "/usr/bin/shfmt",
            "/usr/bin/git",
        ] {
            assert!(!is_interpreter(program), "{program}");
        }
    }

    #[test]
    fn the_script_is_the_first_argument_that_is_no_option_and_a_command_is_none() {
        let of =
            |line: &'static str| named(line.split(' '), false).map(|path| path.to_str().unwrap().to_owned());
        assert_eq!(of("a.py --c d").as_deref(), Some("a.py"));
        assert_eq!(of("-u -B a.py").as_deref(), Some("a.py"));
        assert_eq!(of("--no-warnings a.js").as_deref(), Some("a.js"));
        assert_eq!(of("-- -odd").as_deref(), Some("-odd"));
        for none in [
            "-c print()",
            "-m http.server",
            "-e 1",
            "-lc x",
            "--eval x",
            "",
            "-i",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
        let java = named("-Xmx1g -jar a.jar b".split(' '), true);
        assert_eq!(java, Some(Path::new("a.jar")));
        assert_eq!(named("-cp x Main".split(' '), true), None);
    }

    /// security.md, "Local interfaces": the path of the program decides what the prompt says.
    #[cfg(target_os = "linux")]
    #[test]
    fn two_scripts_of_one_interpreter_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let uid = rustix::process::getuid().as_raw();
        for name in ["one.sh", "two.sh"] {
            std::fs::write(folder.path().join(name), "read line\n").unwrap();
            let mut child = std::process::Command::new("sh")
                .arg(name)
                .current_dir(folder.path())
                .stdin(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            let whole = folder.path().join(name).canonicalize().unwrap();
            let begun = std::time::Instant::now();
            let expected = Script::File(whole.to_str().unwrap().to_owned());
            while script(&crate::of_process(uid, child.id())) != expected {
                assert!(begun.elapsed().as_secs() < 20);
                std::thread::yield_now();
            }
            drop(child.stdin.take());
            child.wait().unwrap();
        }
    }
}
