//! `tokenry aws-credential`: credentials of AWS for the ID token of a connection (`credential_process`). `tokenry-bridge`,
//! which has an HTTP stack, exchanges the token at STS.

use super::id_token::web_token;
use crate::bridge;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::output::check_out;
use clap::Args;
use serde_json::json;
use std::io::Write;
use std::process::{Command, Stdio};
use tokenry_contract::ErrorCode;
use zeroize::Zeroizing;

#[derive(Args)]
pub(crate) struct AwsArgs {
    /// The connection whose ID token STS gets
    #[arg(long, value_name = "NAME")]
    connection: String,
    /// The role to assume, which must trust the issuer of the token
    #[arg(long, value_name = "ARN", value_parser = role_arn)]
    role_arn: String,
    /// The name of the session in AWS's logs
    #[arg(long, value_name = "NAME", default_value = "tokenry", value_parser = session_name)]
    session_name: String,
    /// How long the credentials are good; the role sets the limit
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(900..=43200))]
    duration: Option<u32>,
    /// Use STS of this region [default: the global one]
    #[arg(long, value_parser = region)]
    region: Option<String>,
    /// Use STS at this address
    #[arg(long, value_name = "URL", conflicts_with = "region")]
    endpoint_url: Option<String>,
    /// Give STS the access token instead, where it is a JSON Web Token
    #[arg(long)]
    access_token: bool,
}

fn role_arn(text: &str) -> Result<String, &'static str> {
    let is_arn =
        text.starts_with("arn:") && text.len() <= 2048 && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_arn
        .then(|| text.to_owned())
        .ok_or("must be like arn:aws:iam::123456789012:role/NAME")
}

fn session_name(text: &str) -> Result<String, &'static str> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@-_".contains(&byte);
    ((2..=64).contains(&text.len()) && text.bytes().all(is_letter))
        .then(|| text.to_owned())
        .ok_or("must be 2 to 64 letters, digits and +=,.@-_")
}

/// It becomes part of a host name.
fn region(text: &str) -> Result<String, &'static str> {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_region = (1..=32).contains(&text.len()) && text.bytes().all(is_letter);
    is_region
        .then(|| text.to_owned())
        .ok_or("must be like eu-central-1")
}

/// Prints the credentials. AWS's clients show standard error when the exit code is not 0.
pub(crate) fn run(args: &AwsArgs, engine: impl Fn() -> Result<Engine, Failure>) -> Result<(), Failure> {
    check_out()?;
    let mut bridge = Command::new(bridge::program()?);
    let token = web_token(&args.connection, args.access_token, &engine()?)?;
    let request = json!({
        "endpoint": endpoint(args),
        "role_arn": args.role_arn,
        "session_name": args.session_name,
        "duration_seconds": args.duration,
        "token": token.text.as_str(),
    });
    let request = Zeroizing::new(request.to_string());
    let broken = |error: std::io::Error| {
        Failure::new(
            ErrorCode::Internal,
            format!("`{}` cannot be run: {error}.", bridge::PROGRAM),
            "Install both programs from one release, in one folder.",
        )
    };
    bridge.arg("assume-role").stdin(Stdio::piped());
    let mut running = bridge.spawn().map_err(broken)?;
    if let Some(mut input) = running.stdin.take() {
        // One that ended already has said why.
        let _ = input.write_all(request.as_bytes());
    }
    match running.wait().map_err(broken)?.success() {
        true => Ok(()),
        false => Err(Failure::problem_found()),
    }
}

fn endpoint(args: &AwsArgs) -> String {
    match (&args.endpoint_url, &args.region) {
        (Some(url), _) => url.clone(),
        (None, Some(region)) if region.starts_with("cn-") => {
            format!("https://sts.{region}.amazonaws.com.cn/")
        }
        (None, Some(region)) => format!("https://sts.{region}.amazonaws.com/"),
        (None, None) => "https://sts.amazonaws.com/".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: AwsArgs,
    }

    fn read(more: &[&str]) -> Result<AwsArgs, String> {
        let line = [
            "x",
            "--connection",
            "corp",
            "--role-arn",
            "arn:aws:iam::123456789012:role/x",
        ];
        let read = Line::try_parse_from(line.iter().chain(more));
        read.map(|line| line.args).map_err(|error| error.to_string())
    }

    #[test]
    fn the_region_names_the_endpoint_of_sts() {
        for (more, expected) in [
            (&[][..], "https://sts.amazonaws.com/"),
            (
                &["--region", "eu-central-1"],
                "https://sts.eu-central-1.amazonaws.com/",
            ),
            (
                &["--region", "cn-north-1"],
                "https://sts.cn-north-1.amazonaws.com.cn/",
            ),
            (&["--endpoint-url", "http://127.0.0.1:1"], "http://127.0.0.1:1"),
        ] {
            assert_eq!(endpoint(&read(more).unwrap()), expected);
        }
    }

    #[test]
    fn values_that_lead_elsewhere_are_refused() {
        for more in [
            ["--region", "evil.example/"],
            ["--region", "a.b"],
            ["--region", "eu-central-1\n"],
            ["--region", ""],
            ["--session-name", "a b"],
            ["--session-name", "x"],
            ["--session-name", "a\nb"],
            ["--duration", "899"],
            ["--duration", "43201"],
        ] {
            assert!(read(&more).is_err(), "{more:?}");
        }
        assert!(read(&["--region", "eu-central-1", "--endpoint-url", "https://a.example"]).is_err());
        for arn in ["", "role/x", "arn:aws:iam::1:role/a b", "arn:\r\n"] {
            assert!(role_arn(arn).is_err(), "{arn:?}");
        }
    }
}
