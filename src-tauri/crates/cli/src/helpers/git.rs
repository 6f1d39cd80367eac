//! `git-credential-tokenry`: git's credential helper (git-credential(1), gitcredentials(7)).

use super::served::{ANY_USER_NAME, Use, rejected};
use super::{request_until, unreadable};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::output::write_out;
use std::collections::BTreeMap;
use tokenry_contract::{ErrorCode, RejectedOutcome, ServingConnection, TokenAnswer};
use zeroize::Zeroizing;

const CAPABILITIES: &str = "version 0\ncapability authtype\n";

/// Runs an operation of git. One that is unknown is ignored, as git demands.
pub(crate) fn run(operation: &str, engine: impl Fn() -> Result<Engine, Failure>) -> Result<(), Failure> {
    match operation {
        "capability" => write_out(CAPABILITIES.as_bytes()),
        "get" => get(&from_git()?, &engine()?),
        "erase" => erase(&from_git()?, &engine()?),
        _ => Ok(()),
    }
}

fn from_git() -> Result<CredentialRequest, Failure> {
    let request = Zeroizing::new(request_until(ends)?);
    CredentialRequest::read(&request)
}

/// Whether this ends with the empty line behind a request.
fn ends(bytes: &[u8]) -> bool {
    bytes == b"\n" || bytes.windows(2).any(|pair| pair == b"\n\n")
}

/// What git says of a credential. It can hold a password, so it has no `Debug`.
#[derive(Default)]
struct CredentialRequest {
    values: BTreeMap<String, String>,
    lists: BTreeMap<String, Vec<String>>,
}

