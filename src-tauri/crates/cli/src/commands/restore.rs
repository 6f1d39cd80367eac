//! `tokenry restore`: shows what a backup holds beside what is here, and restores it.

use super::{backup, job, proof, vault};
use crate::backup_args::RestoreArgs;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::output::{Colour, Output, Style};
use crate::secret_input::{self, Sent};
use crate::table::{Cell, table};
use crate::time::both;
use jiff::Timestamp;
use serde::Serialize;
use std::io::{self, IsTerminal};
use tokenry_contract::{
    ApplyRestore, ErrorCode, Job, PromptChange, RestoreItem, RestoreKind, RestorePreview, RestoreState,
};
use uuid::Uuid;

/// `CreateRestore`, without a copy of its secret.
#[derive(Serialize)]
struct New {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    passphrase: Option<Sent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Sent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_file: Option<String>,
}

/// Without a vault, creates one first, as `tokenry unlock` does.
pub(super) fn run(
    args: &RestoreArgs,
    running: impl Fn() -> Result<Engine, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    let can_ask = !output.is_json() && io::stdin().is_terminal();
    if !args.yes && !args.dry_run && !can_ask {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            "There is no terminal to ask whether to restore this backup.",
            "Look at it with --dry-run, then add --yes.",
        ));
    }
    let file = backup::absolute(&args.file)?;
    vault::create_if_absent(&running, output)?;
    let engine = running()?;
    let preview = read(args, file, &engine, output)?;
    let replace = replaced(args, &preview)?;
    if args.dry_run {
        return output.data(&preview, |style| shown(&preview, style));
    }
    // A message is one line; this is a table.
    let plan = shown(&preview, Style { colour: false });
    plan.lines().for_each(|line| output.say(line));
    if !has_work(&preview, &replace) {
        output.say("Nothing is restored: everything in this backup is here already, or stays as it is here.");
        return output.data(&nothing(&preview), |_| String::new());
    }
    if !args.yes && !agrees(&preview, &replace)? {
        output.say("Nothing was restored.");
        return Ok(());
    }
    let id = preview.id.to_string();
    let body = ApplyRestore { replace };
    let begun: Job = engine.send_body(Method::Post, &["v1", "restores", &id, "apply"], body)?;
    let ended = job::follow(&engine, begun, "Restoring", output)?;
    let done = ended
        .restored
        .ok_or_else(|| Failure::invalid_response("a restore has no result"))?;
    if !done.needs_sign_in.is_empty() {
        output.say(&format!(
            "These connections need a new sign-in (`tokenry connect NAME`): {}.",
            done.needs_sign_in.join(", ")
        ));
    }
    output.done(
        &done,
        &format!(
            "Restored: {} added, {} replaced, {} were the same, {} left as they are here.",
            done.added, done.replaced, done.same, done.left
        ),
    )
}

fn read(
    args: &RestoreArgs,
    file: String,
    engine: &Engine,
    output: &Output,
) -> Result<RestorePreview, Failure> {
    let mut new = New {
        file,
        passphrase: None,
        identity: None,
        identity_file: None,
    };
    match (args.passphrase_fd, args.identity_fd, &args.identity) {
        (_, _, Some(path)) => new.identity_file = Some(backup::absolute(path)?),
        (_, Some(fd), _) => {
            engine.is_the_engine()?;
            new.identity = Some(Sent(secret_input::from_fd(fd, "Identity")?));
        }
        (Some(fd), ..) => new.passphrase = Some(passphrase(fd, engine)?),
        _ if io::stdin().is_terminal() => new.passphrase = Some(passphrase(0, engine)?),
        _ => {
            return Err(Failure::new(
                ErrorCode::ValidationError,
                "The backup needs its passphrase or an identity.",
                "Send one: `--passphrase-fd 0`, `--identity-fd 0` or `--identity FILE`.",
            ));
        }
    }
    let begun: Job = engine.send_passphrase(Method::Post, &["v1", "restores"], new)?;
    let ended = job::follow(engine, begun, "Reading the backup", output)?;
    ended
        .preview
        .ok_or_else(|| Failure::invalid_response("a backup that was read has no preview"))
}

