//! Answering the engine's questions where there is no window.

use crate::args::ApproveArgs;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::{Colour, Output, Style};
use crate::secret_input::{self, SecretText};
use crate::table::{Cell, facts};
use serde::Serialize;
use std::io::{self, IsTerminal};
use std::time::Duration;
use tokenry_contract::{ErrorCode, Prompt, PromptDecision, PromptOperation, Success};

/// How often a terminal that waits for questions looks for new ones.
const LOOK: Duration = Duration::from_secs(1);

/// `AnswerPrompt`, without a copy of its secret.
#[derive(Serialize)]
struct Answer<'a> {
    decision: PromptDecision,
    code: &'a str,
}

/// Answers one question that is named; else shows them, and at a terminal asks for each.
pub(crate) fn run(args: &ApproveArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    match (&args.id, args.decision) {
        (Some(id), Some(decision)) => {
            let success = send(engine, id, decision, &code(args.code_fd)?)?;
            output.done(&success, done(decision))
        }
        (Some(_), None) => Err(Failure::new(
            ErrorCode::ValidationError,
            "A question is named, and no answer to it.",
            "Say `--decision deny`, `once` or `session`.",
        )),
        (None, _) if args.wait || (!output.is_json() && io::stdin().is_terminal()) => {
            converse(args, engine, output)
        }
        (None, _) => list(engine, output),
    }
}

fn list(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let prompts: Vec<Prompt> = engine.get(&["v1", "prompts"])?;
    if prompts.is_empty() {
        output.say("No question is open.");
    }
    output.data(&prompts, |style| {
        prompts
            .iter()
            .map(|prompt| shown(prompt, style))
            .collect::<Vec<_>>()
            .join("\n")
    })
}

/// One question after the other, as long as there are any; with `--wait`, for ever.
fn converse(args: &ApproveArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let mut known: Option<SecretText> = None;
    loop {
        let prompts: Vec<Prompt> = engine.get(&["v1", "prompts"])?;
        let Some(prompt) = prompts.first() else {
            if args.wait {
                std::thread::sleep(LOOK);
                continue;
            }
            output.say("No question is open.");
            return Ok(());
        };
        output.say("");
        output.data(prompt, |style| shown(prompt, style))?;
        let Some(decision) = decide(prompt)? else {
            return Ok(());
        };
        let given = match known.take() {
            Some(code) => code,
            None => code(args.code_fd)?,
        };
        match send(engine, &prompt.id.to_string(), decision, &given) {
            Ok(_) => {
                output.say(done(decision));
                known = Some(given);
            }
            // The question is over, or the code was mistyped: the next one is asked with a new code.
            Err(failure) => output.fail(&failure),
        }
    }
}

/// `None` at the end of the input. Whatever is not one of the answers is a no.
fn decide(prompt: &Prompt) -> Result<Option<PromptDecision>, Failure> {
    let choices = if prompt.for_session {
        "Allow it? [o]nce, for this [s]ession, or [D]eny: "
    } else {
        "Allow it? [o]nce, or [D]eny: "
    };
    let line = secret_input::shown_line(choices)?;
    Ok(line.map(|line| match line.trim() {
        "o" | "once" => PromptDecision::Once,
        "s" | "session" if prompt.for_session => PromptDecision::Session,
        _ => PromptDecision::Deny,
    }))
}

fn send(engine: &Engine, id: &str, decision: PromptDecision, code: &str) -> Result<Success, Failure> {
    let answer = Answer { decision, code };
    engine.send_body(Method::Post, &["v1", "prompts", id, "answer"], &answer)
}

/// As people type it: small letters and a forgotten hyphen are no other code.
fn code(fd: Option<u32>) -> Result<SecretText, Failure> {
    let typed = secret_input::from_fd(fd.unwrap_or(0), "Approval code")?;
    let letters: String = typed
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    let (first, second) = letters.split_at(letters.len().min(4));
    Ok(SecretText::new(format!("{first}-{second}")))
}

fn done(decision: PromptDecision) -> &'static str {
    match decision {
        PromptDecision::Deny => "Denied.",
        PromptDecision::Session => "Allowed for this session.",
        PromptDecision::Once | PromptDecision::Authorize => "Allowed, this once.",
    }
}

fn shown(prompt: &Prompt, style: Style) -> String {
    let text = |text: &Option<String>| Cell::from(text.as_deref().unwrap_or_default());
    let program = match (&prompt.program, prompt.pid) {
        (Some(program), Some(pid)) => format!("{program} ({pid})"),
        (program, _) => program.clone().unwrap_or_default(),
    };
    let mut rows = vec![
        ("wants", Cell::coloured(wants(prompt.operation), Colour::Busy)),
        ("connection", text(&prompt.connection)),
        ("account", text(&prompt.account)),
        ("provider", text(&prompt.provider)),
        ("credential", text(&prompt.credential)),
        ("asked for", Cell::from(prompt.requested_scopes.join(" "))),
        ("token can", Cell::from(prompt.token_scopes.join(" "))),
    ];
    rows.extend(prompt.notes.iter().map(|note| ("note", Cell::from(note))));
    rows.extend([
        ("app", text(&prompt.app)),
        ("program", Cell::from(program)),
        ("started as", text(&prompt.arguments)),
        ("by", text(&prompt.parent)),
        ("terminal", text(&prompt.terminal)),
        ("question", Cell::from(prompt.id.to_string())),
    ]);
    facts(rows, style)
}

fn wants(operation: PromptOperation) -> &'static str {
    match operation {
        PromptOperation::Token => "an access token",
        PromptOperation::StartFlow => "to start a sign-in",
        PromptOperation::Refresh => "to refresh",
        PromptOperation::Disconnect => "to disconnect",
        PromptOperation::WriteConnection => "to change a connection",
        PromptOperation::WriteProviders => "to change providers",
        PromptOperation::MoveEndpoint => "to send a provider's secrets to another host",
        PromptOperation::ReadCredential => "the values of a credential",
        PromptOperation::WriteCredentials => "to change credentials",
        PromptOperation::WriteApps => "to change what apps may do",
        PromptOperation::AuthorizeApp => "to be an authorized app",
    }
}
