//! Writes what packages have beside the programs, below a folder that stands for `/usr`: the manual pages of `tokenry`, its
//! completions for bash, zsh and fish, and the links by which other programs call it.

use clap_complete::Shell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tokenry_contract::HELPERS;

/// Writes all files, and names them.
///
/// # Errors
/// When one cannot be written.
pub(crate) fn write(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut written = links(&folder.join("bin"))?;
    let folder = folder.join("share");
    written.extend(pages(&folder.join("man/man1"))?);
    for (shell, below) in [
        (Shell::Bash, "bash-completion/completions"),
        (Shell::Zsh, "zsh/site-functions"),
        (Shell::Fish, "fish/vendor_completions.d"),
    ] {
        let folder = folder.join(below);
        fs::create_dir_all(&folder)?;
        let mut command = tokenry_cli::command();
        let file = clap_complete::generate_to(shell, &mut command, "tokenry", &folder)?;
        // bash looks for the name of the program alone.
        let place = match shell {
            Shell::Bash => folder.join("tokenry"),
            _ => file.clone(),
        };
        fs::rename(file, &place)?;
        written.push(place);
    }
    Ok(written)
}

/// The links that say whose they are. A link with the name of another program is the user's to make.
fn links(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let names = HELPERS.iter().filter_map(|helper| helper.link);
    let ours = names.filter(|name| name.ends_with("-tokenry"));
    ours.map(|name| {
        let link = folder.join(name);
        if link.is_symlink() {
            fs::remove_file(&link)?;
        }
        std::os::unix::fs::symlink("tokenry", &link)?;
        Ok(link)
    })
    .collect()
}

/// A page for each command that is not hidden: `tokenry-token.1`.
fn pages(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let mut command = tokenry_cli::command();
    command.build();
    let mut written = Vec::new();
    page(&command, "tokenry", folder, &mut written)?;
    Ok(written)
}

fn page(command: &clap::Command, name: &str, folder: &Path, written: &mut Vec<PathBuf>) -> io::Result<()> {
    let file = folder.join(format!("{name}.1"));
    let manual = clap_mangen::Man::new(command.clone().display_name(name)).title(name.to_uppercase());
    manual.render(&mut fs::File::create(&file)?)?;
    written.push(file);
    let shown = command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help");
    for sub in shown {
        page(sub, &format!("{name}-{}", sub.get_name()), folder, written)?;
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .ok_or_else(|| io::Error::other("name a folder"))?;
    write(Path::new(&folder)).map(drop)
}
