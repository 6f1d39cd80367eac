//! The change of a file as it is shown. What others wrote into the file may be secret, and only what the user needs to
//! recognize the change is shown of it.

use crate::diff::diff_of;
use crate::edit::Edit;
use crate::{json, toml};
use serde_json::Value;

/// The keys of MCP clients that hold servers.
const SERVERS: &[&str] = &["mcpServers", "mcp_servers", "servers"];

/// The diff of a file that these edits change.
pub(crate) fn view<'a>(edits: impl IntoIterator<Item = &'a Edit>, before: &str, after: &str) -> String {
    let edits: Vec<&Edit> = edits.into_iter().collect();
    let (mut before, mut after) = (before.to_owned(), after.to_owned());
    let mut lines: Option<Vec<&str>> = None;
    let mut servers: Option<Vec<&str>> = None;
    let mut is_toml = false;
    for edit in &edits {
        match edit {
            // The start files of shells, whose other lines can hold any secret.
            Edit::Lines(block) if block.heading.is_none() => {
                lines.get_or_insert_default().extend(block.all());
            }
            Edit::Json { path, value, .. } | Edit::Toml { path, value, .. } if is_servers(path) => {
                is_toml = matches!(edit, Edit::Toml { .. });
                texts(value, servers.get_or_insert_default());
            }
            _ => {}
        }
    }
    let mut is_readable = true;
    if let Some(kept) = servers {
        for text in [&mut before, &mut after] {
            let masked = if is_toml {
                toml::mask(text, is_secret, &kept)
            } else {
                json::mask(text, is_secret, &kept)
            };
            match masked {
                Ok(masked) => *text = masked,
                Err(_) => is_readable = false,
            }
        }
    }
    let is_shown = |line: &str| is_readable && lines.as_ref().is_none_or(|ours| ours.contains(&line));
    diff_of(&before, &after, &is_shown)
}

fn is_servers(path: &[String]) -> bool {
    path.first()
        .is_some_and(|first| SERVERS.contains(&first.as_str()))
}

/// Whether the values below a key of a server's entry can be secrets: `args`, `env`, `headers`, `http_headers`.
fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key == "args" || key.ends_with("env") || key.ends_with("headers")
}

/// The texts in a value.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(all) => all.iter().for_each(|one| texts(one, found)),
        Value::Object(all) => all.values().for_each(|one| texts(one, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::Block;
    use serde_json::json;

    const URL: &str = "https://mcp.example/mcp";

    fn server(is_toml: bool) -> Edit {
        let value = json!({"command": "/bin/tokenry", "args": ["mcp", URL]});
        if is_toml {
            Edit::toml(&["mcp_servers", "ours"], value)
        } else {
            Edit::json(&["mcpServers", "ours"], value)
        }
    }

    #[test]
    fn values_of_other_servers_are_hidden_and_ours_are_shown() {
        let other = r#"{"command":"npx","args":["-k","S3CR3T"],"env":{"A":"S3CR3T","B":5318008},"headers":{"X":"S3CR3T"}}"#;
        for before in [
            format!("{{\"mcpServers\":{{\"x\":{other}}}}}"),
            format!("{{\"mcpServers\":{{\"ours\":{other},\n\"x\":{other}}}}}"),
            format!(
                "{{\n  \"mcpServers\": {{\n    \"x\": {}\n  }}\n}}\n",
                other.replace(',', ",\n      ")
            ),
        ] {
            let after = server(false).apply(Some(&before)).unwrap();
            for shown in [
                view([&server(false)], &before, &after),
                view([&server(false)], &after, &before),
                server(false).context(&after),
            ] {
                assert!(!shown.contains("S3CR3T") && !shown.contains("5318008"), "{shown}");
                assert!(shown.contains(URL), "{shown}");
            }
        }
        let before = "[mcp_servers.x]\ncommand = \"npx\"\nargs = [\n  'S3CR3T',\n]\nhttp_headers = { X = \"S3CR3T\" }\n\n\
            [mcp_servers.x.env]\nA = \"\"\"\nS3CR3T\"\"\"\nB = 5318008\n";
        for before in [before.to_owned(), before.replace(".x", ".ours")] {
            let after = server(true).apply(Some(&before)).unwrap();
            let shown = view([&server(true)], &before, &after);
            assert!(!shown.contains("S3CR3T") && !shown.contains("5318008"), "{shown}");
            assert!(shown.contains(URL) && shown.contains("+"), "{shown}");
        }
        assert!(!view([&server(false)], "S3CR3T", "{}").contains("S3CR3T"));
    }

    #[test]
    fn other_lines_of_a_shells_file_are_hidden() {
        let edit = Edit::Lines(Block {
            heading: None,
            lines: vec!["eval x".to_owned()],
            is_merged: false,
            had_heading: false,
        });
        let before = "export A=S3CR3T\ncurl -u a:S3CR3T https://a.example\n";
        let after = edit.apply(Some(before)).unwrap();
        assert_eq!(view([&edit], before, &after), " …\n …\n+eval x\n");
        let moved = format!("eval x\n{before}");
        assert_eq!(
            view([&edit], &moved, &after),
            "-eval x\n-…\n-…\n+…\n+…\n+eval x\n"
        );
    }
}
