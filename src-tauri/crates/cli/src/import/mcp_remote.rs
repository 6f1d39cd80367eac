//! mcp-remote: the clients that it registered at MCP servers, in `~/.mcp-auth`. Its files do not say at which server:
//! their names hold a hash of the address.

use super::Found;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// More folders and files than it ever has.
const MAX_FILES: usize = 1_000;
const CLIENT: &str = "_client_info.json";
const TOKENS: &str = "_tokens.json";

/// The files of registrations in this folder and the folders in it, one for each release.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let read = std::fs::read_dir(folder).into_iter().flatten().flatten();
        read.take(MAX_FILES).map(|entry| entry.path()).collect()
    };
    let inner = entries(folder).into_iter().filter(|path| path.is_dir());
    let folders: Vec<PathBuf> = [folder.to_owned()].into_iter().chain(inner).collect();
    let mut files: Vec<PathBuf> = folders.iter().flat_map(|folder| entries(folder)).collect();
    files.retain(|path| path.to_string_lossy().ends_with(CLIENT));
    files.sort();
    files
}

/// Reads a registration. Nothing of it can be used without the server's address, where Tokenry registers itself: so it
/// is named, with what to do.
pub(super) fn read(text: &str, file: &Path, found: &mut Found) {
    let place = file.display().to_string();
    let client: Map<String, Value> = match serde_json::from_str(text) {
        Ok(client) => client,
        Err(error) => {
            found.unread(&format!("{place}:{}", error.line()), "it is not a JSON object");
            return;
        }
    };
    let client_id = client.get("client_id").and_then(Value::as_str);
    if client_id.is_none_or(str::is_empty) {
        found.unread(&place, "it has no client_id");
        return;
    }
    let hash = file.file_name().unwrap_or_default().to_string_lossy();
    let hash = hash.trim_end_matches(CLIENT).to_owned();
    found.unread(
        &place,
        "it does not say which server it is for, and a client belongs to its own redirect URI; add the server \
         itself, which registers a client for Tokenry: `tokenry provider add https://ADDRESS-OF-THE-SERVER`",
    );
    if file.with_file_name(format!("{hash}{TOKENS}")).is_file() {
        found.warn(
            "Tokens of mcp-remote stay where they are: a refresh token that is replaced at each use can live in one place \
             only. Sign in with `tokenry connect NAME`.",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_registration_is_named_with_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        let release = home.path().join("mcp-remote-v1");
        std::fs::create_dir(&release).unwrap();
        let client = release.join("0123abcd_client_info.json");
        std::fs::write(
            &client,
            r#"{"client_id": "c1", "redirect_uris": ["http://localhost:3334/oauth/callback"]}"#,
        )
        .unwrap();
        std::fs::write(
            release.join("0123abcd_tokens.json"),
            r#"{"access_token": "c4n4ry"}"#,
        )
        .unwrap();
        std::fs::write(release.join("0123abcd_lock.json"), "{}").unwrap();
        assert_eq!(files(home.path()), std::slice::from_ref(&client));
        let mut found = Found::default();
        read(&std::fs::read_to_string(&client).unwrap(), &client, &mut found);
        assert_eq!(
            (found.items.len(), found.unread.len(), found.warnings.len()),
            (0, 1, 1)
        );
        assert!(found.unread[0].text.contains("tokenry provider add"));
        for odd in [
            "",
            "[]",
            "{",
            "{\"client_id\": 5}",
            "{\"client_id\": \"\"}",
            "{\"a\": \"c4n4ry\n\"}",
        ] {
            let mut found = Found::default();
            read(odd, &client, &mut found);
            assert_eq!(found.unread.len(), 1, "{odd}");
            assert!(
                !found.unread[0].text.contains("c4n4ry") && !found.unread[0].text.contains("provider add")
            );
        }
    }
}
