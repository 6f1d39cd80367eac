//! `tokenry-bridge assume-role`: exchanges a token for credentials of AWS (STS, AssumeRoleWithWebIdentity). `tokenry
//! aws-credential` runs it, with the token on standard input.

use crate::engine::encoded;
use crate::failure::Failure;
use crate::upstream;
use serde::Deserialize;
use std::io::{Read, Write};
use std::time::Duration;
use tokenry_contract::ErrorCode;
use url::Url;
use zeroize::Zeroizing;

/// The longest request and response that are read.
const MAX_BYTES: u64 = 256 * 1024;
/// The whole exchange. A client of AWS waits for a minute.
const TIMEOUT: Duration = Duration::from_secs(30);
/// So much of what STS says of an error is shown.
const MAX_MESSAGE_CHARS: usize = 300;

/// What is on standard input. It holds the token, so it has no `Debug`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleRequest {
    endpoint: String,
    role_arn: String,
    session_name: String,
    duration_seconds: Option<u32>,
    token: String,
}

/// Reads the request, and prints the credentials in the form of `credential_process`.
///
/// # Errors
/// When STS gives none, with its reason.
pub(crate) async fn assume_role() -> Result<(), Failure> {
    let request = read(std::io::stdin().lock())?;
    let endpoint = upstream::address(&request.endpoint)?;
    let (status, body) = send(&endpoint, &request).await?;
    let text = std::str::from_utf8(&body).map_err(|_| unclear(&endpoint))?;
    if !(200..300).contains(&status) {
        return Err(refused(&endpoint, status, text, &request.token));
    }
    let line = credentials(text).ok_or_else(|| unclear(&endpoint))?;
    let mut out = std::io::stdout().lock();
    let written = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure::internal(format!("Cannot write to standard output: {error}.")))
}

fn read(input: impl Read) -> Result<RoleRequest, Failure> {
    let mut text = Zeroizing::new(Vec::new());
    let read = input.take(MAX_BYTES).read_to_end(&mut text);
    let request = read.ok().and_then(|_| serde_json::from_slice(&text).ok());
    request.ok_or_else(|| {
        Failure::usage("the request on standard input is invalid; `tokenry aws-credential` writes it")
    })
}

async fn send(endpoint: &Url, request: &RoleRequest) -> Result<(u16, Zeroizing<Vec<u8>>), Failure> {
    let unreachable = |error: reqwest::Error| {
        Failure::new(
            ErrorCode::ProviderUnreachable,
            format!(
                "Could not reach STS at {} ({}).",
                host(endpoint),
                upstream::cause(&error)
            ),
            "Check the network and the region, then try again.",
        )
    };
    let post = upstream::client(endpoint)?
        .post(endpoint.clone())
        .header("content-type", "application/x-www-form-urlencoded")
        .timeout(TIMEOUT)
        .body(form(request).as_bytes().to_vec());
    let mut response = post.send().await.map_err(unreachable)?;
    let status = response.status().as_u16();
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if (body.len() + chunk.len()) as u64 > MAX_BYTES {
            return Err(unclear(endpoint));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}

fn form(request: &RoleRequest) -> Zeroizing<String> {
    let mut form = Zeroizing::new("Action=AssumeRoleWithWebIdentity&Version=2011-06-15".to_owned());
    let duration = request.duration_seconds.map(|seconds| seconds.to_string());
    let fields = [
        ("RoleArn", Some(request.role_arn.as_str())),
        ("RoleSessionName", Some(request.session_name.as_str())),
        ("DurationSeconds", duration.as_deref()),
        ("WebIdentityToken", Some(request.token.as_str())),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            *form += &format!("&{name}=");
            *form += &Zeroizing::new(encoded(value));
        }
    }
    form
}

/// The credentials in a response, as one line of JSON.
fn credentials(xml: &str) -> Option<Zeroizing<String>> {
    let inner = element(xml, "Credentials")?;
    // None of them needs an escape, in XML or in JSON.
    let is_plain = |text: &&str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-.:".contains(&byte))
    };
    let plain = |name: &str| element(inner, name).filter(is_plain);
    Some(Zeroizing::new(format!(
        "{{\"Version\":1,\"AccessKeyId\":\"{}\",\"SecretAccessKey\":\"{}\",\"SessionToken\":\"{}\",\"Expiration\":\"{}\"}}\n",
        plain("AccessKeyId")?,
        plain("SecretAccessKey")?,
        plain("SessionToken")?,
        plain("Expiration")?,
    )))
}

/// The content of the only element of this name, without white space around it.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let (_, rest) = xml.split_once(&open)?;
    let (inner, after) = rest.split_once(&close)?;
    let is_only = !inner.contains(&open) && !after.contains(&open);
    is_only.then_some(inner.trim())
}

