//! The host that a tool gets tokens for.

use crate::error::SetupError;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The most characters of a name in the DNS.
const MAX_NAME_CHARS: usize = 253;

/// The most characters between two dots of a name.
const MAX_LABEL_CHARS: usize = 63;

/// A host with a port, and the scheme: `https`, or `http` on this machine.
pub(crate) struct Authority {
    pub(crate) scheme: &'static str,
    /// The host in lower case, with its port.
    pub(crate) host: String,
}

impl Authority {
    /// Reads a host, or an address of which the host is meant.
    pub(crate) fn read(text: &str) -> Result<Self, SetupError> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some(("https", rest)) => ("https", rest),
            Some(("http", rest)) => ("http", rest),
            Some(_) => return Err(wrong("The address must begin with https://.")),
            None => ("https", text),
        };
        let host = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        let (name, port) = split_port(&host)?;
        if port.is_some_and(|port| !is_port(port)) {
            return Err(wrong("The port must be a number from 1 to 65535."));
        }
        check_name(name)?;
        if scheme == "http" && !matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
            return Err(wrong("http is for servers on this machine only."));
        }
        Ok(Self { scheme, host })
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }

    /// The host without its port.
    pub(crate) fn name(&self) -> &str {
        split_port(&self.host).map_or(self.host.as_str(), |(name, _)| name)
    }
}

/// The name, and what is behind its colon.
fn split_port(host: &str) -> Result<(&str, Option<&str>), SetupError> {
    if let Some(end) = host.find(']') {
        let (name, rest) = host.split_at(end + 1);
        return match rest.strip_prefix(':') {
            None if !rest.is_empty() => Err(wrong("This is not a host.")),
            port => Ok((name, port)),
        };
    }
    match host.split_once(':') {
        Some((_, port)) if port.contains(':') => Err(wrong(
            "This is not a host. An IPv6 address is written in brackets, such as [::1].",
        )),
        Some((name, port)) => Ok((name, Some(port))),
        None => Ok((host, None)),
    }
}

fn is_port(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

fn check_name(name: &str) -> Result<(), SetupError> {
    if !name.is_ascii() {
        return Err(wrong(
            "The host must be in its ASCII form, which has xn-- in place of other letters.",
        ));
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_label = |label: &str| {
        let is_length = (1..=MAX_LABEL_CHARS).contains(&label.len());
        is_length && label.chars().all(is_part) && !label.starts_with('-') && !label.ends_with('-')
    };
    // A last label of digits alone makes it an IPv4 address.
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = !last.is_empty() && last.chars().all(|c| c.is_ascii_digit());
    let is_host = match name.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None if is_number => name.parse::<Ipv4Addr>().is_ok(),
        None => name.len() <= MAX_NAME_CHARS && name.split('.').all(is_label),
    };
    if is_host {
        return Ok(());
    }
    Err(wrong("This is not a host."))
}

fn wrong(why: &str) -> SetupError {
    SetupError::option(why, "Give the host alone, such as github.com.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_with_or_without_its_scheme() {
        for (text, url) in [
            ("github.com", "https://github.com"),
            ("https://GitHub.com/", "https://github.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:80/", "http://[::1]:80"),
            ("[::1]:80", "https://[::1]:80"),
            ("xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("my_host:65535", "https://my_host:65535"),
            ("10.0.0.1", "https://10.0.0.1"),
        ] {
            assert_eq!(Authority::read(text).map(|one| one.url()), Ok(url.to_owned()));
        }
    }

    #[test]
    fn a_text_that_is_not_a_host_is_refused() {
        for text in [
            "",
            "a b",
            "https://",
            "ssh://a",
            "a/b",
            "user@host",
            "a\nb",
            "a\"]",
            "a'b",
            "http://example.com",
            "::1",
            "[::1",
            "[]",
            "[::1]x",
            "[1.2.3.4]",
            "x[::1]",
            "git.example:99999",
            "git.example:0",
            "git.example:",
            "git.example:+80",
            "git.example:80:80",
            ":",
            ":0",
            ":8443",
            "...",
            "a..b",
            "git.example.",
            "-a.example",
            "999.1.1.1",
            "1",
            "bücher.example",
            "https://http://a",
        ] {
            assert!(Authority::read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_error_about_a_host_says_what_is_wrong_with_it() {
        for (text, says) in [
            ("::1", "in brackets"),
            ("git.example:99999", "from 1 to 65535"),
            ("bücher.example", "xn--"),
            ("http://git.example", "on this machine"),
        ] {
            let error = Authority::read(text).err().unwrap().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
