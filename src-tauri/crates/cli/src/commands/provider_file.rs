//! Files that describe a provider: our own JSON, what `provider show --json` printed, or a client registration as Google
//! hands it out.

use super::provider_fields::wrong;
use crate::failure::Failure;
use serde_json::{Map, Value, json};
use tokenry_contract::OAuthProvider;

/// The member of a shown provider that says whether there is a secret, which is never shown.
const HAS_SECRET: &str = "has_client_secret";
/// What Windows programs put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// What they put in front of UTF-16.
const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Whether a provider is added or changed: a file may say more about a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Add,
    Edit,
}

/// The fields in the bytes of a file. `name` is how errors call it.
pub(super) fn parse(bytes: &[u8], name: &str, to: Use) -> Result<Map<String, Value>, Failure> {
    if UTF_16.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(wrong(&format!("{name} is UTF-16"), "Save it as UTF-8."));
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => understood(fields, name, to),
        Ok(_) => Err(wrong(&format!("{name} is not a JSON object"), "")),
        // Syntax errors of JSON quote nothing of what they read.
        Err(error) => Err(wrong(&format!("{name} is not JSON: {error}"), "")),
    }
}

fn understood(mut fields: Map<String, Value>, name: &str, to: Use) -> Result<Map<String, Value>, Failure> {
    let kind = ["installed", "web"]
        .into_iter()
        .find(|kind| fields.contains_key(*kind));
    if let Some(kind) = kind
        && fields.len() == 1
    {
        return match fields.remove(kind) {
            Some(Value::Object(client)) => google(client, name, to),
            _ => Err(wrong(&format!("{name} has no client under {kind:?}"), "")),
        };
    }
    if fields.contains_key(HAS_SECRET) {
        fields = shown(fields, to);
    }
    Ok(fields)
}

/// Whether the fields are those of a shown provider whose secret was not given; that mark of them is taken away.
pub(super) fn lacks_secret(fields: &mut Map<String, Value>) -> bool {
    let had = fields.remove(HAS_SECRET) == Some(Value::Bool(true));
    had && !fields.contains_key("client_secret")
}

/// A provider as `show --json` prints it, without its read-only members. `null` stays: it means the default.
fn shown(mut fields: Map<String, Value>, to: Use) -> Map<String, Value> {
    let has_secret = fields.get(HAS_SECRET).cloned();
    fields.retain(|name, _| !OAuthProvider::READ_ONLY.contains(&name.as_str()));
    match to {
        // The secret of a new provider has to be given once more.
        Use::Add => fields.extend(has_secret.map(|value| (HAS_SECRET.to_owned(), value))),
        // A provider stays in its project.
        Use::Edit => drop(fields.remove("project")),
    }
    fields
}

