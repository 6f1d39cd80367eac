//! The token response.

use crate::dpop::Binding;
use crate::json::Object;
use crate::paths::Paths;
use crate::response::{Response, TokenMembers};
use crate::{Failure, Lifetime, account, captures, expiry, id_token, refresh_expiry};
use jiff::Timestamp;
use tokenry_core::{Account, AccountSource, Captured, Provider, Scopes, Secret, clean};

/// What a token endpoint gave (RFC 6749 §5.1).
#[derive(Debug, Clone)]
pub struct Answer {
    /// The access token: printable ASCII, fit for a header (RFC 6749 A.12). `None` when there is none that can be
    /// used; then there is a new refresh token, and a complaint.
    pub access_token: Option<Secret>,
    /// An access token that cannot be used as `Bearer`: good for nothing but to be revoked.
    pub unusable_token: Option<Secret>,
    /// `Bearer`, or `DPoP` for a token that is bound to a key (RFC 9449 §5).
    pub token_type: String,
    /// Its lifetime in seconds, at most ten years; `None` is unknown, which is not for ever (OAuth 2.1 §3.2.3).
    pub expires_in: Option<u64>,
    /// When it ends by the server's clock, where the server says that alone and not what time it is.
    pub expires_at: Option<Timestamp>,
    /// How long the refresh token lives, where the answer tells.
    pub refresh_token_life: Option<Lifetime>,
    /// The new refresh token; `None` means that the old one stays (OAuth 2.1 §4.3.2).
    pub refresh_token: Option<Secret>,
    /// What was granted; `None` means as requested (RFC 6749 §5.1).
    pub scope: Option<Scopes>,
    /// What the provider's settings keep of it.
    pub captured: Captured,
    /// Whose account it is, when an id token came along that says so.
    pub account: Option<Account>,
    /// The id token that came along, as it was written. It counts once it was checked.
    pub id_token: Option<Secret>,
    /// The server's own time.
    pub date: Option<Timestamp>,
    /// Why a first sign-in must not use the tokens, though they are good: the id token is from another issuer, for
    /// another client or of another sign-in. Then the account is unknown.
    pub objection: Option<Failure>,
    /// What is wrong with the rest of the answer. The tokens that are here are good all the same.
    pub complaint: Option<Complaint>,
}

impl Answer {
    /// This answer with the long-lived token of a second exchange.
    #[must_use]
    pub fn exchanged_for(self, longer: Self) -> Self {
        let mut captured = self.captured;
        captured.extend(longer.captured);
        Self {
            refresh_token_life: longer.refresh_token_life.or(self.refresh_token_life),
            refresh_token: longer.refresh_token.or(self.refresh_token),
            scope: longer.scope.or(self.scope),
            account: longer.account.or(self.account),
            id_token: longer.id_token.or(self.id_token),
            date: longer.date.or(self.date),
            complaint: longer.complaint.or(self.complaint),
            captured,
            access_token: longer.access_token,
            token_type: longer.token_type,
            expires_in: longer.expires_in,
            expires_at: longer.expires_at,
            unusable_token: self.unusable_token,
            objection: self.objection,
        }
    }

    /// This answer where that second exchange failed: its short-lived token is kept, and the user is told.
    #[must_use]
    pub fn not_exchanged(mut self, failure: &Failure) -> Self {
        let message = clean(&format!(
            "The sign-in brought a short-lived token, and the exchange for a long-lived one failed. Connect again when the \
             token has ended. {failure}"
        ));
        self.complaint.get_or_insert(Complaint {
            message,
            retry: false,
        });
        self
    }

    /// The answer, where it has an access token to use and nothing speaks against it.
    pub(crate) fn usable(self) -> Result<Self, Failure> {
        match (&self.objection, &self.complaint) {
            (Some(objection), _) => Err(objection.clone()),
            (None, Some(complaint)) if self.access_token.is_none() => Err(Failure::Unusable {
                message: complaint.message.clone(),
            }),
            _ => Ok(self),
        }
    }
}

/// What is wrong with an answer whose tokens are good, or at least its refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// In words, cleaned.
    pub message: String,
    /// Whether another request may bring more: a part of this answer is missing or could not be read. Another token
    /// type is what the provider chose, and comes again.
    pub retry: bool,
}

/// The most text of scopes that is read, in bytes.
const SCOPE_TEXT: usize = 8 * 1024;

/// The refresh token first. What can be left out or wrongly written without harm is taken as missing: after a
/// rotation, an answer thrown away is a grant thrown away.
pub(crate) fn judge(response: &Response, provider: &Provider) -> Result<Answer, Failure> {
    judge_all(response, provider, None, false)
}

/// The same for the first answer of a sign-in: its id token has to have the nonce that was sent, and its members have to
/// be where the provider's settings say.
pub(crate) fn judge_first(
    response: &Response,
    provider: &Provider,
    nonce: Option<&Secret>,
) -> Result<Answer, Failure> {
    judge_all(response, provider, nonce, true)
}

