//! Registers `tokenry` for links with our scheme, for a desktop on which the app with the window is not used
//! (freedesktop.org, Desktop Entry Specification).

use crate::failure::Failure;
use std::path::Path;
use std::process::{Command, Stdio};
use tokenry_contract::profile::{self, APP_ID};

/// The program that a link starts; it stands beside this one.
const PROGRAM: &str = "tokenry";

/// Writes the desktop file, and makes it the default for our scheme.
pub(crate) fn register() -> Result<(), Failure> {
    let here = std::env::current_exe().map_err(|error| wrong("this program's path", &error))?;
    let program = here.with_file_name(PROGRAM);
    if !program.is_file() {
        let missing = format!("links cannot be registered: {} is not there", program.display());
        return Err(Failure::internal(missing));
    }
    let entry = entry(&program)?;
    let folder = profile::data_home()?.join("applications");
    let name = format!("{APP_ID}.links.desktop");
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join(&name), entry))
        .map_err(|error| wrong(&folder.display().to_string(), &error))?;
    let scheme = format!("x-scheme-handler/{APP_ID}");
    let set = Command::new("xdg-mime")
        .args(["default", &name, &scheme])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|error| wrong("xdg-mime, of the package xdg-utils", &error))?;
    if !set.success() {
        return Err(Failure::internal(format!(
            "links cannot be registered: `xdg-mime default {name} {scheme}` failed"
        )));
    }
    Ok(())
}

fn wrong(what: &str, error: &std::io::Error) -> Failure {
    Failure::internal(format!("links cannot be registered: {what}: {error}"))
}

/// The desktop file. A link is one argument, whatever is in it.
fn entry(program: &Path) -> Result<String, Failure> {
    let path = program.to_str().filter(|path| !path.contains(has_a_meaning));
    let path = path.ok_or_else(|| {
        let program = program.display();
        Failure::internal(format!(
            "links cannot be registered: a desktop file cannot start {program}; move it to another folder"
        ))
    })?;
    Ok(format!(
        "[Desktop Entry]\nType=Application\nName=Tokenry\nNoDisplay=true\nTerminal=false\n\
         Exec=\"{path}\" open-link %u\nMimeType=x-scheme-handler/{APP_ID};\n"
    ))
}

/// What has a meaning between quotes in `Exec`, or in any value.
fn has_a_meaning(letter: char) -> bool {
    matches!(letter, '"' | '`' | '$' | '\\' | '%') || letter.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_whose_path_a_desktop_file_would_read_otherwise_is_refused() {
        let file = entry(Path::new("/opt/my programs/tokenry")).unwrap();
        assert!(file.contains("\nExec=\"/opt/my programs/tokenry\" open-link %u\n"));
        for path in [
            "/a$b/tokenry",
            "/a\"b/tokenry",
            "/a%u/tokenry",
            "/a\nExec=x/tokenry",
        ] {
            assert!(entry(Path::new(path)).is_err(), "{path:?}");
        }
    }
}
