//! The browser's answer (RFC 6749 §4.1.2, RFC 8252 §7): judged as raw text first, and parsed only then.
//!
//! Any web page can make a browser open a redirect URL. So nothing here acts, and a refused URL leaves every open flow
//! as it was.

mod place;
mod query;
mod refused;

pub use refused::Refused;

use query::Query;
use tokenry_core::{Flow, Secret};
use url::Url;
use zeroize::Zeroizing;

/// The scheme of our deep links: a domain name of ours, turned round (RFC 8252 §7.1).
pub const SCHEME: &str = "io.github.tokenry";

/// How an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// As a request to our listener on 127.0.0.1.
    Loopback,
    /// As a deep link.
    DeepLink,
    /// The person pasted it.
    Paste,
}

/// An answer of an authorization server that is well-formed. Whose it is, `state` and `iss` have yet to show.
#[derive(Debug, Clone)]
pub struct Redirected {
    /// Ties it to a flow.
    pub state: Secret,
    /// The issuer it claims to be from, decoded and not changed (RFC 9207 §2.4).
    pub iss: Option<String>,
    /// What was answered.
    pub outcome: Outcome,
    /// All parameters of the response.
    pub parameters: Vec<(String, Secret)>,
    /// How it came.
    pub means: Means,
    /// The redirect URI it arrived on, without its query, and in one spelling. Of a request to the loopback listener only
    /// the path is known here.
    pub uri: String,
}

/// What the authorization server answered.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The code.
    Code(Secret),
    /// An error (RFC 6749 §4.1.2.1). Not to be shown before `iss` was checked.
    Error {
        /// Its code, cleaned.
        error: String,
        /// The provider's own words, cleaned.
        description: Option<String>,
        /// Whether it says that the user did not agree: `access_denied`, or what servers send in its place.
        denied: bool,
    },
}

/// The parameter that brings the code back (RFC 6749 §4.1.2); some providers have a name of their own for it.
pub const CODE: &str = "code";

/// Judges a deep link: `io.github.tokenry:/cb/x?…`, or the same with `//` or with a last slash, since some servers
/// rewrite it so. Nothing else is a link to us.
///
/// # Errors
/// [`Refused`]; nothing happens then.
pub fn judge_deep_link(raw: &str) -> Result<Redirected, Refused> {
    judge_deep_link_with(raw, CODE)
}

/// The same where the code has another name.
///
/// # Errors
/// [`Refused`]; nothing happens then.
pub fn judge_deep_link_with(raw: &str, code: &str) -> Result<Redirected, Refused> {
    let (address, query) = query::split(raw)?;
    let uri = place::deep_link(address).ok_or(Refused::WrongPath)?;
    redirected(uri, Means::DeepLink, &query, code)
}

/// Judges the target of a request to the loopback listener, in origin form: `/cb/x?…` (RFC 9112 §3.2.1).
///
/// # Errors
/// [`Refused`]; nothing happens then.
pub fn judge_loopback(target: &str) -> Result<Redirected, Refused> {
    judge_loopback_with(target, CODE)
}

/// The same where the code has another name.
///
/// # Errors
/// [`Refused`]; nothing happens then.
pub fn judge_loopback_with(target: &str, code: &str) -> Result<Redirected, Refused> {
    let (path, query) = query::split(target)?;
    if !tokenry_core::is_plain_path(path) {
        return Err(Refused::WrongPath);
    }
    redirected(path.to_owned(), Means::Loopback, &query, code)
}

/// Judges an address that the user pasted: a deep link, an http address on this machine, or an https address. White space
/// in it is forgiven: terminals and mail programs break a long address into lines.
///
/// # Errors
/// [`Refused`]; nothing happens then.
pub fn judge_pasted(raw: &str) -> Result<Redirected, Refused> {
    judge_pasted_with(raw, CODE)
}

/// The same where the code has another name.
///
/// # Errors
/// [`Refused`]; nothing happens then.
pub fn judge_pasted_with(raw: &str, code: &str) -> Result<Redirected, Refused> {
    let joined = joined(raw)?;
    let (address, query) = query::split(&joined)?;
    let uri = place::deep_link(address).or_else(|| place::web(address));
    redirected(uri.ok_or(Refused::WrongPath)?, Means::Paste, &query, code)
}