fn judge_all(
    response: &Response,
    provider: &Provider,
    nonce: Option<&Secret>,
    is_first: bool,
) -> Result<Answer, Failure> {
    let TokenMembers {
        members,
        mut wrong,
        is_incomplete,
        says_error,
        whole,
    } = response.token_members(is_first)?;
    let refresh_token = refresh_token(&members, &mut wrong);
    let access_token = match access_token(&members, provider) {
        Ok(_) if says_error => None,
        Ok(token) => Some(token),
        Err(why) => {
            wrong.push(why);
            None
        }
    };
    let is_lost = is_incomplete || says_error || members.has_text("refresh_token");
    if refresh_token.is_none() && is_lost {
        // A new refresh token was there, or may have been in the part that is lost.
        return Err(response.unreadable(&wrong.join("; ")));
    }
    if refresh_token.is_none() && access_token.is_none() {
        let message = format!(
            "{} sent no token that can be used: {}.",
            response.host,
            wrong.join("; ")
        );
        return Err(
            if members.has_text("access_token") && !members.is_ambiguous("access_token") {
                Failure::Unusable { message }
            } else {
                Failure::Unanswered { message }
            },
        );
    }
    let id_token = members
        .text("id_token")
        .filter(|_| !members.is_ambiguous("id_token"));
    let (account, objection) = match id_token {
        Some(token) => whose(token, provider, response, nonce),
        None => (None, None),
    };
    // At a refresh it could only differ because the settings were changed since, and that is no other account.
    let account = match from_response(provider).filter(|_| is_first) {
        Some(paths) if provider.settings.account_source == AccountSource::TokenResponse => {
            account::read(&whole, paths)
        }
        Some(paths) => account.or_else(|| account::read(&whole, paths)),
        None => account,
    };
    let expiry = expiry::of(&members, access_token.as_ref(), &provider.settings, response);
    let token_type = check_type(&members, Binding::of(provider));
    let has_other_type = token_type.is_err() && !is_incomplete;
    let is_expiry_known = expiry != expiry::Expiry::default();
    let retry = (access_token.is_none() && !has_other_type) || (is_incomplete && !is_expiry_known);
    let complaint = complaint(response, &wrong, access_token.is_some(), retry);
    let unusable_token = members.text("access_token").filter(|_| access_token.is_none());
    Ok(Answer {
        access_token,
        unusable_token: unusable_token.cloned(),
        token_type: token_type.unwrap_or(BEARER).to_owned(),
        expires_in: expiry.in_seconds,
        expires_at: expiry.at,
        refresh_token_life: refresh_expiry::of(&members),
        refresh_token,
        scope: scope(&members, &provider.settings.scope_separator).filter(|_| !members.is_ambiguous("scope")),
        captured: captures::of_response(provider, &whole),
        account,
        id_token: id_token.cloned(),
        date: response.date,
        objection,
        complaint,
    })
}

/// Where the account is in a first token response, if that tells it.
fn from_response(provider: &Provider) -> Option<&Paths> {
    let settings = &provider.settings;
    let tells = match settings.account_source {
        AccountSource::TokenResponse => true,
        AccountSource::Automatic => settings.userinfo_endpoint.is_none(),
        AccountSource::Userinfo | AccountSource::Introspection => false,
    };
    Some(&settings.account_paths).filter(|paths| tells && paths.contains_key("id"))
}

/// The account that an id token names, or what speaks against it.
fn whose(
    token: &Secret,
    provider: &Provider,
    response: &Response,
    nonce: Option<&Secret>,
) -> (Option<Account>, Option<Failure>) {
    let account = id_token::account(token, provider, response.date);
    let wrong_nonce = nonce.and_then(|nonce| id_token::nonce_problem(token, nonce));
    match (account, wrong_nonce) {
        (Ok(account), None) => (account, None),
        (Err(objection), _) | (Ok(_), Some(objection)) => (None, Some(objection)),
    }
}

fn complaint(response: &Response, wrong: &[String], is_usable: bool, retry: bool) -> Option<Complaint> {
    if wrong.is_empty() {
        return None;
    }
    let (host, wrong) = (&response.host, wrong.join("; "));
    let message = if is_usable {
        format!("{host} sent new tokens in an answer that is not right: {wrong}. The tokens are used.")
    } else {
        format!("{host} sent no access token that can be used: {wrong}.")
    };
    let message = clean(&message);
    Some(Complaint { message, retry })
}

/// The last one, where there are two: that is the one most readers of the same bytes would take. One with
/// unreadable bytes is none.
fn refresh_token(members: &Object, wrong: &mut Vec<String>) -> Option<Secret> {
    let token = members.text("refresh_token")?;
    if members.is_ambiguous("refresh_token") {
        wrong.push("it holds two refresh tokens, of which the last one is kept".to_owned());
    }
    let is_readable = !token.expose().contains(char::REPLACEMENT_CHARACTER);
    if !is_readable {
        wrong.push("its refresh token cannot be read".to_owned());
    }
    is_readable.then(|| token.clone())
}

