//! Saves the audit or the activity log into a file that the user chooses.

use crate::{commands::envelope, state::Shell};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use tauri::{AppHandle, State};
use tauri_plugin_dialog::DialogExt;
use tokenry_api::servers::{InProcessResponse, InProcessServer};
use tokenry_contract::{
    Audit, ErrorCode, ErrorEnvelope, EventPage, Names, audit_csv, event_csv, event_csv_header, names_of,
};
use url::form_urlencoded;

/// The events of one request.
const PAGE_EVENTS: u32 = 500;

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exported {
    Audit,
    Events,
}

/// The kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    Csv,
    JsonLines,
}

/// Asks for a file and writes the export into it. `None` when the user chose no file.
#[tauri::command]
pub(crate) async fn export_log(
    app: AppHandle,
    shell: State<'_, Shell>,
    what: Exported,
    format: Format,
    query: BTreeMap<String, String>,
) -> Result<Option<String>, ErrorEnvelope> {
    let server = shell.running().await?.window;
    let Some(path) = chosen(&app, what, format).await else {
        return Ok(None);
    };
    let mut draft = Draft::beside(&path).map_err(|error| unwritable(&path, &error))?;
    match what {
        Exported::Audit => audit(&server, format, &query, &mut draft).await?,
        Exported::Events => events(&server, format, query, &mut draft).await?,
    }
    draft.publish(&path).map_err(|error| unwritable(&path, &error))?;
    Ok(Some(path.display().to_string()))
}

/// The file that the user chooses.
async fn chosen(app: &AppHandle, what: Exported, format: Format) -> Option<PathBuf> {
    let (name, kind, extension) = match (what, format) {
        (Exported::Audit, Format::Csv) => ("tokenry-audit.csv", "CSV", "csv"),
        (Exported::Audit, Format::JsonLines) => ("tokenry-audit.jsonl", "JSON lines", "jsonl"),
        (Exported::Events, Format::Csv) => ("tokenry-activity.csv", "CSV", "csv"),
        (Exported::Events, Format::JsonLines) => ("tokenry-activity.jsonl", "JSON lines", "jsonl"),
    };
    let (tell, answer) = tokio::sync::oneshot::channel();
    app.dialog()
        .file()
        .set_file_name(name)
        .add_filter(kind, &[extension])
        .save_file(move |path| drop(tell.send(path)));
    answer.await.ok()??.into_path().ok()
}

async fn audit(
    server: &InProcessServer,
    format: Format,
    query: &BTreeMap<String, String>,
    draft: &mut Draft,
) -> Result<(), ErrorEnvelope> {
    let audit: Audit = ask(server, "/v1/audit", query).await?;
    match format {
        Format::Csv => draft.write(audit_csv(&audit).as_bytes()),
        Format::JsonLines => audit.entries.iter().try_for_each(|entry| draft.line(entry)),
    }
    .map_err(|error| unwritable(&draft.path, &error))
}

/// Every page, one after the other; no more than one is in memory.
async fn events(
    server: &InProcessServer,
    format: Format,
    mut query: BTreeMap<String, String>,
    draft: &mut Draft,
) -> Result<(), ErrorEnvelope> {
    let names = names(server).await;
    let failed = |path: &Path, error: io::Error| unwritable(path, &error);
    if format == Format::Csv {
        let header = draft.write(event_csv_header().as_bytes());
        header.map_err(|error| failed(&draft.path, error))?;
    }
    query.insert("limit".to_owned(), PAGE_EVENTS.to_string());
    // A line that repeats stands in the log several times; its newest state comes first.
    let mut repeated = HashSet::new();
    loop {
        let page: EventPage = ask(server, "/v1/events", &query).await?;
        for event in page.events.iter().filter(|event| !repeated.contains(&event.id)) {
            let written = match format {
                Format::Csv => draft.write(event_csv(event, &names).as_bytes()),
                Format::JsonLines => draft.line(event),
            };
            written.map_err(|error| failed(&draft.path, error))?;
        }
        repeated.extend(
            page.events
                .iter()
                .filter(|event| event.count > 1)
                .map(|event| event.id),
        );
        match page.next {
            Some(mark) => query.insert("before".to_owned(), mark.to_string()),
            None => return Ok(()),
        };
    }
}

/// The names of ids. Removed objects have none.
async fn names(server: &InProcessServer) -> Names {
    let nothing = BTreeMap::new();
    let providers = ask(server, "/v1/oauth-providers", &nothing).await;
    let credentials = ask(server, "/v1/credentials", &nothing).await;
    let connections = ask(server, "/v1/connections", &nothing).await;
    let apps = ask(server, "/v1/apps", &nothing).await;
    names_of(
        providers.unwrap_or_default(),
        credentials.unwrap_or_default(),
        connections.unwrap_or_default(),
        apps.unwrap_or_default(),
    )
}

async fn ask<T: DeserializeOwned>(
    server: &InProcessServer,
    path: &str,
    query: &BTreeMap<String, String>,
) -> Result<T, ErrorEnvelope> {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    let target = if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    };
    let InProcessResponse { status, body } = server.handle("GET", &target, None).await;
    let unreadable = |_| {
        envelope(
            ErrorCode::Internal,
            "could not read the engine's response; try again".to_owned(),
        )
    };
    if status >= 400 {
        return Err(serde_json::from_value(body).unwrap_or_else(unreadable));
    }
    serde_json::from_value(body).map_err(unreadable)
}

/// A file that is written beside its place, and removed unless it is published.
struct Draft {
    path: PathBuf,
    file: BufWriter<File>,
    is_published: bool,
}

impl Draft {
    fn beside(path: &Path) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".tokenry-draft");
        let path = path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self {
            file: BufWriter::new(options.open(&path)?),
            path,
            is_published: false,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn line<T: serde::Serialize>(&mut self, value: &T) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, value)?;
        self.file.write_all(b"\n")
    }

    fn publish(mut self, path: &Path) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.path, path)?;
        self.is_published = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_published {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> ErrorEnvelope {
    envelope(
        ErrorCode::Internal,
        format!(
            "could not write {} ({error}); choose another folder and try again",
            path.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_under_its_name_or_not_at_all() {
        let folder = std::env::temp_dir().join(format!("tokenry-export-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let path = folder.join("audit.csv");
        let mut draft = Draft::beside(&path).unwrap();
        draft.write(b"one\r\n").unwrap();
        assert!(!path.exists());
        drop(draft);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        let mut draft = Draft::beside(&path).unwrap();
        draft.line(&1).unwrap();
        draft.publish(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"1\n");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