/// The text without white space. Control characters other than line ends and tabs stay, to be refused.
fn joined(raw: &str) -> Result<Zeroizing<String>, Refused> {
    if raw.len() > 2 * query::MAX_URL_BYTES {
        return Err(Refused::TooLong);
    }
    let is_gap = |c: char| {
        matches!(c, '\t' | '\r' | '\n' | '\u{200b}' | '\u{2060}' | '\u{feff}')
            || (c.is_whitespace() && !c.is_control())
    };
    let mut joined = Zeroizing::new(String::with_capacity(raw.len()));
    joined.extend(raw.chars().filter(|c| !is_gap(*c)));
    Ok(joined)
}

/// The `state` that a text claims to be an answer for, read leniently. It only says which flow to tell about a
/// refusal, and proves nothing.
pub fn claimed_state(raw: &str) -> Option<Secret> {
    query::claimed_state(raw).map(Secret::new)
}

/// Whether an answer arrived on the redirect URI that the flow was started with (OAuth 2.1 §7.15.2).
pub fn same_redirect(flow: &Flow, redirected: &Redirected) -> bool {
    one_spelling(&flow.redirect_uri) == redirected.uri
}

/// A redirect URI of ours in the spelling of what arrives on it.
pub fn one_spelling(redirect_uri: &str) -> String {
    let web = || Url::parse(redirect_uri).map(String::from);
    place::deep_link(redirect_uri).unwrap_or_else(|| web().unwrap_or_default())
}

/// The query of a response whose address is unknown.
#[derive(Debug, Clone)]
pub struct Bare {
    /// Ties it to a flow.
    pub state: Secret,
    /// The issuer it claims to be from (RFC 9207 §2.4).
    pub iss: Option<String>,
    /// What was answered.
    pub outcome: Outcome,
    /// All parameters of the response.
    pub parameters: Vec<(String, Secret)>,
}

/// Judges the query of an answer, as strictly as a whole address: what is behind the `?`, still encoded.
///
/// # Errors
/// [`Refused`]; nothing happens then.
pub fn judge_query(query: &str) -> Result<Bare, Refused> {
    judge_query_with(query, CODE)
}

/// The same where the code has another name.
///
/// # Errors
/// [`Refused`]; nothing happens then.
pub fn judge_query_with(query: &str, code: &str) -> Result<Bare, Refused> {
    let whole = Zeroizing::new(format!("?{query}"));
    let (_, query) = query::split(&whole)?;
    bare(&query, code)
}

fn redirected(uri: String, means: Means, query: &Query, code: &str) -> Result<Redirected, Refused> {
    let Bare {
        state,
        iss,
        outcome,
        parameters,
    } = bare(query, code)?;
    Ok(Redirected {
        state,
        iss,
        outcome,
        parameters,
        means,
        uri,
    })
}

fn in_one_line(prose: &str) -> String {
    tokenry_core::clean(&prose.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn bare(query: &Query, code: &str) -> Result<Bare, Refused> {
    let state = query.get("state").ok_or(Refused::NoState)?;
    let outcome = match (query.get(code), query.get("error")) {
        (Some(_), Some(_)) => return Err(Refused::CodeAndError),
        (Some(code), None) => Outcome::Code(Secret::new(code.to_owned())),
        (None, _) => error(query).ok_or(Refused::NeitherCodeNorError)?,
    };
    Ok(Bare {
        state: Secret::new(state.to_owned()),
        iss: query.even_empty("iss").map(str::to_owned),
        outcome,
        parameters: query.all(),
    })
}

/// The error of an answer. Some servers (Facebook) send `error_code` and `error_message` in place of the standard
/// names.
fn error(query: &Query) -> Option<Outcome> {
    let description = query::PROSE.iter().find_map(|name| query.get(name));
    let error = ["error", "error_code"].iter().find_map(|name| query.get(name));
    error.or(description)?;
    let denied = ["error", "error_reason", "error_subcode"]
        .iter()
        .filter_map(|name| query.get(name))
        .any(is_denial);
    Some(Outcome::Error {
        error: tokenry_core::clean(error.unwrap_or("error")),
        description: description.map(in_one_line),
        denied,
    })
}

/// `access_denied` (RFC 6749 §4.1.2.1), and `user_cancelled_login` (LinkedIn), `user_denied` (Facebook) and their like.
fn is_denial(code: &str) -> bool {
    let code = code.to_ascii_lowercase();
    [
        "denied",
        "cancel",
        "declined",
        "user_refused",
        "user_rejected",
        "user_aborted",
    ]
    .iter()
    .any(|part| code.contains(part))
}
