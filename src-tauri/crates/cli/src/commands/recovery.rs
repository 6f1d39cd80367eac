//! `tokenry recovery new`.

use super::proof;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::{Output, check_out, write_out};
use crate::secret_input::{SecretText, Sent, shown_line};
use crate::vault_args::ProofArgs;
use serde::Serialize;
use std::io::{self, IsTerminal};
use std::time::SystemTime;
use tokenry_contract::{ErrorCode, RecoveryCode, Success};
use zeroize::Zeroizing;

/// How often a group may be mistyped.
const MAX_TRIES: u32 = 5;

/// `RecoveryCode`, without a copy of its secret.
#[derive(Serialize)]
struct Confirm {
    code: Sent,
}

pub(super) fn new(args: &ProofArgs, yes: bool, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let is_asked = !yes && !output.is_json();
    if is_asked && !io::stdin().is_terminal() {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "Without a terminal, Tokenry cannot check that the recovery code was written down.",
            "Run the command in a terminal, or add --yes if its output is kept in a safe place.",
        ));
    }
    check_out()?;
    let proof = proof::for_a_change(args, engine)?;
    let path = ["v1", "vault", "recovery-code"];
    let new: RecoveryCode = proof::send(engine, Method::Post, &path, !proof.is_empty(), proof)?;
    let code = SecretText::new(new.code);
    if is_asked {
        output.say(
            "Write this recovery code down, on paper or in another safe place. It is shown only once:\n",
        );
    }
    if !output.is_json() {
        write_out(Zeroizing::new(format!("{}\n", *code)).as_bytes())?;
    }
    if is_asked {
        check(&code, output)?;
    }
    let sent = Confirm {
        code: Sent(code.clone()),
    };
    let path = ["v1", "vault", "recovery-code", "confirm"];
    let success: Success = engine.send_passphrase(Method::Post, &path, sent)?;
    if output.is_json() {
        return write_out(Zeroizing::new(format!("{{\"code\":\"{}\"}}\n", *code)).as_bytes());
    }
    output.done(
        &success,
        "The recovery code is set. It unlocks the vault: `tokenry unlock --recovery`. A code from before no longer does.",
    )
}

/// Asks for two groups of what was written down.
fn check(code: &str, output: &Output) -> Result<(), Failure> {
    output.say("");
    let groups: Vec<_> = code.split('-').collect();
    let mut tries = 0;
    for number in two_of(groups.len()) {
        loop {
            let prompt = format!(
                "Type group {number} of {} from what you wrote down: ",
                groups.len()
            );
            let typed = shown_line(&prompt)?.ok_or_else(not_confirmed)?;
            if groups.get(number - 1).is_some_and(|group| is_same(group, &typed)) {
                break;
            }
            tries += 1;
            if tries == MAX_TRIES {
                return Err(not_confirmed());
            }
            output.say("That is not the group. Compare it with the code above.");
        }
    }
    Ok(())
}

fn is_same(group: &str, typed: &str) -> bool {
    let plain = typed.trim().to_ascii_uppercase();
    plain.replace('O', "0").replace(['I', 'L'], "1") == group
}

/// The numbers of two groups, from 1. Nothing depends on whether they can be guessed.
fn two_of(groups: usize) -> [usize; 2] {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanos = now.map_or(0, |now| now.subsec_nanos() as usize / 1000);
    let first = nanos % groups.max(1);
    let second = (first + 1 + nanos / 10 % (groups.max(2) - 1)) % groups.max(1);
    let (low, high) = (first.min(second), first.max(second));
    [low + 1, high + 1]
}

fn not_confirmed() -> Failure {
    Failure::new(
        ErrorCode::ValidationError,
        "The recovery code was not confirmed, so it was not set; a code from before still works.",
        "Create another one: `tokenry recovery new`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_may_be_typed_in_lower_case_and_with_lookalikes() {
        assert!(is_same("0A1BC", " oalbc\n"));
        assert!(is_same("0A1BC", "0A1BC"));
        assert!(!is_same("0A1BC", "0A1BD"));
        assert!(!is_same("0A1BC", ""));
    }

    #[test]
    fn two_different_groups_of_the_code_are_asked_for_in_order() {
        for _ in 0..1000 {
            let [low, high] = two_of(7);
            assert!((1..high).contains(&low) && high <= 7, "{low} {high}");
        }
    }
}