/// `client_secret.json` of the Google Cloud console, for a desktop (`installed`) or a web client.
fn google(mut client: Map<String, Value>, name: &str, to: Use) -> Result<Map<String, Value>, Failure> {
    let mut fields = Map::new();
    for (theirs, ours) in [
        ("client_id", "client_id"),
        ("client_secret", "client_secret"),
        ("auth_uri", "authorization_endpoint"),
        ("token_uri", "token_endpoint"),
    ] {
        if let Some(value) = client.remove(theirs) {
            fields.insert(ours.to_owned(), value);
        }
    }
    if !fields.contains_key("client_id") {
        return Err(wrong(&format!("{name} has no client_id"), ""));
    }
    let is_google = fields
        .get("token_endpoint")
        .and_then(Value::as_str)
        .is_some_and(|address| {
            ["https://oauth2.googleapis.com/", "https://accounts.google.com/"]
                .iter()
                .any(|host| address.starts_with(host))
        });
    if to == Use::Add && is_google {
        // Without a scope Google refuses a sign-in, and without `access_type` it gives no refresh token.
        for (field, value) in [
            ("name", json!("google")),
            ("display_name", json!("Google")),
            ("issuer", json!("https://accounts.google.com")),
            (
                "userinfo_endpoint",
                json!("https://openidconnect.googleapis.com/v1/userinfo"),
            ),
            (
                "revocation_endpoint",
                json!("https://oauth2.googleapis.com/revoke"),
            ),
            ("default_scopes", json!(["openid", "email"])),
            (
                "authorize_params",
                json!({"access_type": "offline", "prompt": "consent"}),
            ),
        ] {
            fields.insert(field.to_owned(), value);
        }
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, to: Use) -> Value {
        Value::Object(parse(text.as_bytes(), "p.json", to).unwrap())
    }

    #[test]
    fn broken_json_is_told_by_its_place_and_never_quoted() {
        let text = "{\"client_secret\": \"s3cr3t-canary\",\n \"name\" \"x\"}";
        let words = parse(text.as_bytes(), "p.json", Use::Add).unwrap_err().words();
        assert!(words.contains("p.json") && words.contains("line 2"), "{words}");
        for text in [
            "{\"client_secret\": s3cr3t-canary}",
            "\"s3cr3t-canary\"",
            "s3cr3t-canary",
            "{\"s3cr3t-canary",
            "{\"installed\": \"s3cr3t-canary\"}",
            "{\"web\": {\"client_secret\": \"s3cr3t-canary\"}}",
        ] {
            let words = parse(text.as_bytes(), "p.json", Use::Add).unwrap_err().words();
            assert!(!words.contains("s3cr3t"), "{words}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "1", "null", "{}{}"] {
            assert!(parse(text.as_bytes(), "p.json", Use::Add).is_err(), "{text}");
        }
        assert!(parse(&[b'['; 100_000], "p.json", Use::Add).is_err());
    }

    #[test]
    fn a_byte_order_mark_is_read_over_and_utf_16_is_named() {
        assert_eq!(read("\u{feff}{\"name\": \"a\"}", Use::Add), json!({"name": "a"}));
        let words = parse(b"\xff\xfe{\0}\0", "p.json", Use::Add).unwrap_err().words();
        assert!(words.contains("UTF-16"), "{words}");
    }

    #[test]
    fn a_shown_provider_is_read_back_without_its_read_only_members() {
        let shown = json!({
            "id": "1", "name": "a", "project": "work", "issuer": null, "client_id": "c", "has_client_secret": true,
            "redirect_uris": [], "created_at": "t", "updated_at": "t", "rotation": {"kind": "strict"},
        })
        .to_string();
        let set = json!({"name": "a", "issuer": null, "client_id": "c", "rotation": {"kind": "strict"}});
        assert_eq!(read(&shown, Use::Edit), set);
        let mut added = parse(shown.as_bytes(), "p.json", Use::Add).unwrap();
        assert!(lacks_secret(&mut added));
        assert_eq!(added.remove("project"), Some(json!("work")));
        assert_eq!(Value::Object(added), set);
    }

    #[test]
    fn googles_client_is_read_in_both_its_shapes() {
        for kind in ["installed", "web"] {
            let text = json!({ kind: {
                "client_id": "1-a.apps.googleusercontent.com", "project_id": "p",
                "auth_uri": "https://accounts.google.com/o/oauth2/auth",
                "token_uri": "https://oauth2.googleapis.com/token",
                "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
                "client_secret": "GOCSPX-a", "redirect_uris": ["http://localhost"],
            }})
            .to_string();
            let edited = json!({
                "client_id": "1-a.apps.googleusercontent.com", "client_secret": "GOCSPX-a",
                "authorization_endpoint": "https://accounts.google.com/o/oauth2/auth",
                "token_endpoint": "https://oauth2.googleapis.com/token",
            });
            assert_eq!(read(&text, Use::Edit), edited);
            let added = read(&text, Use::Add);
            assert_eq!(
                (&added["name"], &added["client_secret"]),
                (&json!("google"), &json!("GOCSPX-a"))
            );
            assert_eq!(added["authorize_params"]["access_type"], "offline");
        }
        let other = json!({"web": {"client_id": "a", "token_uri": "https://as.example/token"}}).to_string();
        assert_eq!(
            read(&other, Use::Add).get("name"),
            None,
            "another server's file in the same shape"
        );
    }
}