fn passphrase(fd: u32, engine: &Engine) -> Result<Sent, Failure> {
    engine.is_the_engine()?;
    let passphrase = secret_input::from_fd(fd, "Passphrase of this backup")?;
    Ok(Sent(proof::first_line(&passphrase)))
}

/// The ids of the conflicts that the user names. A provider and its only connection may have one name: both are meant.
fn replaced(args: &RestoreArgs, preview: &RestorePreview) -> Result<Vec<Uuid>, Failure> {
    let mut ids = Vec::new();
    for name in &args.replaced {
        let conflicts = || {
            let items = preview.items.iter();
            items.filter(|item| item.state == RestoreState::Conflict)
        };
        let meant: Vec<&RestoreItem> = conflicts().filter(|item| is_meant(item, name)).collect();
        if let Some(stuck) = meant.iter().find(|item| !item.can_replace) {
            return Err(Failure::new(
                ErrorCode::Conflict,
                format!("{} cannot be replaced.", stuck.name),
                stuck.note.as_deref().unwrap_or("Leave it as it is."),
            ));
        }
        if meant.is_empty() {
            let names: Vec<&str> = conflicts().map(|item| item.name.as_str()).collect();
            let next = match names.is_empty() {
                true => "Leave out --replace: nothing in this backup is in conflict.".to_owned(),
                false => format!("In conflict are: {}.", names.join(", ")),
            };
            let message = format!("Nothing in conflict is called {name:?}.");
            return Err(Failure::new(ErrorCode::NotFound, message, next));
        }
        ids.extend(meant.iter().map(|item| item.id));
    }
    Ok(ids)
}

fn is_meant(item: &RestoreItem, name: &str) -> bool {
    item.name == name || item.id.to_string() == name || format!("{}:{}", kind(item.kind), item.name) == name
}

fn kind(kind: RestoreKind) -> &'static str {
    match kind {
        RestoreKind::Provider => "provider",
        RestoreKind::Credential => "credential",
        RestoreKind::Connection => "connection",
        RestoreKind::Settings => "settings",
    }
}

fn is_chosen(item: &RestoreItem, replace: &[Uuid]) -> bool {
    let is_wanted = match item.state {
        RestoreState::New => true,
        RestoreState::Same => false,
        RestoreState::Conflict => replace.contains(&item.id),
    };
    is_wanted && item.needs.is_none_or(|needs| replace.contains(&needs))
}

fn has_work(preview: &RestorePreview, replace: &[Uuid]) -> bool {
    preview.items.iter().any(|item| is_chosen(item, replace))
}

fn nothing(preview: &RestorePreview) -> tokenry_contract::Restored {
    let count = |state| preview.items.iter().filter(|item| item.state == state).count() as u64;
    tokenry_contract::Restored {
        added: 0,
        replaced: 0,
        same: count(RestoreState::Same),
        left: count(RestoreState::Conflict) + count(RestoreState::New),
        needs_sign_in: Vec::new(),
    }
}

