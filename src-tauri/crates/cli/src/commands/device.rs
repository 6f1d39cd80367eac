//! A sign-in on another device (RFC 8628): `tokenry connect NAME --device`.

use super::flow;
use crate::args::ConnectArgs;
use crate::browser;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::interrupt;
use crate::output::{Output, write_out};
use crate::qr;
use crate::time::relative;
use jiff::Timestamp;
use tokenry_contract::{
    AuthorizeRequest, DeviceAnswer, DeviceRequest, ErrorCode, OAuthProvider, sanitize_for_display,
};

/// Why a sign-in is on another device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// The user said so, or the provider has no other way.
    Only,
    /// There is no browser here, and the provider has both ways.
    NoBrowser,
}

/// Signs in on another device where the user wants that, or where it is the way that works. Returns whether it did.
pub(super) fn run(
    args: &ConnectArgs,
    provider: &OAuthProvider,
    request: &AuthorizeRequest,
    engine: &Engine,
    output: &Output,
) -> Result<bool, Failure> {
    // A script that reads JSON gets the way that it asked for, wherever it runs.
    let has_no_browser = !output.is_json() && browser::is_missing();
    let Some(reason) = reason(args, provider, has_no_browser) else {
        return Ok(false);
    };
    let answer = match start(provider, request, engine) {
        Ok(answer) => answer,
        // It is the provider's setting that promised it, and there is another way.
        Err(failure) if reason == Reason::NoBrowser && failure.code() == Some(ErrorCode::ProviderError) => {
            output.say(&format!(
                "{} refuses a sign-in on another device, so this one needs a browser.",
                provider.name
            ));
            output.fail(&failure);
            return Ok(false);
        }
        Err(failure) => return Err(failure),
    };
    if reason == Reason::NoBrowser {
        output.say(&format!(
            "There is no browser here, so this sign-in is on another device. To sign in with a browser instead, press Ctrl-C \
             and run `tokenry connect {} --redirect paste`.",
            args.name
        ));
    }
    let cancel = || flow::cancel(answer.flow_id, engine, output);
    let connection = interrupt::or_else(cancel, || {
        announce(&answer, output)?;
        flow::wait(answer.flow_id, None, engine, output)
    })?;
    flow::finished(&connection, engine, output)?;
    Ok(true)
}

fn reason(args: &ConnectArgs, provider: &OAuthProvider, has_no_browser: bool) -> Option<Reason> {
    let settings = &provider.settings;
    let has_endpoint = settings.device_authorization_endpoint.is_some();
    let is_only_way = has_endpoint && settings.authorization_endpoint.is_none();
    // Who names a redirect, or wants the address, has chosen the browser.
    let is_free = args.redirect.is_none() && !args.no_browser;
    match is_free && has_no_browser && has_endpoint {
        _ if args.device || is_only_way => Some(Reason::Only),
        true => Some(Reason::NoBrowser),
        false => None,
    }
}

fn start(
    provider: &OAuthProvider,
    request: &AuthorizeRequest,
    engine: &Engine,
) -> Result<DeviceAnswer, Failure> {
    let request = DeviceRequest {
        label: request.label.clone(),
        scopes: request.scopes.clone(),
        connection: request.connection.clone(),
        allow_further: request.allow_further,
        allow_unknown_account: request.allow_unknown_account,
    };
    let id = provider.id.to_string();
    engine.send_body(Method::Post, &["v1", "oauth-providers", &id, "device"], &request)
}

/// Standard output has the page and the code, each in a line of its own.
fn announce(answer: &DeviceAnswer, output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        return output.done(answer, "");
    }
    let line = |text: &str| write_out((sanitize_for_display(text) + "\n").as_bytes());
    let device = &answer.device;
    output.say("On any device, open this page:");
    line(&device.verification_uri)?;
    output.say("and enter this code:");
    line(&device.user_code)?;
    let complete = device.verification_uri_complete.as_ref();
    if qr::show(complete.unwrap_or(&device.verification_uri)) && complete.is_some() {
        output.say("The page that the QR code opens must show the same code.");
    }
    output.say(&format!(
        "Waiting for you to sign in there. The code ends {}. Ctrl-C cancels the sign-in.",
        relative(answer.expires_at, Timestamp::now())
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    /// The fields that decide; the others are of no matter here.
    fn provider(has_browser: bool, has_device: bool) -> OAuthProvider {
        let address = |has: bool, path: &str| has.then(|| format!("https://as.example/{path}"));
        let settings = tokenry_contract::ProviderSettings {
            authorization_endpoint: address(has_browser, "authorize"),
            device_authorization_endpoint: address(has_device, "device"),
            ..tokenry_contract::ProviderSettings::default()
        };
        let mut provider = serde_json::Value::Object(settings.to_map());
        for (name, value) in [
            ("id", "0194f0c0-0000-7000-8000-000000000001"),
            ("name", "x"),
            ("project", "default"),
            ("created_at", "2026-01-01T00:00:00Z"),
            ("updated_at", "2026-01-01T00:00:00Z"),
        ] {
            provider[name] = value.into();
        }
        provider["has_client_secret"] = false.into();
        provider["redirect_uris"] = serde_json::json!([]);
        serde_json::from_value(provider).unwrap()
    }

    fn arguments(more: &[&str]) -> ConnectArgs {
        let all = ["tokenry", "connect", "x"].iter().chain(more);
        match Cli::parse_from(all).command {
            Command::Connect(args) => args,
            _ => panic!("another command"),
        }
    }

    #[test]
    fn another_device_is_chosen_where_it_is_the_way_that_works() {
        use Reason::{NoBrowser, Only};
        for (more, browser, device, is_missing, expected) in [
            (&[][..], true, true, false, None),
            (&[], true, true, true, Some(NoBrowser)),
            (&[], true, false, true, None),
            (&[], false, true, false, Some(Only)),
            (&[], false, true, true, Some(Only)),
            (&["--device"], true, true, false, Some(Only)),
            (&["--device"], true, false, false, Some(Only)),
            (&["--no-browser"], true, true, true, None),
            (&["--redirect", "paste"], true, true, true, None),
        ] {
            let found = reason(&arguments(more), &provider(browser, device), is_missing);
            assert_eq!(found, expected, "{more:?} {browser} {device} {is_missing}");
        }
    }
}
