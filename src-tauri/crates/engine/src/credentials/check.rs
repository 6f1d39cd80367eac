//! Whether a credential can be kept. What is wrong is told by field; a value is never repeated.

use crate::Error;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::collections::BTreeMap;
use tokenry_core::{Credential, CredentialType, Secret, Timestamp};
use zeroize::Zeroizing;

/// The most fields.
const MAX_FIELDS: usize = 64;
/// The longest value, decoded, in bytes.
const MAX_VALUE_BYTES: usize = 64 * 1024;
/// The longest name of a field, in bytes.
const MAX_FIELD_NAME_CHARS: usize = 200;

/// From each field to what is wrong with it.
type Problems = BTreeMap<String, String>;

/// A new credential.
pub(crate) fn all(credential: &Credential, now: Timestamp) -> Result<(), Error> {
    let mut problems = fields(credential);
    problems.extend(wrong_end(credential, now));
    none_of(problems)
}

/// Its end alone: a question may have been open until after it.
pub(super) fn in_future(credential: &Credential, now: Timestamp) -> Result<(), Error> {
    none_of(wrong_end(credential, now).into_iter().collect())
}

fn wrong_end(credential: &Credential, now: Timestamp) -> Option<(String, String)> {
    let is_over = credential.expires_at.is_some_and(|end| end <= now);
    is_over.then(|| ("expires_at".to_owned(), "must be in the future".to_owned()))
}

/// A credential that changes: an end it had before is not what is wrong with it.
pub(super) fn change(before: &Credential, after: &Credential, now: Timestamp) -> Result<(), Error> {
    if before.expires_at == after.expires_at {
        none_of(fields(after))
    } else {
        all(after, now)
    }
}

/// As a field of `data` is called in an error.
pub(super) fn named(field: &str) -> String {
    format!("data.{}", tokenry_core::clean(field))
}

/// The bytes of a value: base64 in the standard alphabet, padded (RFC 4648 §4).
pub(super) fn decoded(value: &Secret) -> Option<Zeroizing<Vec<u8>>> {
    // Room for all of it, so that no half of it stays behind in a buffer that grew.
    let mut bytes = Zeroizing::new(Vec::with_capacity(value.expose().len() / 4 * 3 + 3));
    STANDARD.decode_vec(value.expose(), &mut bytes).ok()?;
    Some(bytes)
}

fn none_of(problems: Problems) -> Result<(), Error> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(problems))
    }
}

fn fields(credential: &Credential) -> Problems {
    let mut problems = Problems::new();
    if credential.kind == CredentialType::OAuth2Refresh {
        problems.insert(
            "type".to_owned(),
            "must not be oauth2_refresh: a connection is made by a sign-in".to_owned(),
        );
    }
    if credential.data.len() > MAX_FIELDS {
        problems.insert(
            "data".to_owned(),
            format!("must have at most {MAX_FIELDS} fields"),
        );
    }
    for (field, value) in &credential.data {
        if let Some(wrong) = wrong_with(credential.kind, field, value) {
            problems.insert(named(field), wrong);
        }
    }
    for field in required(credential.kind) {
        if !credential.data.contains_key(*field) {
            problems.insert(
                named(field),
                format!("is needed for {}", credential.kind.as_str()),
            );
        }
    }
    problems.extend(wrong_redaction(credential));
    problems
}

fn wrong_with(kind: CredentialType, field: &str, value: &Secret) -> Option<String> {
    if kind != CredentialType::Default && !required(kind).contains(&field) {
        let names = required(kind).join(" and ");
        return Some(format!("is no field of {}, which has {names}", kind.as_str()));
    }
    if !is_field_name(field) {
        return Some(format!(
            "must have a name of at most {MAX_FIELD_NAME_CHARS} bytes"
        ));
    }
    if value.expose().len() > MAX_VALUE_BYTES.div_ceil(3) * 4 {
        return Some(format!("must be at most {MAX_VALUE_BYTES} bytes"));
    }
    let Some(bytes) = decoded(value) else {
        return Some("must be base64 in the standard alphabet, with padding (RFC 4648 §4)".to_owned());
    };
    match (kind, field) {
        _ if bytes.len() > MAX_VALUE_BYTES => Some(format!("must be at most {MAX_VALUE_BYTES} bytes")),
        (CredentialType::Raw, _) if bytes.is_empty() => Some("must not be empty".to_owned()),
        // With a colon in it, it is unclear where the password begins (RFC 7617 §2).
        (CredentialType::BasicAuth, "username") if bytes.contains(&b':') => {
            Some("must not hold a colon (RFC 7617 §2)".to_owned())
        }
        // RFC 7617 §2.
        (CredentialType::BasicAuth, _) if std::str::from_utf8(&bytes).is_ok_and(tokenry_core::is_miscopied) => {
            Some(
                "must not contain a byte order mark, a line end or another control character: check how it was copied"
                    .to_owned(),
            )
        }
        _ => None,
    }
}

fn wrong_redaction(credential: &Credential) -> Option<(String, String)> {
    let marked = &credential.redact_fields;
    let wrong = if marked.len() > MAX_FIELDS {
        format!("must name at most {MAX_FIELDS} fields")
    } else if !marked.iter().all(|field| is_field_name(field)) {
        format!("must hold names of at most {MAX_FIELD_NAME_CHARS} bytes")
    } else {
        return None;
    };
    Some(("redact_fields".to_owned(), wrong))
}

/// Data may hold arbitrary fields: only the length of their names is limited.
fn is_field_name(field: &str) -> bool {
    field.len() <= MAX_FIELD_NAME_CHARS
}

fn required(kind: CredentialType) -> &'static [&'static str] {
    match kind {
        CredentialType::Default | CredentialType::OAuth2Refresh => &[],
        CredentialType::Raw => &["value"],
        CredentialType::BasicAuth => &["username", "password"],
    }
}
