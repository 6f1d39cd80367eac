//! The addresses in a command line of curl. Only options that are known here are taken: another one could send the token
//! to an address that is not seen, or print it.

use std::ffi::OsString;

/// Long options without a value.
const SWITCHES: &[&str] = &[
    "append",
    "compressed",
    "create-dirs",
    "fail",
    "fail-early",
    "fail-with-body",
    "form-escape",
    "get",
    "globoff",
    "head",
    "http1.0",
    "http1.1",
    "http2",
    "http3",
    "include",
    "ipv4",
    "ipv6",
    "junk-session-cookies",
    "location",
    "no-buffer",
    "no-progress-meter",
    "parallel",
    "parallel-immediate",
    "post301",
    "post302",
    "post303",
    "progress-bar",
    "remote-header-name",
    "remote-name",
    "remote-name-all",
    "remote-time",
    "remove-on-error",
    "retry-all-errors",
    "retry-connrefused",
    "show-error",
    "silent",
    "tlsv1.2",
    "tlsv1.3",
    "tr-encoding",
];

/// Long options with one value, which is no address to send to.
const WITH_VALUE: &[&str] = &[
    "cacert",
    "connect-timeout",
    "continue-at",
    "cookie",
    "cookie-jar",
    "data",
    "data-ascii",
    "data-binary",
    "data-raw",
    "data-urlencode",
    "dump-header",
    "etag-compare",
    "etag-save",
    "form",
    "form-string",
    "header",
    "json",
    "limit-rate",
    "max-filesize",
    "max-redirs",
    "max-time",
    "output",
    "output-dir",
    "parallel-max",
    "range",
    "referer",
    "request",
    "retry",
    "retry-delay",
    "retry-max-time",
    "speed-limit",
    "speed-time",
    "time-cond",
    "upload-file",
    "url-query",
    "user-agent",
    "write-out",
];

/// The same with one letter.
const SHORT_SWITCHES: &str = "#0146GIJLNORSZafgijs";
const SHORT_WITH_VALUE: &str = "ACDFHTXYbcdemortwyz";

/// The addresses that curl would send a request to.
///
/// # Errors
/// What is wrong: an option that is not known here, an address that curl may read in another way than we do, or none.
pub(super) fn addresses(arguments: &[OsString]) -> Result<Vec<String>, String> {
    let mut addresses = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let text = argument.to_str().ok_or("an argument is not UTF-8")?;
        let mut value = |option: &str| {
            let value = arguments.next().ok_or(format!("{option} needs a value"))?;
            value
                .to_str()
                .ok_or(format!("the value of {option} is not UTF-8"))
        };
        if text == "--url" {
            addresses.push(address(value(text)?)?);
        } else if let Some(name) = text.strip_prefix("--") {
            if WITH_VALUE.contains(&name) {
                checked(name, value(text)?)?;
            } else if !SWITCHES.contains(&name) {
                return Err(unknown());
            }
        } else if let Some(letters) = text.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            short(letters, &mut value)?;
        } else {
            addresses.push(address(text)?);
        }
    }
    if addresses.is_empty() {
        return Err("there is no address".to_owned());
    }
    Ok(addresses)
}

/// Letters behind one `-`: switches, and at most one option whose value is the rest or the next argument.
fn short<'a>(letters: &str, value: &mut impl FnMut(&str) -> Result<&'a str, String>) -> Result<(), String> {
    for (at, letter) in letters.char_indices() {
        if SHORT_SWITCHES.contains(letter) {
            continue;
        }
        if !SHORT_WITH_VALUE.contains(letter) {
            return Err(unknown());
        }
        let rest = &letters[at + letter.len_utf8()..];
        let name = if letter == 'H' { "header" } else { "" };
        return checked(
            name,
            if rest.is_empty() {
                value(&format!("-{letter}"))?
            } else {
                rest
            },
        );
    }
    Ok(())
}

/// A header of the user must not be a second token.
fn checked(name: &str, value: &str) -> Result<(), String> {
    let is_authorization = value
        .trim_start()
        .get(.."authorization".len())
        .is_some_and(|start| start.eq_ignore_ascii_case("authorization"));
    if name == "header" && (is_authorization || value.starts_with('@')) {
        return Err(
            "the Authorization header is ours, and headers in a file could hold another one".to_owned(),
        );
    }
    Ok(())
}

/// An address that curl reads as we do: whole, and with nothing that is read in two ways.
fn address(text: &str) -> Result<String, String> {
    let lower = text.to_ascii_lowercase();
    let Some(rest) = lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"))
    else {
        return Err("an address must begin with https://".to_owned());
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    // Ranges such as [1-3] would be several hosts; an address of IPv6 has colons.
    let is_range = host.contains('[') && host.matches(':').count() < 2;
    if host.is_empty() || !host.chars().all(is_plain) || is_range {
        return Err("the host of an address may hold letters, digits, dots and hyphens only".to_owned());
    }
    if text.contains('\\') || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("an address holds a backslash, a space or a control character".to_owned());
    }
    Ok(text.to_owned())
}

fn unknown() -> String {
    "`tokenry curl` does not know one of the options, and another one could send the token elsewhere or print it; \
     for such a request use `tokenry headers NAME`"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Vec<String>, String> {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        addresses(&arguments)
    }

    #[test]
    fn every_address_of_a_command_line_is_found() {
        for (line, found) in [
            ("https://a.example/x", &["https://a.example/x"][..]),
            ("-sS -X POST -d {} https://a.example", &["https://a.example"]),
            (
                "-sSXPOST https://a.example https://b.example",
                &["https://a.example", "https://b.example"],
            ),
            (
                "--url https://a.example -o https://no.example",
                &["https://a.example"],
            ),
            ("-d @- https://a.example/{x,y}", &["https://a.example/{x,y}"]),
            ("https://[2001:db8::1]:8443/", &["https://[2001:db8::1]:8443/"]),
        ] {
            assert_eq!(read(line).unwrap(), found, "{line}");
        }
    }

    #[test]
    fn what_could_send_a_token_to_an_unseen_address_is_refused() {
        for line in [
            "-K file https://a.example",
            "--config file https://a.example",
            "--next https://a.example",
            "-x proxy https://a.example",
            "--resolve a.example:443:10.0.0.1 https://a.example",
            "--connect-to ::evil.example: https://a.example",
            "--location-trusted https://a.example",
            "--loc https://a.example",
            "-v https://a.example",
            "-sv https://a.example",
            "--trace - https://a.example",
            "-k https://a.example",
            "--proto =all https://a.example",
            "--unix-socket x https://a.example",
            "a.example",
            "ftp://a.example",
            "https://user@evil.example",
            "https://a.example\\@evil.example/",
            "https://{a,evil}.example/",
            "https://[1-3].example/",
            "https://",
            "https://a.example/\r\nHost:x",
            "-H authorization:x https://a.example",
            "-H @file https://a.example",
            "--header Authorization:x https://a.example",
            "-sHAuthorization:x https://a.example",
            "-d",
            "- https://a.example",
            "",
        ] {
            assert!(read(line).is_err(), "{line:?}");
        }
    }
}
