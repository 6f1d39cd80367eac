//! `tokenry vault check` and `tokenry vault salvage`.

use super::proof::{self, SentProof};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::{Colour, Output, Style};
use crate::table::{Cell, table};
use crate::vault_args::{ProofArgs, SalvageArgs};
use serde::Serialize;
use std::io::{self, IsTerminal};
use std::path::Path;
use tokenry_contract::{
    CheckedPart, CopiedRecords, EngineStatus, ErrorCode, SalvageAnswer, SlotKind, VaultCheck, VaultProblem,
    VaultState,
};

/// `SalvageRequest`, without a copy of its secrets.
#[derive(Serialize)]
struct Salvage<'a> {
    folder: &'a str,
    #[serde(flatten)]
    proof: SentProof,
}

pub(crate) fn check(args: &ProofArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let status: EngineStatus = engine.get(&["v1", "status"])?;
    let proof = match proof::is_given(args) {
        true => given(engine, args)?,
        false => asked(engine, &status, output)?,
    };
    let path = ["v1", "vault", "check"];
    let check: VaultCheck = proof::send(engine, Method::Post, &path, !proof.is_empty(), proof)?;
    output.data(&check, |style| text(&check, style))?;
    if check.whole {
        return Ok(());
    }
    let count = check.problems.len() as u64 + check.more_problems;
    Err(Failure::new(
        ErrorCode::Conflict,
        format!("The vault is not as it should be ({count} found). Nothing was changed."),
        "Put a backup of the profile folder in its place; or copy what still opens: `tokenry vault salvage NEW_FOLDER`.",
    ))
}

pub(crate) fn salvage(args: &SalvageArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let folder = std::path::absolute(&args.folder).map_err(|error| {
        Failure::new(
            ErrorCode::ValidationError,
            format!("Cannot use this folder: {error}."),
            "Give the path of a new folder.",
        )
    })?;
    let folder = folder.to_str().ok_or_else(|| {
        Failure::new(
            ErrorCode::ValidationError,
            "The path of the folder is not UTF-8.",
            "Choose another folder.",
        )
    })?;
    let status: EngineStatus = engine.get(&["v1", "status"])?;
    let proof = match (args.passphrase_fd, args.recovery_fd) {
        (None, None) => asked(engine, &status, output)?,
        (passphrase_fd, recovery_fd) => {
            proof::one_from_stdin_only(passphrase_fd, recovery_fd)?;
            engine.is_the_engine()?;
            proof::of_both(passphrase_fd, recovery_fd)?
        }
    };
    let path = ["v1", "vault", "salvage"];
    let is_secret = !proof.is_empty();
    let answer: SalvageAnswer =
        proof::send(engine, Method::Post, &path, is_secret, Salvage { folder, proof })?;
    output.data(&answer, |style| copied(&answer, style))?;
    next_steps(&answer, output);
    Ok(())
}

fn given(engine: &Engine, args: &ProofArgs) -> Result<SentProof, Failure> {
    engine.is_the_engine()?;
    proof::read(args, "Passphrase")
}

/// A vault without a keyring slot that is not open needs its passphrase; a terminal prompts for it.
fn asked(engine: &Engine, status: &EngineStatus, output: &Output) -> Result<SentProof, Failure> {
    let is_open = status.vault.state == VaultState::Unlocked;
    let by_keyring = status.vault.slots.is_empty() || status.vault.slots.contains(&SlotKind::Keyring);
    if is_open || by_keyring {
        return Ok(SentProof::default());
    }
    if output.is_json() || !io::stdin().is_terminal() {
        return Err(Failure::new(
            ErrorCode::VaultLocked,
            "The vault does not open without its passphrase or its recovery code.",
            "Send one: `--passphrase-fd 0` or `--recovery-fd 0`.",
        ));
    }
    given(engine, &ProofArgs::default())
}

fn text(check: &VaultCheck, style: Style) -> String {
    let row = |part: &CheckedPart| -> Vec<Cell> {
        let (word, colour) = match part.whole {
            true => ("ok", Colour::Good),
            false => ("WRONG", Colour::Bad),
        };
        vec![
            Cell::from(&part.part),
            Cell::coloured(word, colour),
            Cell::from(&part.text),
        ]
    };
    let mut text = table(
        &["PART", "STATE", ""],
        check.parts.iter().map(row).collect(),
        style,
    );
    if !check.problems.is_empty() {
        text += "\n";
        text += &problems(&check.problems, check.more_problems, style);
    }
    text
}

fn problems(problems: &[VaultProblem], more: u64, style: Style) -> String {
    let row = |problem: &VaultProblem| -> Vec<Cell> {
        let row = problem.row.map_or_else(|| "–".to_owned(), |row| row.to_string());
        vec![
            Cell::from(&problem.part),
            Cell::from(row),
            Cell::from(problem.name.as_deref().unwrap_or("–")),
            Cell::coloured(&problem.text, Colour::Bad),
        ]
    };
    let mut text = table(
        &["PART", "ROW", "NAME", "WHAT IS WRONG"],
        problems.iter().map(row).collect(),
        style,
    );
    if more > 0 {
        text += &format!("and {more} more\n");
    }
    text
}

fn copied(answer: &SalvageAnswer, style: Style) -> String {
    let row = |copied: &CopiedRecords| -> Vec<Cell> {
        vec![
            Cell::from(&copied.part),
            Cell::from(copied.count.to_string()),
            Cell::from(copied.names.join(", ")),
        ]
    };
    let mut text = table(
        &["COPIED", "COUNT", "NAMES"],
        answer.copied.iter().map(row).collect(),
        style,
    );
    if !answer.lost.is_empty() {
        text += "\nNot copied:\n";
        text += &problems(&answer.lost, answer.more_lost, style);
    }
    text
}

/// How to go on with the new profile.
fn next_steps(answer: &SalvageAnswer, output: &Output) {
    let (new, old) = (quoted(&answer.folder), quoted(&answer.old_folder));
    output.say(&format!(
        "The copy is in {}. The old profile was not changed.",
        answer.folder
    ));
    output.say(&format!("Look at it: `TOKENRY_HOME={new} tokenry list`."));
    output.say(&format!(
        "To use it from now on, quit Tokenry and swap the folders: `mv {old} {old}.damaged && mv {new} {old}`."
    ));
    if answer.refresh_tokens > 0 {
        output.say(
            "Use only one of the two profiles from now on: where a provider replaces refresh tokens, the grant ends when both \
             refresh it.",
        );
    }
}

/// A path for a shell.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@".contains(c);
    if Path::new(path).is_absolute() && path.chars().all(is_plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_for_a_shell() {
        assert_eq!(quoted("/home/ada/new-1.0"), "/home/ada/new-1.0");
        assert_eq!(quoted("/home/a b"), "'/home/a b'");
        assert_eq!(quoted("/home/a'b$(x)"), "'/home/a'\\''b$(x)'");
    }
}
