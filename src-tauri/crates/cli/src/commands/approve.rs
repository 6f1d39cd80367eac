//! `tokenry approve`: answers permission requests of an engine without a window.

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

/// How often `--wait` asks the engine for open requests.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

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

/// The user's answer to a request.
struct Decision {
    decision: PromptDecision,
    allowed: Allowed,
}

impl From<PromptDecision> for Decision {
    fn from(decision: PromptDecision) -> Self {
        let allowed = Allowed::default();
        Self { decision, allowed }
    }
}

/// Answers the named request; otherwise lists open requests and, at a terminal, asks for a decision on each.
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
            "--decision is missing.",
            "Use `--decision deny`, `once` or `session`; to authorize an app, `authorize`.",
        )),
        (None, _) if args.wait || (!output.is_json() && io::stdin().is_terminal()) => {
            converse(args, engine, output)
        }
        (None, _) => list(engine, output),
    }
}

/// The decision from the options. Names are looked up among the choices of the request.
fn by_options(
    args: &ApproveArgs,
    id: &str,
    decision: PromptDecision,
    engine: &Engine,
) -> Result<Decision, Failure> {
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
                format!("No open request has the id {id:?}."),
                "It was answered or has expired; `tokenry approve` lists open requests.",
            )
        })?;
    let (connections, credentials) = (&args.connections, &args.credentials);
    let allowed = authorize::by_options(prompt, connections, credentials, args.until, args.nothing)?;
    Ok(Decision { decision, allowed })
}

fn list(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let prompts: Vec<Prompt> = engine.get(&["v1", "prompts"])?;
    if prompts.is_empty() {
        output.say("There are no open requests.");
    }
    output.data(&prompts, |style| {
        prompts
            .iter()
            .map(|prompt| shown(prompt, style))
            .collect::<Vec<_>>()
            .join("\n")
    })
}

/// Answers one request after the other until none is open; with `--wait`, until the command is interrupted.
fn converse(args: &ApproveArgs, engine: &Engine, output: &Output) -> Result<(), Failure> {
    let mut known: Option<SecretText> = None;
    if args.wait {
        output.say("Waiting for permission requests. Press Ctrl-C to stop.");
    }
    loop {
        let prompts: Vec<Prompt> = engine.get(&["v1", "prompts"])?;
        let Some(prompt) = prompts.first() else {
            if args.wait {
                std::thread::sleep(POLL_INTERVAL);
                continue;
            }
            output.say("There are no open requests.");
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
            // The request has ended or the code was mistyped: the next one needs a new code.
            Err(failure) => output.fail(&failure),
        }
    }
}

/// Returns `None` at the end of the input. An empty line denies; an invalid line is asked again.
fn decide(prompt: &Prompt, output: &Output) -> Result<Option<Decision>, Failure> {
    if prompt.operation == Operation::AuthorizeApp {
        return authorize_app(prompt, output);
    }
    let choices = if prompt.for_session {
        "Allow? [o]nce, for this [s]ession, or [D]eny: "
    } else {
        "Allow? [o]nce, or [D]eny: "
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
        return Ok(Some(Decision::from(decision)));
    }
}

fn denies(line: &str) -> bool {
    matches!(line, "" | "d" | "deny" | "n" | "no")
}

fn authorize_app(prompt: &Prompt, output: &Output) -> Result<Option<Decision>, Failure> {
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
    Ok(allowed.map(|allowed| Decision { decision, allowed }))
}

fn send(
    engine: &Engine,
    id: &str,
    answer: &Decision,
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

/// An engine with a window accepts answers from that window only.
fn in_its_window(failure: Failure, engine: &Engine) -> Failure {
    let status = || engine.probe::<EngineStatus>(&["v1", "status"]);
    match failure.code() {
        Some(ErrorCode::PermissionDenied) => match status() {
            Some(status) if status.window => failure.with_next(format!(
                "This engine (process {}) has a window: answer there.",
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

/// Lowercase letters and a missing hyphen are accepted.
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
        PromptDecision::Once => "Allowed once.",
        PromptDecision::Authorize => "Authorized. `tokenry app list` shows the grant.",
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
        ("requested scopes", Cell::from(prompt.requested_scopes.join(" "))),
        ("token scopes", Cell::from(prompt.token_scopes.join(" "))),
    ];
    let may = prompt.api_scopes.iter();
    rows.extend(may.map(|may| {
        (
            "access",
            Cell::from(format!("{}: {}", may.scope, may.description)),
        )
    }));
    rows.extend(
        prompt
            .changes
            .iter()
            .map(|change| ("changes", Cell::from(changes(change)))),
    );
    let going = prompt.disconnecting.join(", ");
    rows.push(("disconnects", Cell::from(going)));
    rows.push(("redirect URI", text(&prompt.redirect_uri)));
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
        ("command", text(&prompt.arguments)),
        (
            "through",
            text(&prompt.helper.as_ref().map(|helper| format!("tokenry {helper}"))),
        ),
        ("parent process", text(&prompt.parent)),
        ("terminal", text(&prompt.terminal)),
        ("request", Cell::from(prompt.id.to_string())),
    ]);
    facts(rows, style)
}

/// One field, as `field: old → new`. A secret value is not shown.
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
        Operation::StepUp => "that you sign in again, for more scopes or more safely",
        Operation::FinishFlow => "to finish a sign-in that another program started",
        Operation::Refresh => "to refresh a connection",
        Operation::Disconnect => "to disconnect",
        Operation::WriteConnection => "to change a connection",
        Operation::WriteProviders => "to change providers",
        Operation::DeleteProvider => "to remove a provider and disconnect its connections",
        Operation::MoveEndpoint => "to change where a provider's secrets are sent, or how they are protected",
        Operation::ReadCredential => "to read the values of a credential",
        Operation::WriteCredentials => "to change credentials",
        Operation::DeleteCredential => "to remove a credential",
        Operation::WriteApps => "to change apps and their grants",
        Operation::AcceptOlder => "to accept an older copy of the vault, and refresh again",
        Operation::WriteSlots => "to change how the vault is unlocked",
        Operation::CutOff => "to cut off access, and revoke tokens",
        Operation::SalvageVault => "to copy every secret that still opens into a new vault",
        Operation::DeleteApp => "to remove an app and its grants",
        Operation::Backup => "to write a backup of everything in the vault",
        Operation::Restore => "to restore a backup into the vault",
        Operation::HandOver => "to stop this engine and use its profile",
        Operation::AuthorizeApp => "to be authorized as an app",
        Operation::ReadProviders => "to see providers",
        Operation::Discover => "to look up a provider by its address",
        Operation::ReadConnections => "to see connections",
        Operation::ListCredentials => "to see the names of credentials",
        Operation::ReadActivity => "to read the activity log",
        Operation::ReadApps => "to see apps",
        Operation::ReadSettings => "to see settings",
        Operation::Settings => "to change settings",
        Operation::AutoLock => "to change when the vault locks, or what is handed out while it is locked",
        Operation::BackupJobs => "to read a backup",
        Operation::ReadPrompts => "to see prompts",
        Operation::Answer => "to answer a prompt",
        Operation::CheckVault => "to check the vault",
        Operation::CheckProvider => "to check a provider",
        Operation::Forward => "to open a socket for another host",
        Operation::Engine => "to lock or unlock the vault",
    }
}