impl CredentialRequest {
    /// Reads lines of `key=value`, up to an empty line.
    ///
    /// A value that git cannot write is refused: it would mean another request to another helper (CVE-2020-5260,
    /// CVE-2024-52006).
    fn read(text: &str) -> Result<Self, Failure> {
        let mut read = Self::default();
        for line in text.split('\n').take_while(|line| !line.is_empty()) {
            if line.contains(|c: char| c.is_control()) {
                return Err(unreadable("a line holds a control character"));
            }
            let (key, value) = line
                .split_once('=')
                .ok_or_else(|| unreadable("a line has no equals sign"))?;
            match key.strip_suffix("[]") {
                // An empty value begins the list anew.
                Some(key) if value.is_empty() => drop(read.lists.remove(key)),
                Some(key) => read
                    .lists
                    .entry(key.to_owned())
                    .or_default()
                    .push(value.to_owned()),
                None => drop(read.values.insert(key.to_owned(), value.to_owned())),
            }
        }
        Ok(read)
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.values
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The address that git wants to use. `None` where a token is never sent, such as for a client certificate.
    fn address(&self) -> Option<String> {
        let (protocol, host) = (self.value("protocol")?, self.value("host")?);
        if !matches!(protocol, "https" | "http") || host.contains(['/', '?', '#', '@', '\\']) {
            return None;
        }
        let path = self.value("path").unwrap_or_default();
        let path = path.split(['?', '#']).next().unwrap_or_default();
        Some(format!("{protocol}://{host}/{}", escaped(path)))
    }

    fn usage<'a>(&'a self, address: &'a str) -> Use<'a> {
        Use {
            user: self.value("username"),
            ..Use::new(address, &["git"])
        }
    }

    /// Whether git takes a token as such, and the server wants it so.
    fn wants_bearer(&self) -> bool {
        let list = |key: &str| self.lists.get(key).into_iter().flatten();
        let is_bearer = |challenge: &String| challenge.to_ascii_lowercase().starts_with("bearer");
        list("capability").any(|one| one == "authtype")
            && list("wwwauth").any(is_bearer)
            && !list("wwwauth").any(|one| one.to_ascii_lowercase().starts_with("basic"))
    }
}

/// git gives a path without its escapes: `My Project` for `My%20Project`.
fn escaped(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        match byte {
            b'!' | b'$' | b'&'..=b';' | b'=' | b'@'..=b'[' | b']'..=b'_' | b'a'..=b'z' | b'|' | b'~' => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn get(request: &CredentialRequest, engine: &Engine) -> Result<(), Failure> {
    let Some(address) = request.address() else {
        return Ok(());
    };
    match request.usage(&address).token(engine) {
        Ok(Some((serving, answer))) => write_out(response(request, &serving, &answer).as_bytes()),
        // git asks its next helper.
        Ok(None) => Ok(()),
        Err(failure) => {
            if is_final(&failure) {
                write_out(b"quit=1\n")?;
            }
            Err(failure)
        }
    }
}

/// Whether a connection serves the address, but no token of it can be had. Without `quit` git asks at the terminal for a
/// password then, which a user who was asked already does not have.
fn is_final(failure: &Failure) -> bool {
    use ErrorCode as C;
    let says_nothing_of_the_address = [
        C::Unauthorized,
        C::PermissionDenied,
        C::Conflict,
        C::VaultLocked,
        C::RateLimited,
        C::Internal,
    ];
    failure
        .code()
        .is_some_and(|code| !says_nothing_of_the_address.contains(&code))
}

fn response(
    request: &CredentialRequest,
    serving: &ServingConnection,
    answer: &TokenAnswer,
) -> Zeroizing<String> {
    let token = &answer.access_token;
    let mut text = Zeroizing::new(String::with_capacity(token.len() + 256));
    if request.wants_bearer() {
        *text += "capability[]=authtype\nauthtype=Bearer\nephemeral=1\ncredential=";
    } else {
        let own = serving.user_names.get("git").map(String::as_str);
        *text += "username=";
        *text += own.or_else(|| request.value("username")).unwrap_or(ANY_USER_NAME);
        *text += "\npassword=";
    }
    *text += token;
    if let Some(end) = answer.expires_at {
        *text += &format!("\npassword_expiry_utc={}", end.as_second());
    }
    *text += "\n";
    text
}

/// The server refused what it got. Of a password that is not ours the fingerprint says nothing, and nothing is done.
fn erase(request: &CredentialRequest, engine: &Engine) -> Result<(), Failure> {
    let Some(password) = request.value("password").or_else(|| request.value("credential")) else {
        return Ok(());
    };
    let Some(address) = request.address() else {
        return Ok(());
    };
    // git gives the user name that it got, which tells no connection from another one. The token does.
    let mut failed = None;
    for serving in request.usage(&address).connections(engine)? {
        match rejected(&serving, password, engine) {
            Ok(RejectedOutcome::Refreshed | RejectedOutcome::SignIn) => return Ok(()),
            Ok(RejectedOutcome::Newer) => {}
            Err(failure) => failed = Some(failure),
        }
    }
    failed.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> CredentialRequest {
        CredentialRequest::read(text).unwrap_or_else(|_| panic!("{text:?}"))
    }

    #[test]
    fn a_request_is_its_address_whatever_else_git_says() {
        for (text, address) in [
            ("protocol=https\nhost=github.com\n", Some("https://github.com/")),
            (
                "capability[]=authtype\nprotocol=https\nhost=a.example:8443\npath=acme/x.git\nunknown=1\n\nhost=b",
                Some("https://a.example:8443/acme/x.git"),
            ),
            ("host=a\nhost=b\nprotocol=https", Some("https://b/")),
            ("protocol=https\nhost=a\npath=x?y#z\n", Some("https://a/x")),
            (
                "protocol=https\nhost=a\npath=My Project/100%/x[1].git",
                Some("https://a/My%20Project/100%25/x[1].git"),
            ),
            ("protocol=cert\npath=/home/me/key.pem\nhost=\n", None),
            ("protocol=ssh\nhost=github.com\n", None),
            ("protocol=https\nhost=evil.example@github.com\n", None),
            ("protocol=https\nhost=github.com/../x\n", None),
            ("protocol=https\nhost=github.com#x\n", None),
            ("host=github.com\n", None),
            ("", None),
        ] {
            assert_eq!(read(text).address().as_deref(), address, "{text:?}");
        }
    }

    #[test]
    fn a_line_that_could_mean_another_request_is_refused() {
        for text in [
            "protocol=https\nhost=github.com\rhost=evil.example\n",
            "protocol=https\r\nhost=github.com\r\n",
            "host=a\u{0}b\n",
            "host\n",
            "host=a\nx\u{1b}[31m=1\n",
        ] {
            assert!(CredentialRequest::read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_token_is_sent_as_bearer_only_where_git_and_the_server_say_so() {
        for (text, bearer) in [
            ("capability[]=authtype\nwwwauth[]=Bearer realm=\"x\"\n", true),
            ("wwwauth[]=Bearer\n", false),
            (
                "capability[]=authtype\nwwwauth[]=Basic realm=\"x\"\nwwwauth[]=Bearer\n",
                false,
            ),
            ("capability[]=authtype\n", false),
            (
                "capability[]=authtype\nwwwauth[]=Bearer\nwwwauth[]=\nwwwauth[]=Basic\n",
                false,
            ),
        ] {
            assert_eq!(read(text).wants_bearer(), bearer, "{text:?}");
        }
    }
}
