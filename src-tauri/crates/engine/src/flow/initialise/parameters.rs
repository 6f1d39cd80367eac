//! Parameters that a caller wants in the authorization request, and the prompt.

use super::Initialise;
use std::collections::BTreeMap;
use tokenry_core::{Provider, Scopes, is_reserved_parameter, parameter_name};
use url::form_urlencoded;

/// The longest query string, in bytes.
const MAX_PARAMETER_BYTES: usize = 8 * 1024;
/// The most parameters in it.
const MAX_PARAMETERS: usize = 32;
/// What a sign-in asks for by default: that the user signs in once more.
const DEFAULT_PROMPT: &str = "login";

/// Parameters that conflict only where the provider's own settings have them.
const OF_THE_PROVIDER: [&str; 3] = ["nonce", "resource", "response_mode"];
/// With this scope a sign-in has a `nonce` of ours (OpenID Connect Core §3.1.2.1).
const OPENID: &str = "openid";

/// All parameters beside our own, the prompt among them. What is wrong is put into `wrong`, one by one.
pub(super) fn read(
    request: &Initialise,
    provider: &Provider,
    scopes: &Scopes,
    wrong: &mut BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let mut parameters = match split(&request.additional_parameters) {
        Ok(parameters) => parameters,
        Err(text) => {
            wrong.insert("additionalParams".to_owned(), text);
            Vec::new()
        }
    };
    let taken: Vec<String> = provider
        .authorization_endpoint()
        .iter()
        .flat_map(|endpoint| endpoint.query_pairs())
        .map(|(key, _)| parameter_name(&key))
        .collect();
    let settings = &provider.settings;
    let sets = |name: &str| {
        let is_set = settings
            .authorize_params
            .keys()
            .any(|key| parameter_name(key) == name);
        OF_THE_PROVIDER.contains(&name) && (is_set || (name == "resource" && settings.resource.is_some()))
    };
    let has_nonce = scopes.iter().any(|scope| scope == OPENID);
    let mut seen: Vec<String> = Vec::new();
    for (key, _) in &parameters {
        let name = parameter_name(key);
        let problem = if is_reserved_parameter(key) || provider.is_renamed_to(key) {
            Some("is set by Tokenry itself")
        } else if name == "nonce" && has_nonce {
            Some("is set by Tokenry itself when the scope openid is requested")
        } else if sets(&name) {
            Some("is set in the provider's settings already")
        } else if name == "prompt" && !request.prompt.is_empty() {
            Some("is given in prompt already")
        } else if taken.contains(&name) {
            Some("is in the authorization endpoint already")
        } else if seen.contains(&name) {
            Some("is given twice")
        } else {
            None
        };
        if let Some(problem) = problem {
            let field = format!("additionalParams.{}", tokenry_core::clean(key));
            wrong.entry(field).or_insert_with(|| problem.to_owned());
        }
        seen.push(name);
    }
    let has = |name: &str| seen.iter().any(|other| other == name);
    if !request.prompt.is_empty() {
        match prompt(&request.prompt) {
            Ok(prompt) => parameters.push(("prompt".to_owned(), prompt)),
            Err(text) => {
                wrong.insert("prompt".to_owned(), text.to_owned());
            }
        }
    } else if !has("approval_prompt") && !has("prompt") {
        parameters.push(("prompt".to_owned(), DEFAULT_PROMPT.to_owned()));
    }
    parameters
}

/// Several prompts, joined by `+` as a form writes a space, are a list with spaces to the provider (OpenID Connect
/// Core §3.1.2.1). Which ones there are is its own affair.
fn prompt(text: &str) -> Result<String, &'static str> {
    let prompts: Vec<&str> = text.split(['+', ' ']).collect();
    let fits = |prompt: &&str| {
        !prompt.is_empty()
            && prompt.len() <= 64
            && prompt
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':'))
    };
    if prompts.len() > 8 || !prompts.iter().all(fits) {
        return Err("must be words like login or consent, several of them joined by +");
    }
    if prompts.len() > 1 && prompts.contains(&"none") {
        return Err("cannot be none and something else (OpenID Connect Core §3.1.2.1)");
    }
    Ok(prompts.join(" "))
}

/// Takes a query string apart, and takes nothing that is wrongly encoded or decodes to a control character.
fn split(text: &str) -> Result<Vec<(String, String)>, String> {
    if text.len() > MAX_PARAMETER_BYTES {
        return Err(format!("must be at most {MAX_PARAMETER_BYTES} bytes"));
    }
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if !is_plain || !is_well_encoded(text) {
        return Err("must be a query string, percent-encoded as UTF-8, like a=1&b=2".to_owned());
    }
    let text = text.strip_prefix('?').unwrap_or(text);
    let pairs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    if pairs.len() > MAX_PARAMETERS {
        return Err(format!("must have at most {MAX_PARAMETERS} parameters"));
    }
    let is_good = |text: &str| {
        !text
            .chars()
            .any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER)
    };
    if !pairs
        .iter()
        .all(|(key, value)| !key.is_empty() && is_good(key) && is_good(value))
    {
        return Err("must have names, and no control characters".to_owned());
    }
    Ok(pairs)
}

fn is_well_encoded(text: &str) -> bool {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    let signs = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    signs
        .map(|(at, _)| at)
        .all(|at| is_hex(bytes.get(at + 1)) && is_hex(bytes.get(at + 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_prompts_become_a_list_with_spaces_and_none_stands_alone() {
        assert_eq!(
            prompt("consent+select_account").as_deref(),
            Ok("consent select_account")
        );
        assert_eq!(prompt("whatever_is_new").as_deref(), Ok("whatever_is_new"));
        assert_eq!(prompt("none").as_deref(), Ok("none"));
        let long = "a".repeat(65);
        for bad in [
            "none+login",
            "+",
            "login+",
            "a&b",
            "a=b",
            "lo\ngin",
            "lögin",
            &long,
        ] {
            assert!(prompt(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_query_string_that_is_wrongly_encoded_is_none() {
        let good = split("?a=1&b=x%20y+z&c").unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(good, [pair("a", "1"), pair("b", "x y z"), pair("c", "")]);
        assert!(split("").unwrap().is_empty());
        let many = "a=1&".repeat(33);
        let long = format!("a={}", "x".repeat(MAX_PARAMETER_BYTES));
        for bad in [
            "a=%",
            "a=%4",
            "a=%zz",
            "a=%00",
            "a=%0d%0aSet-Cookie:x",
            "a=%ff",
            "a=1#b",
            "a b=1",
            "=1",
            "\u{202e}=1",
            "a=\u{7f}",
            &many,
            &long,
        ] {
            assert!(split(bad).is_err(), "{bad:?}");
        }
    }
}
