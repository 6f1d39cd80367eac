//! Which connections and credentials an app is authorized for, and until when.

use crate::failure::Failure;
use crate::output::Output;
use crate::secret_input;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokenry_contract::{ErrorCode, Prompt};

/// The ids of what an app may use.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Allowed {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) connections: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) credentials: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Timestamp>,
}

/// A connection or credential that a request offers.
pub(super) struct Offer {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) account: Option<String>,
}

pub(super) fn connections(prompt: &Prompt) -> Vec<Offer> {
    let offers = prompt.choices.iter().map(|choice| Offer {
        id: choice.connection_id.to_string(),
        name: choice.name.clone(),
        account: choice.account.clone(),
    });
    offers.collect()
}

pub(super) fn credentials(prompt: &Prompt) -> Vec<Offer> {
    let offers = prompt.credential_choices.iter().map(|choice| Offer {
        id: choice.credential_id.to_string(),
        name: choice.name.clone(),
        account: None,
    });
    offers.collect()
}

/// The choice from the command line's options. `--nothing` is required for an app that shall use nothing although
/// something is offered.
pub(super) fn by_options(
    prompt: &Prompt,
    connections: &[String],
    credentials: &[String],
    until: Option<Timestamp>,
    nothing: bool,
) -> Result<Allowed, Failure> {
    let offered = self::connections(prompt);
    let offered_credentials = self::credentials(prompt);
    let names_none = connections.is_empty() && credentials.is_empty();
    if names_none && !nothing && !(offered.is_empty() && offered_credentials.is_empty()) {
        return Err(Failure::new(
            ErrorCode::ValidationError,
            format!(
                "Choose what the app may use. Available: {}.",
                names(offered.iter().chain(&offered_credentials))
            ),
            "Use `--connection NAME` or `--credential NAME` for each, or `--nothing` for none.",
        ));
    }
    let pick = |offers: &[Offer], names: &[String]| {
        let found = names
            .iter()
            .map(|name| named(offers, name).ok_or_else(|| unknown(offers, name)));
        found.collect::<Result<Vec<_>, _>>()
    };
    Ok(Allowed {
        connections: pick(&offered, connections)?,
        credentials: pick(&offered_credentials, credentials)?,
        until,
    })
}

/// Asks at the terminal. Returns `None` at the end of the input.
pub(super) fn by_questions(prompt: &Prompt, output: &Output) -> Result<Option<Allowed>, Failure> {
    let Some(connections) = choose("connections", &connections(prompt), output)? else {
        return Ok(None);
    };
    let Some(credentials) = choose("credentials", &credentials(prompt), output)? else {
        return Ok(None);
    };
    loop {
        let question =
            "For how long? 12h, 90d, 2w, a time like 2027-01-31T12:00:00Z, or Enter for no expiry: ";
        let Some(line) = secret_input::shown_line(question)? else {
            return Ok(None);
        };
        match until(line.trim(), Timestamp::now()) {
            Ok(until) => {
                return Ok(Some(Allowed {
                    connections,
                    credentials,
                    until,
                }));
            }
            Err(wrong) => output.say(&wrong),
        }
    }
}

fn choose(what: &str, offers: &[Offer], output: &Output) -> Result<Option<Vec<String>>, Failure> {
    if offers.is_empty() {
        return Ok(Some(Vec::new()));
    }
    loop {
        let question = format!("Which {what} may it use? Numbers, names, `all`, or Enter for none: ");
        let Some(line) = secret_input::shown_line(&question)? else {
            return Ok(None);
        };
        match chosen(offers, &line) {
            Ok(ids) => return Ok(Some(ids)),
            Err(failure) => output.fail(&failure),
        }
    }
}