fn refused(endpoint: &Url, status: u16, xml: &str, token: &str) -> Failure {
    let error = element(xml, "Error").unwrap_or_default();
    let is_code = |code: &&str| {
        code.len() <= 80
            && code
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    };
    let code = element(error, "Code").filter(is_code).unwrap_or("no code");
    // A server that repeats the token shall not bring it into a log.
    let message = element(error, "Message").filter(|message| !message.contains(token));
    let message: String = unescaped(message.unwrap_or_default())
        .chars()
        .take(MAX_MESSAGE_CHARS)
        .collect();
    let next = match code {
        "InvalidIdentityToken" | "AccessDenied" => {
            "Check that the role trusts this issuer and this client ID, and names the subject of this account."
        }
        "ExpiredTokenException" => "Check the clock of this machine.",
        _ => "Check the role, the region and the address of STS.",
    };
    Failure::new(
        ErrorCode::ProviderError,
        format!(
            "STS at {} refused the token ({status}, {code}): {message}",
            host(endpoint)
        ),
        next,
    )
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

fn unclear(endpoint: &Url) -> Failure {
    Failure::new(
        ErrorCode::ProviderError,
        format!("{} did not answer as STS does.", host(endpoint)),
        "Check the region, or the address of --endpoint-url.",
    )
}

fn host(endpoint: &Url) -> String {
    endpoint.host_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "<R xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Credentials>\
        <SessionToken>AQo/+=</SessionToken><SecretAccessKey> wJalr </SecretAccessKey>\
        <Expiration>2027-01-31T12:00:00Z</Expiration><AccessKeyId>ASIA1</AccessKeyId></Credentials></R>";

    fn endpoint() -> Url {
        "https://sts.example/".parse().unwrap()
    }

    #[test]
    fn the_credentials_of_a_response_are_one_line_for_the_client() {
        let line = credentials(GOOD).unwrap();
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            read,
            serde_json::json!({"Version": 1, "AccessKeyId": "ASIA1", "SecretAccessKey": "wJalr",
                "SessionToken": "AQo/+=", "Expiration": "2027-01-31T12:00:00Z"})
        );
    }

    #[test]
    fn a_hostile_response_gives_no_credentials() {
        for (part, by) in [
            ("<AccessKeyId>ASIA1</AccessKeyId>", ""),
            ("ASIA1", ""),
            ("ASIA1", "A\"B"),
            ("ASIA1", "A\\nB"),
            ("ASIA1", "A\nB"),
            ("ASIA1", "A\u{0}B"),
            ("ASIA1", "&amp;"),
            ("ASIA1", "<x/>"),
            ("<AccessKeyId>", "<AccessKeyId>x</AccessKeyId><AccessKeyId>"),
            ("</R>", "<Credentials></Credentials></R>"),
            ("</Credentials>", ""),
            ("<Credentials>", "<!--"),
        ] {
            assert!(credentials(&GOOD.replacen(part, by, 1)).is_none(), "{part} {by}");
        }
        assert!(credentials("").is_none());
    }

    #[test]
    fn a_refusal_says_what_sts_says_and_never_repeats_the_token() {
        let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidIdentityToken</Code>\
            <Message>No provider for &quot;https://a.example&quot;</Message></Error></ErrorResponse>";
        let text = refused(&endpoint(), 400, xml, "c4n4ry").to_string();
        assert!(
            text.contains("InvalidIdentityToken): No provider for \"https://a.example\""),
            "{text}"
        );
        assert!(text.contains("trusts this issuer"), "{text}");
        for hostile in [
            xml.replace("No provider", "c4n4ry"),
            xml.replace("InvalidIdentityToken", "c4n4ry <x>"),
            "c4n4ry".to_owned(),
            String::new(),
        ] {
            let text = refused(&endpoint(), 400, &hostile, "c4n4ry").to_string();
            assert!(!text.contains("c4n4ry"), "{text}");
        }
        let long = xml.replace("No provider", &"x".repeat(100_000));
        assert!(refused(&endpoint(), 400, &long, "c4n4ry").to_string().len() < 600);
    }

    #[test]
    fn a_request_is_one_json_object_and_its_values_are_escaped() {
        let text = r#"{"endpoint":"https://a.example","role_arn":"arn:aws:iam::1:role/x&Action=y","session_name":"me@x",
            "duration_seconds":900,"token":"c4n4ry"}"#;
        let request = read(text.as_bytes()).ok().unwrap();
        assert_eq!(
            form(&request).as_str(),
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx%26Action%3Dy\
             &RoleSessionName=me%40x&DurationSeconds=900&WebIdentityToken=c4n4ry"
        );
        for hostile in [
            "",
            "{}",
            "[]",
            "c4n4ry",
            &text.replace("900", "\"c4n4ry\""),
            &text.replace("900", "900,\"x\":1"),
        ] {
            let failure = read(hostile.as_bytes()).err().unwrap();
            assert!(!failure.to_string().contains("c4n4ry"), "{failure}");
        }
        assert!(read(std::io::repeat(b' ')).is_err());
    }
}
