//! Answering the engine's questions where there is no window.

use super::authorize::{self, Allowed};
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
use tokenry_contract::{
    EngineStatus, ErrorCode, Operation, Prompt, PromptChange, PromptChangeKind, PromptDecision, Success,
};

/// How often a terminal that waits for questions looks for new ones.
const LOOK: Duration = Duration::from_secs(1);

/// `AnswerPrompt`, without a copy of its secret.
#[derive(Serialize)]
struct Sent<'a> {
    decision: PromptDecision,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    passphrase: Option<&'a str>,
    #[serde(flatten)]
    allowed: &'a Allowed,
}

/// What a person says to a question.
struct Answer {
    decision: PromptDecision,
    allowed: Allowed,
}

impl From<PromptDecision> for Answer {
    fn from(decision: PromptDecision) -> Self {
        let allowed = Allowed::default();
        Self { decision, allowed }
    }
}

/// Answers one question that is named; else shows them, and at a terminal asks for each.
pub(crate) fn run(args: &ApproveArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    match (&args.id, args.decision) {
        (Some(id), Some(decision)) => {
            let answer = by_options(args, id, decision, engine)?;
            let code = code(args.code_fd)?;
            let passphrase = args.passphrase_fd.map(|fd| passphrase(Some(fd))).transpose()?;
            let success = send(engine, id, &answer, &code, passphrase.as_ref())?;
            output.done(&success, done(decision))
        }
        (Some(_), None) => Err(Failure::new(
            ErrorCode::ValidationError,
            "A question is named, and no answer to it.",
            "Say `--decision deny`, `once` or `session`; for an app that is to be authorized, `authorize`.",
        )),
        (None, _) if args.wait || (!output.is_json() && io::stdin().is_terminal()) => {
            converse(args, engine, output)
        }
        (None, _) => list(engine, output),
    }
}

/// What an app may use is looked up among what the question offers.
fn by_options(
    args: &ApproveArgs,
    id: &str,
    decision: PromptDecision,
    engine: &Engine,
) -> Result<Answer, Failure> {
    if decision != PromptDecision::Authorize {
        return Ok(decision.into());
    }
    let prompts: Vec<Prompt> = engine.get(&["v1", "prompts"])?;
    let prompt = prompts
        .iter()
        .find(|prompt| prompt.id.to_string() == id)
        .ok_or_else(|| {
            Failure::new(
                ErrorCode::NotFound,
                format!("No question {id:?} is open."),
                "It was answered, or is over; `tokenry approve` shows what is open.",
            )
        })?;
    let (connections, credentials) = (&args.connections, &args.credentials);
    let allowed = authorize::by_options(prompt, connections, credentials, args.until, args.nothing)?;
    Ok(Answer { decision, allowed })
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
        let Some(answer) = decide(prompt, output)? else {
            return Ok(());
        };
        let given = match known.take() {
            Some(code) => code,
            None => code(args.code_fd)?,
        };
        let needs = prompt.needs_passphrase && answer.decision != PromptDecision::Deny;
        let passphrase = needs.then(|| passphrase(args.passphrase_fd)).transpose()?;
        match send(
            engine,
            &prompt.id.to_string(),
            &answer,
            &given,
            passphrase.as_ref(),
        ) {
            Ok(_) => {
                output.say(done(answer.decision));
                known = Some(given);
            }
            // The question is over, or the code was mistyped: the next one is asked with a new code.
            Err(failure) => output.fail(&failure),
        }
    }
}

/// `None` at the end of the input. An empty line denies; whatever is no answer is asked for again.
fn decide(prompt: &Prompt, output: &Output) -> Result<Option<Answer>, Failure> {
    if prompt.operation == Operation::AuthorizeApp {
        return authorize_app(prompt, output);
    }
    let choices = if prompt.for_session {
        "Allow it? [o]nce, for this [s]ession, or [D]eny: "
    } else {
        "Allow it? [o]nce, or [D]eny: "
    };
    loop {
        let Some(line) = secret_input::shown_line(choices)? else {
            return Ok(None);
        };
        let decision = match line.trim() {
            "o" | "once" => PromptDecision::Once,
            "s" | "session" if prompt.for_session => PromptDecision::Session,
            line if denies(line) => PromptDecision::Deny,
            // A typo decides nothing.
            _ => continue,
        };
        return Ok(Some(Answer::from(decision)));
    }
}

fn denies(line: &str) -> bool {
    matches!(line, "" | "d" | "deny" | "n" | "no")
}