/// A connection may itself be called `all` or `1`: a name counts before a number.
fn chosen(offers: &[Offer], line: &str) -> Result<Vec<String>, Failure> {
    let between = |letter: char| letter == ',' || letter.is_whitespace();
    let words: Vec<&str> = line.split(between).filter(|word| !word.is_empty()).collect();
    let mut ids = Vec::new();
    for word in words {
        let number = || {
            let number: usize = word.parse().ok()?;
            offers.get(number.checked_sub(1)?).map(|offer| offer.id.clone())
        };
        match named(offers, word).or_else(number) {
            Some(id) => ids.push(id),
            None if word == "all" => ids.extend(offers.iter().map(|offer| offer.id.clone())),
            None => return Err(unknown(offers, word)),
        }
    }
    ids.sort();
    ids.dedup();
    Ok(ids)
}

fn named(offers: &[Offer], name: &str) -> Option<String> {
    let found = offers.iter().find(|offer| offer.name == name || offer.id == name);
    found.map(|offer| offer.id.clone())
}

fn unknown(offers: &[Offer], name: &str) -> Failure {
    Failure::new(
        ErrorCode::ValidationError,
        format!("{name:?} is not available."),
        format!("Available: {}.", names(offers)),
    )
}

fn names<'a>(offers: impl IntoIterator<Item = &'a Offer>) -> String {
    let names: Vec<&str> = offers.into_iter().map(|offer| offer.name.as_str()).collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

/// The end of a grant, from now on or as a time.
fn until(text: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let hours = |text: &str, each: i64| -> Option<Timestamp> {
        let hours = text
            .trim()
            .parse::<i64>()
            .ok()
            .filter(|count| *count > 0)?
            .checked_mul(each)?;
        now.checked_add(SignedDuration::try_from_hours(hours)?).ok()
    };
    let end = match text.chars().last() {
        None => return Ok(None),
        Some('h') => hours(&text[..text.len() - 1], 1),
        Some('d') => hours(&text[..text.len() - 1], 24),
        Some('w') => hours(&text[..text.len() - 1], 7 * 24),
        Some(_) => text.parse().ok(),
    };
    match end {
        Some(end) if end > now => Ok(Some(end)),
        Some(_) => Err("That time is in the past.".to_owned()),
        None => Err(format!("{text:?} is neither a duration nor a time.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers() -> Vec<Offer> {
        ["github", "mail/work", "2"]
            .into_iter()
            .enumerate()
            .map(|(at, name)| Offer {
                id: format!("id-{at}"),
                name: name.to_owned(),
                account: None,
            })
            .collect()
    }

    #[test]
    fn what_an_app_may_use_is_said_by_number_name_or_all() {
        let ids = |line| chosen(&offers(), line).map_err(|failure| failure.words());
        assert_eq!(ids("").unwrap(), Vec::<String>::new());
        assert_eq!(ids(" 1, mail/work 1\n").unwrap(), ["id-0", "id-1"]);
        assert_eq!(ids("2").unwrap(), ["id-2"], "a name counts before a number");
        assert_eq!(ids("all").unwrap(), ["id-0", "id-1", "id-2"]);
        for wrong in ["0", "4", "-1", "githb", "github;1"] {
            assert!(
                ids(wrong).unwrap_err().contains("github, mail/work, 2"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_grant_ends_after_a_length_of_time_at_a_time_or_never() {
        let now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        let end = |text| until(text, now).map(|end| end.map(|end| end.to_string()));
        assert_eq!(end("").unwrap(), None);
        assert_eq!(end("12h").unwrap().unwrap(), "2026-11-29T00:00:00Z");
        assert_eq!(end("90d").unwrap().unwrap(), "2027-02-26T12:00:00Z");
        assert_eq!(end("2 w").unwrap().unwrap(), "2026-12-12T12:00:00Z");
        assert_eq!(
            end("2027-01-31T12:00:00Z").unwrap().unwrap(),
            "2027-01-31T12:00:00Z"
        );
        for wrong in [
            "0d",
            "-1d",
            "d",
            "soon",
            "99999999999999999d",
            "2026-01-01T00:00:00Z",
            "é",
        ] {
            assert!(end(wrong).is_err(), "{wrong}");
        }
    }
}
