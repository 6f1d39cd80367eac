//! The subjects of the commits.

use crate::sh::{self, Result};

/// Commits after this one are checked.
const SINCE: &str = "34a34c4683a439c1d0f69bbb0da74b83502766c0";
/// What `git log --oneline` shows in a terminal of 80 columns.
const MAX_SUBJECT_CHARS: usize = 72;

/// Fails with the subjects that are too long. Where the history is not there (a shallow clone, an archive), it says
/// that they were not checked.
///
/// # Errors
/// Names the commits.
pub(crate) fn check() -> Result {
    let commit = format!("{SINCE}^{{commit}}");
    let known = sh::command("git", ["cat-file", "-e", &commit]).output();
    if !known.is_ok_and(|known| known.status.success()) {
        println!("Skipped: the history does not reach back to {SINCE} (a shallow clone?).");
        return Ok(());
    }
    let range = format!("{SINCE}..HEAD");
    let log = sh::read(&mut sh::command(
        "git",
        ["log", "--no-merges", "--format=%h %s", &range],
    ))?;
    let long = too_long(&log);
    if long.is_empty() {
        return Ok(());
    }
    Err(format!(
        "subjects of more than {MAX_SUBJECT_CHARS} characters:\n      {}",
        long.join("\n      ")
    ))
}

/// The lines `HASH SUBJECT` whose subject is too long.
fn too_long(log: &str) -> Vec<&str> {
    let is_long = |line: &&str| {
        line.split_once(' ')
            .is_some_and(|(_, subject)| subject.chars().count() > MAX_SUBJECT_CHARS)
    };
    log.lines().filter(is_long).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_may_have_72_characters_and_not_73() {
        let line = |length: usize| format!("abc1234 {}", "ä".repeat(length));
        let log = format!("{}\n{}\nabc1234 \nabc1234", line(72), line(73));
        assert_eq!(too_long(&log), [line(73)]);
    }
}