fn access_token(members: &Object, provider: &Provider) -> Result<Secret, String> {
    let Some(token) = members.text("access_token") else {
        return Err("the access token is missing".to_owned());
    };
    if members.is_ambiguous("access_token") {
        return Err("it holds two access tokens".to_owned());
    }
    if !token.expose().bytes().all(|b| matches!(b, 0x20..=0x7e)) {
        return Err("the access token does not fit in a header".to_owned());
    }
    check_type(members, Binding::of(provider))?;
    Ok(token.clone())
}

const BEARER: &str = "Bearer";
const DPOP: &str = "DPoP";

/// Missing means Bearer; its case means nothing (RFC 6749 §5.1, §7.1). A bound token can be used where there is a key;
/// where the provider's settings demand one, no other can (RFC 9449 §5).
fn check_type(members: &Object, binding: Binding) -> Result<&'static str, String> {
    let told = members.text("token_type").map_or(BEARER, Secret::expose).trim();
    match told {
        told if told.eq_ignore_ascii_case(DPOP) && binding != Binding::Impossible => Ok(DPOP),
        told if told.eq_ignore_ascii_case(BEARER) && binding == Binding::Demanded => Err(
            "the token is not bound to a key, which the setting dpop demands; switch it off if the provider has no DPoP"
                .to_owned(),
        ),
        told if told.eq_ignore_ascii_case(BEARER) => Ok(BEARER),
        other => {
            let other = clean(other);
            Err(format!("the token is of type {other}, and only Bearer can be used"))
        }
    }
}

/// A text with spaces, commas or the provider's own separator between, or a list. An empty one says nothing (RFC 6749
/// §3.3 has at least one).
fn scope(members: &Object, separator: &str) -> Option<Scopes> {
    let mut length = 0;
    let fits = |text: &&str| {
        length += text.len();
        length <= SCOPE_TEXT
    };
    let scopes: Scopes = members
        .list("scope")
        .into_iter()
        .take_while(fits)
        .flat_map(|text| text.split(separator))
        .flat_map(|text| text.split([' ', ',']))
        .filter(|token| Scopes::is_token(token))
        .map(str::to_owned)
        .collect();
    (!scopes.is_empty()).then_some(scopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn members(text: &str) -> Object {
        json::object(text.as_bytes()).unwrap()
    }

    #[test]
    fn scope_may_be_a_text_or_a_list_and_an_empty_one_says_nothing() {
        for (written, scopes) in [
            (r#""a b""#, Some("a b")),
            (r#""a,b , a""#, Some("a b")),
            (r#""a|b""#, Some("a b")),
            (r#"["a","b c"]"#, Some("a b c")),
            (r#"["a",7,null,{"b":1}]"#, Some("a")),
            (r#""a\u0007 b\" c""#, Some("c")),
            (r#""""#, None),
            ("[]", None),
            ("7", None),
        ] {
            let members = members(&format!(r#"{{"scope":{written}}}"#));
            assert_eq!(
                scope(&members, "|").map(|s| s.to_string()).as_deref(),
                scopes,
                "{written}"
            );
        }
        let endless = format!(r#"{{"scope":"{}"}}"#, "a ".repeat(100_000));
        assert!(scope(&members(&endless), " ").is_none());
    }

    /// Checklist A4.6: `token_type` without case; refuse a type that cannot be used. A4.9: a token that is not bound is
    /// discarded where the setting demands it.
    #[test]
    fn the_type_of_a_token_is_taken_in_any_case_where_it_can_be_used() {
        use Binding::{Demanded, Impossible, Possible};
        for (told, binding, taken) in [
            ("{}", Impossible, Some(BEARER)),
            (r#"{"token_type":"bearer"}"#, Impossible, Some(BEARER)),
            (r#"{"token_type":"BEARER"}"#, Possible, Some(BEARER)),
            (r#"{"token_type":null}"#, Impossible, Some(BEARER)),
            (r#"{"token_type":"dpop"}"#, Demanded, Some(DPOP)),
            (r#"{"token_type":"DPoP"}"#, Possible, Some(DPOP)),
            (r#"{"token_type":"DPoP"}"#, Impossible, None),
            (r#"{"token_type":"Bearer"}"#, Demanded, None),
            ("{}", Demanded, None),
            (r#"{"token_type":"mac"}"#, Impossible, None),
            (r#"{"token_type":"N_A"}"#, Demanded, None),
            (r#"{"token_type":"bearer2"}"#, Possible, None),
        ] {
            let found = check_type(&members(told), binding);
            assert_eq!(found.ok(), taken, "{told} {binding:?}");
        }
    }
}
