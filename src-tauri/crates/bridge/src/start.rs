//! Starts an engine where none runs: by `tokenry`, in the folder of this program.

use crate::failure::Failure;
use std::process::{Command, Stdio};

const PROGRAM: &str = "tokenry";

/// Lists the connections with `tokenry`, which starts an engine for that.
///
/// # Errors
/// When none could be started, with what `tokenry` says of it.
pub(crate) async fn engine() -> Result<(), Failure> {
    let listed = tokio::task::spawn_blocking(list).await;
    listed.map_err(|error| Failure::internal(format!("Cannot start an engine: {error}.")))?
}

fn list() -> Result<(), Failure> {
    let program = std::env::current_exe().map(|ours| ours.with_file_name(PROGRAM));
    let failed =
        |error| Failure::no_engine(format!("Cannot start `{PROGRAM}` beside this program: {error}."));
    let listed = Command::new(program.map_err(failed)?)
        .arg("list")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .map_err(failed)?;
    if listed.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&listed.stderr);
    let reason = text.lines().next().unwrap_or_default();
    let reason = reason.trim_start_matches("error:").trim();
    Err(Failure::no_engine(sentence(reason)))
}

/// A message of `tokenry`, which begins with a small letter and has no end.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    match letters.next() {
        Some(first) => format!(
            "{}{}.",
            first.to_uppercase(),
            letters.as_str().trim_end_matches('.')
        ),
        None => "No engine could be started.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_the_other_program_is_a_sentence_of_its_own() {
        assert_eq!(sentence("no engine is running"), "No engine is running.");
        assert_eq!(sentence("It ended."), "It ended.");
        assert_eq!(sentence(""), "No engine could be started.");
    }
}
