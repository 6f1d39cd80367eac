//! Whose account it is, as an answer of a provider tells it.

use crate::id_token::subject_fits;
use crate::json::Value;
use crate::paths::{self, Paths};
use tokenry_core::{Account, clean};
use url::Url;

/// Where the id of an account is looked for where the settings do not say: servers that are not OpenID providers have
/// `id` in place of `sub`.
const IDS: [&str; 3] = ["sub", "id", "user_id"];
const NAMES: [&str; 4] = ["name", "preferred_username", "login", "username"];
const EMAILS: [&str; 1] = ["email"];
const PICTURES: [&str; 1] = ["picture"];

/// The account in an answer, at these paths. `None` where it has no id: a name tells no two accounts apart.
pub(crate) fn read(whole: &Value, own: &Paths) -> Option<Account> {
    let places = |name: &str, usual: &[&'static str]| match own.get(name) {
        Some(path) => vec![path.clone()],
        None => usual.iter().map(|place| (*place).to_owned()).collect(),
    };
    let ids = places("id", &IDS);
    // The first that is there is the one: another one may be of something else.
    let (id, is_ambiguous) = ids.iter().find_map(|path| paths::at(whole, path))?;
    let subject = match id {
        Value::Text(text) => text.expose().to_owned(),
        Value::Number(number) => number.clone(),
        _ => return None,
    };
    // A replacement character stands for unreadable bytes: two accounts could look like one.
    let fits = subject_fits(&subject) && !subject.contains(char::REPLACEMENT_CHARACTER) && !is_ambiguous;
    fits.then(|| Account {
        subject,
        name: shown(whole, &places("name", &NAMES)),
        email: shown(whole, &places("email", &EMAILS)),
        picture: shown(whole, &places("picture", &PICTURES)).filter(|text| is_picture(text)),
    })
}

/// An https address that was not cut.
pub(crate) fn is_picture(text: &str) -> bool {
    let url = Url::parse(text).ok();
    url.is_some_and(|url| url.scheme() == "https" && url.username().is_empty() && url.as_str() == text)
}

/// The first of these that has something to show, cleaned.
fn shown(whole: &Value, places: &[String]) -> Option<String> {
    let texts = places.iter().filter_map(|path| match paths::at(whole, path) {
        Some((Value::Text(text), _)) => Some(clean(text.expose())),
        _ => None,
    });
    { texts }.find(|text| !text.trim().is_empty())
}