fn authorize_app(prompt: &Prompt, output: &Output) -> Result<Option<Answer>, Failure> {
    loop {
        let Some(line) = secret_input::shown_line("Authorize this app? [y]es, or [D]eny: ")? else {
            return Ok(None);
        };
        match line.trim() {
            "y" | "yes" => break,
            line if denies(line) => return Ok(Some(PromptDecision::Deny.into())),
            _ => {}
        }
    }
    let allowed = authorize::by_questions(prompt, output)?;
    let decision = PromptDecision::Authorize;
    Ok(allowed.map(|allowed| Answer { decision, allowed }))
}

fn send(
    engine: &Engine,
    id: &str,
    answer: &Answer,
    code: &str,
    passphrase: Option<&SecretText>,
) -> Result<Success, Failure> {
    let (decision, allowed) = (answer.decision, &answer.allowed);
    let sent = Sent {
        decision,
        code,
        passphrase: passphrase.map(|text| text.as_str()),
        allowed,
    };
    engine
        .send_body(Method::Post, &["v1", "prompts", id, "answer"], &sent)
        .map_err(|failure| in_its_window(failure, engine))
}

/// An engine with a window takes no answer from anywhere else.
fn in_its_window(failure: Failure, engine: &Engine) -> Failure {
    let status = || engine.glance::<EngineStatus>(&["v1", "status"]);
    match failure.code() {
        Some(ErrorCode::PermissionDenied) => match status() {
            Some(status) if status.window => failure.with_next(format!(
                "This engine (process {}) has a window: answer there, on the desktop.",
                status.pid
            )),
            _ => failure,
        },
        _ => failure,
    }
}

fn passphrase(fd: Option<u32>) -> Result<SecretText, Failure> {
    secret_input::from_fd(fd.unwrap_or(0), "Passphrase")
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
        PromptDecision::Once => "Allowed, this once.",
        PromptDecision::Authorize => "Authorized; `tokenry app list` shows the grant.",
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
    let may = prompt.api_scopes.iter();
    rows.extend(may.map(|may| ("may", Cell::from(format!("{}: {}", may.scope, may.description)))));
    rows.extend(
        prompt
            .changes
            .iter()
            .map(|change| ("changes", Cell::from(changes(change)))),
    );
    let going = prompt.disconnecting.join(", ");
    rows.push(("disconnects", Cell::from(going)));
    rows.push(("code goes to", text(&prompt.redirect_uri)));
    for (what, offers) in [
        ("connection", authorize::connections(prompt)),
        ("credential", authorize::credentials(prompt)),
    ] {
        rows.extend(offers.iter().enumerate().map(|(at, offer)| {
            let account = offer.account.as_ref().map(|account| format!(" ({account})"));
            let offered = format!("{}. {}{}", at + 1, offer.name, account.unwrap_or_default());
            (what, Cell::from(offered))
        }));
    }
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

/// One field, as `field: old → new`. The value of a secret is not told.
fn changes(change: &PromptChange) -> String {
    let field = &change.field;
    match (&change.from, &change.to, change.change) {
        (Some(from), Some(to), _) => format!("{field}: {from} → {to}"),
        (None, Some(to), _) => format!("{field}: → {to}"),
        (Some(from), None, _) => format!("{field}: {from} → removed"),
        (None, None, PromptChangeKind::Set) => format!("{field} is set"),
        (None, None, PromptChangeKind::Changed) => format!("{field} changes"),
        (None, None, PromptChangeKind::Removed) => format!("{field} is removed"),
    }
}

fn wants(operation: Operation) -> &'static str {
    match operation {
        Operation::Token => "an access token",
        Operation::StartFlow => "to start a sign-in",
        Operation::FinishFlow => "to end a sign-in that it did not start",
        Operation::Refresh => "to refresh",
        Operation::Disconnect => "to disconnect",
        Operation::WriteConnection => "to change a connection",
        Operation::WriteProviders => "to change providers",
        Operation::DeleteProvider => "to delete a provider and disconnect its connections",
        Operation::MoveEndpoint => "to change where a provider's secrets go, or how they are protected",
        Operation::ReadCredential => "the values of a credential",
        Operation::WriteCredentials => "to change credentials",
        Operation::DeleteCredential => "to delete a credential",
        Operation::WriteApps => "to change what apps may do",
        Operation::AcceptOlder => "to go on with an older copy of the vault, and refresh from it",
        Operation::DeleteApp => "to remove an app and its grants",
        Operation::HandOver => "to end this engine and take the profile",
        Operation::AuthorizeApp => "to be an authorized app",
        Operation::ReadProviders => "to see providers",
        Operation::ReadConnections => "to see connections",
        Operation::ListCredentials => "to see the names of credentials",
        Operation::ReadActivity => "to read the activity log",
        Operation::ReadApps => "to see apps",
        Operation::Settings => "to see or change settings",
        Operation::ReadPrompts => "to see prompts",
        Operation::Answer => "to answer a prompt",
        Operation::Engine => "to lock or unlock the vault",
    }
}
