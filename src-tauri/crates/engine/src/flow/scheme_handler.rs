//! Which program opens links with our scheme, as the desktop's files say (freedesktop.org, Desktop Entry Specification).

use crate::SchemeState;
use crate::access::installed::{COMMAND_LINE, DESKTOP_APP};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// No `.desktop` file of a few lines is longer.
const MAX_BYTES: u64 = 64 * 1024;

/// Asks the desktop which `.desktop` file opens our links, and looks at the program that this file starts: its name
/// alone can be anybody's.
pub(crate) fn registered_handler() -> SchemeState {
    let query = format!("x-scheme-handler/{}", tokenry_oauth::redirect::SCHEME);
    let Ok(output) = Command::new("xdg-mime")
        .args(["query", "default", &query])
        .stdin(Stdio::null())
        .output()
    else {
        return SchemeState::Unknown;
    };
    let handler = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if handler.is_empty() {
        return SchemeState::NotRegistered;
    }
    judge(&handler, &application_folders(), &our_programs())
}

fn judge(handler: &str, folders: &[PathBuf], ours: &[PathBuf]) -> SchemeState {
    // A name of a file, and not a way to another folder.
    let is_name = Path::new(handler).file_name() == Some(handler.as_ref());
    let mut files = folders.iter().map(|folder| folder.join(handler));
    let Some(program) = files.find_map(|file| started_by(&file)).filter(|_| is_name) else {
        return SchemeState::Others(tokenry_core::clean(handler));
    };
    let found = resolved(&program);
    if found.as_ref().is_some_and(|found| ours.contains(found)) {
        return SchemeState::Ours;
    }
    SchemeState::Others(tokenry_core::clean(&format!("{program} ({handler})")))
}

/// Where `.desktop` files are, the user's own first (XDG Base Directory Specification).
fn application_folders() -> Vec<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = set("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let own = set("XDG_DATA_HOME").map(PathBuf::from).or(home);
    let shared = set("XDG_DATA_DIRS").unwrap_or_else(|| OsString::from("/usr/local/share:/usr/share"));
    let all = own.into_iter().chain(std::env::split_paths(&shared));
    all.map(|folder| folder.join("applications")).collect()
}

/// The programs beside this one that open links, or the packed file that all are in.
fn our_programs() -> Vec<PathBuf> {
    let here = std::env::current_exe().and_then(std::fs::canonicalize).ok();
    let folder = here.as_deref().and_then(Path::parent);
    let beside = folder.map(|folder| [DESKTOP_APP, COMMAND_LINE].map(|name| folder.join(name)));
    let packed = std::env::var_os("APPIMAGE").map(PathBuf::from);
    let all = beside.into_iter().flatten().chain(packed);
    all.filter_map(|path| path.canonicalize().ok()).collect()
}

/// The first word of the file's `Exec`.
fn started_by(file: &Path) -> Option<String> {
    if std::fs::metadata(file).ok()?.len() > MAX_BYTES {
        return None;
    }
    program_of(&std::fs::read_to_string(file).ok()?)
}

fn program_of(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| *line == "[Desktop Entry]")?;
    let mut entry = lines.take_while(|line| !line.starts_with('['));
    let command = entry.find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim_end() == "Exec").then(|| value.trim_start())
    })?;
    first_word(command).filter(|word| !word.is_empty())
}

/// A word in quotes has backslashes before `"`, `` ` ``, `$` and a backslash.
fn first_word(command: &str) -> Option<String> {
    let Some(quoted) = command.strip_prefix('"') else {
        return command.split_whitespace().next().map(str::to_owned);
    };
    let mut word = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Some(word),
            '\\' => word.push(letters.next()?),
            letter => word.push(letter),
        }
    }
    None
}

fn resolved(program: &str) -> Option<PathBuf> {
    let path = Path::new(program);
    if path.is_absolute() {
        return path.canonicalize().ok();
    }
    let search = std::env::var_os("PATH")?;
    let is_name = path.file_name() == Some(path.as_os_str());
    let mut places = std::env::split_paths(&search)
        .filter(|_| is_name)
        .map(|folder| folder.join(path));
    places.find_map(|place| place.canonicalize().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// security.md, Redirects: before a flow starts we check that the scheme is still ours.
    #[test]
    fn a_handler_is_ours_by_the_program_it_starts_and_not_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().canonicalize().unwrap();
        let (app, evil) = (place.join(DESKTOP_APP), place.join("evil tokenry"));
        std::fs::write(&app, "").unwrap();
        std::fs::write(&evil, "").unwrap();
        let write = |name: &str, exec: &str| {
            std::fs::write(
                place.join(name),
                format!("[Desktop Entry]\nName=Tokenry\nExec={exec}\n"),
            )
            .unwrap();
        };
        let judged = |name: &str| judge(name, std::slice::from_ref(&place), std::slice::from_ref(&app));
        write("ours.desktop", &format!("{} %u", app.display()));
        write("quoted.desktop", &format!("\"{}\" %u", app.display()));
        assert_eq!(judged("ours.desktop"), SchemeState::Ours);
        assert_eq!(judged("quoted.desktop"), SchemeState::Ours);
        write("tokenry.desktop", &format!("\"{}\" %u", evil.display()));
        let SchemeState::Others(who) = judged("tokenry.desktop") else {
            panic!("a program of another is taken for ours")
        };
        assert!(who.contains("evil tokenry"), "{who}");
        write("shell.desktop", &format!("sh -c \"{} $0\" %u", app.display()));
        for other in [
            "shell.desktop",
            "missing.desktop",
            "../ours.desktop",
            "/ours.desktop",
        ] {
            assert!(matches!(judged(other), SchemeState::Others(_)), "{other}");
        }
    }

    #[test]
    fn the_program_is_the_first_word_of_exec_in_the_first_group() {
        for (text, program) in [
            ("[Desktop Entry]\nExec=/usr/bin/a %u\n", Some("/usr/bin/a")),
            (
                "# x\n[Desktop Entry]\nExec = \"/a b/\\\\c\\\"\" %u",
                Some("/a b/\\c\""),
            ),
            ("[Desktop Entry]\nTryExec=x\n[Desktop Action y]\nExec=z", None),
            ("[Desktop Entry]\nExec=\"/never/ends", None),
            ("[Desktop Entry]\nExec=", None),
            ("Exec=/usr/bin/a", None),
            ("", None),
        ] {
            assert_eq!(program_of(text).as_deref(), program, "{text}");
        }
    }
}
