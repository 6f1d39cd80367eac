use crate::json::Object;
use crate::response::Response;
use crate::{Failure, id_token};
use tokenry_core::{Account, Provider, Scopes, Secret, clean};

/// What a token endpoint gave (RFC 6749 §5.1).
#[derive(Debug, Clone)]
pub struct Answer {
    /// The access token: printable ASCII, fit for a header (RFC 6749 A.12).
    pub access_token: Secret,
    /// Always `Bearer`: nothing else can be used yet.
    pub token_type: String,
    /// Its lifetime in seconds, at most ten years; `None` is unknown, which is not for ever (OAuth 2.1 §3.2.3).
    pub expires_in: Option<u64>,
    /// The new refresh token; `None` means that the old one stays (OAuth 2.1 §4.3.2).
    pub refresh_token: Option<Secret>,
    /// What was granted; `None` means as requested (RFC 6749 §5.1).
    pub scope: Option<Scopes>,
    /// Whose account it is, when an id token came along that says so.
    pub account: Option<Account>,
    /// Why the tokens are not to be used, though they are good: an id token for somebody else, or another type.
    pub objection: Option<Failure>,
}

impl Answer {
    /// The answer, where nothing speaks against it.
    pub(crate) fn unobjectionable(mut self) -> Result<Self, Failure> {
        self.objection.take().map_or(Ok(self), Err)
    }
}

/// Ten years, in seconds.
const LONGEST: f64 = 10.0 * 365.25 * 24.0 * 3600.0;

/// The most text of scopes that is read, in bytes.
const SCOPE_TEXT: usize = 8 * 1024;

/// What can be left out or wrongly written without harm is taken as missing: after a rotation, an answer thrown
/// away is a grant thrown away.
pub(crate) fn judge(response: &Response, provider: &Provider) -> Result<Answer, Failure> {
    let members = response.members()?;
    if members.is_ambiguous("access_token") || members.is_ambiguous("refresh_token") {
        let message = format!("{} answered with two tokens in place of one.", response.host);
        return Err(Failure::Unanswered { message });
    }
    let Some(access_token) = members.text("access_token") else {
        return Err(response.without_tokens(members));
    };
    if !access_token.expose().bytes().all(|b| matches!(b, 0x20..=0x7e)) {
        let message = format!("{} sent an access token that fits in no header.", response.host);
        return Err(Failure::Unusable { message });
    }
    let account = members.text("id_token").map_or(Ok(None), |token| {
        id_token::account(token, provider, response.date)
    });
    let token_type = token_type(&members, &response.host);
    Ok(Answer {
        access_token: access_token.clone(),
        token_type: token_type.clone().unwrap_or_else(|_| "Bearer".to_owned()),
        expires_in: expires_in(&members),
        refresh_token: members.text("refresh_token").cloned(),
        scope: scope(&members),
        objection: account.clone().err().or(token_type.err()),
        account: account.unwrap_or(None),
    })
}

/// The first answer of a sign-in: its id token has to have the nonce that was sent.
pub(crate) fn judge_first(
    response: &Response,
    provider: &Provider,
    nonce: Option<&Secret>,
) -> Result<Answer, Failure> {
    let mut answer = judge(response, provider)?;
    let members = response.members()?;
    if let (Some(nonce), Some(token)) = (nonce, members.text("id_token"))
        && let Some(problem) = id_token::nonce_problem(token, nonce)
    {
        answer.objection.get_or_insert(problem);
        answer.account = None;
    }
    Ok(answer)
}

/// Missing means Bearer; its case means nothing (RFC 6749 §5.1, §7.1).
fn token_type(members: &Object, host: &str) -> Result<String, Failure> {
    match members.text("token_type") {
        Some(other) if !other.expose().trim().eq_ignore_ascii_case("bearer") => {
            let other = clean(other.expose());
            let message =
                format!("{host} gave a token of type {other}, which Tokenry cannot use. Only Bearer can be.");
            Err(Failure::Unusable { message })
        }
        _ => Ok("Bearer".to_owned()),
    }
}

/// A number, a float or a text. What is negative or no number is unknown.
fn expires_in(members: &Object) -> Option<u64> {
    let seconds = members.number("expires_in").filter(|seconds| *seconds >= 0.0)?;
    Some(seconds.min(LONGEST) as u64)
}

/// A text with spaces or commas between, or a list. An empty one says nothing (RFC 6749 §3.3 has at least one).
fn scope(members: &Object) -> Option<Scopes> {
    let mut length = 0;
    let fits = |text: &&str| {
        length += text.len();
        length <= SCOPE_TEXT
    };
    let scopes: Scopes = members
        .list("scope")
        .into_iter()
        .take_while(fits)
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
    fn expires_in_may_be_a_number_a_float_or_a_text_and_rubbish_is_unknown() {
        for (written, seconds) in [
            ("3600", Some(3600)),
            ("3599.9", Some(3599)),
            ("\"3600\"", Some(3600)),
            ("\" 3600.0 \"", Some(3600)),
            ("0", Some(0)),
            ("1e300", Some(315_576_000)),
            ("18446744073709551615", Some(315_576_000)),
            ("-1", None),
            ("null", None),
            ("\"\"", None),
            ("\"NaN\"", None),
            ("\"soon\"", None),
            ("[3600]", None),
            ("{}", None),
            ("true", None),
        ] {
            let members = members(&format!(r#"{{"expires_in":{written}}}"#));
            assert_eq!(expires_in(&members), seconds, "{written}");
        }
        assert_eq!(expires_in(&members("{}")), None);
    }

    #[test]
    fn scope_may_be_a_text_or_a_list_and_an_empty_one_says_nothing() {
        for (written, scopes) in [
            (r#""a b""#, Some("a b")),
            (r#""a,b , a""#, Some("a b")),
            (r#"["a","b c"]"#, Some("a b c")),
            (r#"["a",7,null,{"b":1}]"#, Some("a")),
            (r#""a\u0007 b\" c""#, Some("c")),
            (r#""""#, None),
            ("[]", None),
            ("7", None),
        ] {
            let members = members(&format!(r#"{{"scope":{written}}}"#));
            assert_eq!(
                scope(&members).map(|s| s.to_string()).as_deref(),
                scopes,
                "{written}"
            );
        }
        let endless = format!(r#"{{"scope":"{}"}}"#, "a ".repeat(100_000));
        assert!(scope(&members(&endless)).is_none());
    }

    /// Checklist A4.6: `token_type` without case; refuse a type that cannot be used.
    #[test]
    fn bearer_is_taken_in_any_case_and_by_default_and_nothing_else_is() {
        for good in [
            "{}",
            r#"{"token_type":"bearer"}"#,
            r#"{"token_type":"BEARER"}"#,
            r#"{"token_type":null}"#,
        ] {
            assert_eq!(token_type(&members(good), "h").as_deref(), Ok("Bearer"), "{good}");
        }
        for bad in ["DPoP", "mac", "N_A", "bearer2"] {
            let members = members(&format!(r#"{{"token_type":"{bad}"}}"#));
            assert!(
                matches!(token_type(&members, "h"), Err(Failure::Unusable { .. })),
                "{bad}"
            );
        }
    }
}
