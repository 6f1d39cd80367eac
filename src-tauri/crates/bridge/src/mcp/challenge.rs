//! What a server wants of a token: `WWW-Authenticate` (RFC 9110, 11.6.1; RFC 6750, 3).

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use std::collections::BTreeMap;
use tokenry_contract::{Challenge, ChallengeError};

/// The longest header that is read.
const MAX_HEADER_BYTES: usize = 8192;

/// What the server wants instead of a valid token, if another sign-in of the user can give it.
pub(super) fn of(headers: &HeaderMap, resource: &str) -> Option<Challenge> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let mut parameters = values.filter_map(bearer);
    let parameters = parameters.find(|parameters| parameters.contains_key("error"))?;
    let error = match parameters["error"].as_str() {
        "insufficient_scope" => ChallengeError::InsufficientScope,
        "insufficient_user_authentication" => ChallengeError::InsufficientUserAuthentication,
        _ => return None,
    };
    let of = |name: &str| parameters.get(name).filter(|value| !value.is_empty()).cloned();
    Some(Challenge {
        error,
        scope: of("scope"),
        acr_values: of("acr_values"),
        max_age: of("max_age").and_then(|age| age.parse().ok()),
        resource: Some(resource.to_owned()),
    })
}

/// The parameters of the first challenge for a bearer token. One that cannot be read ends the list.
fn bearer(header: &str) -> Option<BTreeMap<String, String>> {
    if header.len() > MAX_HEADER_BYTES {
        return None;
    }
    let mut rest = header;
    let mut is_bearer = false;
    let mut parameters = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let name_end = rest.find(|c: char| !is_token(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(name_end);
        if name.is_empty() {
            break;
        }
        let value = after.trim_start_matches([' ', '\t']).strip_prefix('=');
        match value {
            Some(value) => {
                let (value, after) = value_of(value.trim_start_matches([' ', '\t']))?;
                if is_bearer {
                    parameters.entry(name.to_ascii_lowercase()).or_insert(value);
                }
                rest = after;
            }
            // A scheme: the next challenge.
            None if is_bearer => break,
            None => {
                is_bearer = name.eq_ignore_ascii_case("bearer");
                rest = after;
            }
        }
    }
    (!parameters.is_empty()).then_some(parameters)
}

fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        // `=` at its end: a token of 68 characters, which is no parameter.
        let end = text
            .find(|c: char| !is_token(c) && c != '=')
            .unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(letters.next()?.1),
            _ => value.push(letter),
        }
    }
    None
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(values: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        of(&headers, "https://mcp.example.com/mcp").and_then(|challenge| challenge.scope)
    }

    #[test]
    fn the_scopes_of_the_challenge_for_a_bearer_token_are_found_among_others() {
        for values in [
            &[r#"Bearer error="insufficient_scope", scope="a b""#][..],
            &[r#"bearer realm="x\"y, error=z" , scope = "a b", error=insufficient_scope, x="#],
            &[r#"Basic realm="scope", Bearer error="insufficient_scope",scope="a b", DPoP scope="c""#],
            &[
                "Basic realm=x",
                r#"Bearer error="insufficient_scope", scope="a b", scope="c""#,
            ],
            &[
                "Negotiate abc==",
                r#"Bearer error="insufficient_scope", scope="a b""#,
            ],
        ] {
            assert_eq!(scope(values).as_deref(), Some("a b"), "{values:?}");
        }
    }

    #[test]
    fn what_is_no_such_challenge_is_none() {
        for value in [
            "",
            "Bearer",
            "Bearer error=",
            r#"Bearer error="invalid_token", scope="a""#,
            r#"Bearer scope="a""#,
            r#"DPoP error="insufficient_scope", scope="a""#,
            r#"Bearer error="insufficient_scope, scope="a"#,
            r#"Bearer error="insufficient_scope\"#,
            "=,=,=\"",
        ] {
            assert_eq!(scope(&[value]), None, "{value}");
        }
        let long = format!(
            "Bearer error=insufficient_scope, scope=\"{}\"",
            "a ".repeat(MAX_HEADER_BYTES)
        );
        assert_eq!(bearer(&long), None);
    }
}