fn agrees(preview: &RestorePreview, replace: &[Uuid]) -> Result<bool, Failure> {
    let chosen = || preview.items.iter().filter(|item| is_chosen(item, replace));
    let added = chosen().filter(|item| item.state == RestoreState::New).count();
    let replaced = chosen().count() - added;
    let question = format!("Restore this backup: add {added}, replace {replaced}? [y/N] ");
    let answer = secret_input::shown_line(&question)?;
    Ok(answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes")))
}

/// Where it comes from, what is in it, and each conflict with what differs.
fn shown(preview: &RestorePreview, style: Style) -> String {
    let mut text = format!(
        "Backup of {}{}: {}{}.\n",
        both(preview.made_at, Timestamp::now()),
        if preview.is_of_this_vault {
            ", made from this vault"
        } else {
            ""
        },
        backup::words(&preview.counts),
        if preview.with_refresh_tokens {
            ", with refresh tokens"
        } else {
            ", without tokens"
        }
    );
    let rows = preview.items.iter().map(row).collect();
    text += &table(&["KIND", "NAME", "STATE", "REMARK"], rows, style);
    if preview
        .items
        .iter()
        .any(|item| item.state == RestoreState::Conflict)
    {
        text += "Conflicts stay as they are here; --replace NAME replaces one.\n";
    }
    text.trim_end().to_owned() + "\n"
}

fn row(item: &RestoreItem) -> Vec<Cell> {
    let (state, colour) = match item.state {
        RestoreState::New => ("new", Colour::Good),
        RestoreState::Same => ("same", Colour::Dim),
        RestoreState::Conflict => ("conflict", Colour::Busy),
    };
    let mut remarks: Vec<String> = item.differences.iter().map(difference).collect();
    remarks.extend(item.note.clone());
    if item.needs.is_some() {
        remarks.push("its provider has to be replaced for it".to_owned());
    }
    if item.needs_sign_in {
        remarks.push("needs a new sign-in".to_owned());
    }
    vec![
        kind(item.kind).into(),
        item.name.as_str().into(),
        Cell::coloured(state, colour),
        remarks.join("; ").into(),
    ]
}

/// What is here, and what is in the backup.
fn difference(change: &PromptChange) -> String {
    match (&change.from, &change.to) {
        (None, None) => format!("{} differs", change.field),
        (from, to) => {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
            format!(
                "{}: {} here, {} in the backup",
                change.field,
                text(from),
                text(to)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn preview(items: serde_json::Value) -> RestorePreview {
        serde_json::from_value(
            json!({"id": Uuid::nil(), "file": "/x", "made_at": "2026-11-29T06:58:11Z",
            "is_of_this_vault": false, "with_refresh_tokens": false, "expires_at": "2026-11-29T07:08:11Z",
            "counts": {"providers": 1, "connections": 1, "credentials": 0, "settings": 0}, "items": items}),
        )
        .unwrap()
    }

    #[test]
    fn a_preview_says_of_each_entry_how_it_stands_and_what_differs() {
        let preview = preview(json!([
            {"id": Uuid::nil(), "kind": "provider", "name": "github", "state": "conflict", "can_replace": true,
                "differences": [{"field": "token_endpoint", "change": "changed", "from": "https://a", "to": "https://b"},
                    {"field": "client_secret", "change": "changed"}]},
            {"id": Uuid::nil(), "kind": "connection", "name": "github/\u{1b}[2J", "state": "new", "needs_sign_in": true}
        ]));
        let text = shown(&preview, Style { colour: false });
        assert!(
            text.contains("token_endpoint: https://a here, https://b in the backup; client_secret differs"),
            "{text}"
        );
        assert!(
            text.contains("needs a new sign-in") && text.contains("--replace NAME"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn a_name_is_that_of_a_conflict_alone_or_with_its_kind() {
        let preview = preview(json!([
            {"id": "01890a5d-ac96-774b-bcce-b302099a8057", "kind": "provider", "name": "github", "state": "conflict",
                "can_replace": true},
            {"id": "01890a5d-ac96-774b-bcce-b302099a8058", "kind": "connection", "name": "github", "state": "conflict",
                "can_replace": true},
            {"id": "01890a5d-ac96-774b-bcce-b302099a8059", "kind": "connection", "name": "other", "state": "same"},
            {"id": "01890a5d-ac96-774b-bcce-b302099a805a", "kind": "connection", "name": "stuck", "state": "conflict",
                "note": "It belongs to another account here."}
        ]));
        let of = |name: &str| {
            let args = RestoreArgs {
                file: "/x".into(),
                passphrase_fd: None,
                identity_fd: None,
                identity: None,
                replaced: vec![name.to_owned()],
                yes: false,
                dry_run: false,
            };
            replaced(&args, &preview).map(|ids| ids.len())
        };
        assert_eq!(of("github").unwrap(), 2);
        assert_eq!(of("provider:github").unwrap(), 1);
        assert_eq!(of("01890a5d-ac96-774b-bcce-b302099a8058").unwrap(), 1);
        assert!(of("other").unwrap_err().words().contains("In conflict are"));
        assert!(of("stuck").unwrap_err().words().contains("another account"));
    }
}
