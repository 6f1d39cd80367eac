//! The requests of a sign-in, as the code that makes them for users makes them of each preset.

use super::checked::Checked;
use super::server::{Server, pairs};
use super::{CLIENT_SECRET, examples, made_of, presets};
use jiff::Timestamp;
use tokenry_contract::{
    BodyFormat, ClientType, GrantType, HttpMethod, Preset, Redirect, RevocationMethod,
    TokenEndpointAuthMethod,
};
use tokenry_core::{
    Captured, ConnectionId, Flow, FlowId, KnownTargets, OsRandom, Provider, Secret, SystemClock,
};
use tokenry_oauth::revocation::{Hint, revoke};
use tokenry_oauth::{
    Http, SigningKey, authorization_code, client_credentials, device, exchange_step, par, refresh,
};
use url::Url;

const PORT: u16 = 47_999;
const CODE: &str = "the-code";
const REFRESH_TOKEN: &str = "the-refresh-token";
const ACCESS_TOKEN: &str = "the-access-token";

/// The providers that users make of a preset: with a secret and without, where the preset leaves that open, and with each
/// client authentication that Tokenry tries.
fn providers(preset: &Preset) -> Vec<Provider> {
    let mut made = made_of(preset);
    let settings = &mut made.settings;
    if settings.token_endpoint_auth_method == TokenEndpointAuthMethod::PrivateKeyJwt {
        made.client_key = Some(SigningKey::generate().unwrap());
    }
    if settings.loopback_ports.is_empty() && !settings.loopback_any_port {
        settings.loopback_ports = vec![PORT];
    }
    if settings.dpop {
        made.dpop_key = Some(SigningKey::generate().unwrap());
    }
    let mut with_secret = made.clone();
    with_secret.client_secret = Some(Secret::new(CLIENT_SECRET.to_owned()));
    let is_open = made.settings.token_endpoint_auth_method == TokenEndpointAuthMethod::Automatic;
    let by_basic = with_secret
        .clone()
        .authenticating_by(TokenEndpointAuthMethod::ClientSecretBasic, true);
    match preset.client_type {
        ClientType::Public => vec![made],
        ClientType::Confidential if is_open => vec![with_secret, by_basic],
        ClientType::Confidential => vec![with_secret],
        ClientType::Either if is_open => vec![made, with_secret, by_basic],
        ClientType::Either => vec![made, with_secret],
    }
}

/// A value for each name that a sign-in brings.
fn captured(provider: &Provider) -> Captured {
    let settings = &provider.settings;
    let origin = settings.captured_hosts.first();
    let origin = origin.map(|host| format!("https://{}", host.replace('*', "example")));
    let endpoints = provider.endpoints();
    let value = |name: &str| {
        let is_origin = |(_, address): &(String, String)| address.starts_with(&format!("{{{name}}}"));
        let origin = origin.clone().filter(|_| endpoints.iter().any(is_origin));
        Secret::new(origin.unwrap_or_else(|| "example".to_owned()))
    };
    let names = settings.captures.keys();
    names.map(|name| (name.clone(), value(name))).collect()
}

/// The host of a preset's endpoint, worked out from its text and the examples of its variables.
fn host(preset: &Preset, setting: &str) -> String {
    let mut text = preset.settings[setting].as_str().unwrap().to_owned();
    for (name, value) in examples(preset) {
        text = text.replace(&format!("{{{name}}}"), &value);
    }
    let rest = text.strip_prefix("https://").unwrap();
    rest.split(['/', '?', ':']).next().unwrap().to_owned()
}

fn flow(provider: &Provider, started: &authorization_code::Started, redirect_uri: &str) -> Flow {
    let settings = &provider.settings;
    Flow {
        id: FlowId::new(&SystemClock, &OsRandom),
        connection: ConnectionId::new(&SystemClock, &OsRandom),
        renews: false,
        further: None,
        allow_unknown_account: false,
        provider: provider.id,
        label: None,
        issuer: settings.issuer.clone(),
        issuer_aliases: Vec::new(),
        token_endpoint: settings.token_endpoint.clone().unwrap(),
        captured_hosts: settings.captured_hosts.clone(),
        redirect_uri: redirect_uri.to_owned(),
        redirect: settings.redirect,
        scopes: provider.default_scopes(),
        resource: started.resource.clone(),
        state: started.state.clone(),
        verifier: started.verifier.clone(),
        nonce: started.nonce.clone(),
        dpop_key: provider.dpop_key.clone(),
        authorization_url: started.authorization_url.clone(),
        opens_until: None,
        device: None,
        targets: KnownTargets::default(),
        started_by: None,
        started_from: None,
        client_secret_from: None,
        expires_at: Timestamp::UNIX_EPOCH,
    }
}

/// The redirect URI of a sign-in: the first that is to be registered, at the port of this sign-in where any will do.
fn redirect_uri(provider: &Provider) -> String {
    let is_any_port = provider.settings.redirect == Redirect::Loopback && provider.settings.loopback_any_port;
    match is_any_port {
        true => provider.loopback_uri(Some(PORT)),
        false => provider.redirect_uris().remove(0),
    }
}

#[test]
fn every_preset_sends_the_browser_where_it_says_with_what_it_says() {
    for preset in presets() {
        for provider in providers(&preset) {
            let settings = &provider.settings;
            if settings.grant_type != GrantType::AuthorizationCode {
                continue;
            }
            let (what, redirect_uri) = ("authorization request", redirect_uri(&provider));
            let checked = Checked {
                preset: &preset,
                provider: &provider,
                what,
            };
            let scopes = provider.default_scopes();
            let started = authorization_code::begin(&provider, &redirect_uri, &scopes, &[], &OsRandom);
            let started = started.unwrap_or_else(|error| panic!("{}: {error}", preset.name));
            let url = &started.authorization_url;
            checked.says(url.scheme() == "https", url);
            checked.says(
                url.host_str() == Some(&host(&preset, "authorization_endpoint")),
                url,
            );
            // Behind the fragment, where the page reads it there.
            let query = url
                .fragment()
                .map_or(url.query(), |text| Some(text.split_once('?')?.1));
            let query = pairs(query.unwrap_or_default());
            checked.has(&query, "response_type", "code");
            checked.has(&query, "client_id", &settings.client_id);
            checked.has(&query, "redirect_uri", &redirect_uri);
            checked.has(&query, "state", started.state.expose());
            let challenge = checked.value(&query, "code_challenge");
            let is_s256 = challenge
                .as_deref()
                .is_some_and(tokenry_oauth::pkce::is_challenge);
            checked.says(is_s256 == settings.use_pkce, "PKCE");
            checked.says(challenge.is_some() == settings.use_pkce, "PKCE");
            let scope = settings.default_scopes.join(&settings.scope_separator);
            let scope = Some(scope).filter(|scope| !scope.is_empty());
            let found = checked.value(&query, "scope");
            checked.says(found == scope, format_args!("{found:?} and not {scope:?}"));
            checked.has_all(&query, &settings.authorize_params);
            checked.has_no_variable_left(&query, url.as_str());
            let secret = provider.client_secret.as_ref().map(Secret::expose);
            let tells = |(_, value): &(String, String)| Some(value.as_str()) == secret;
            checked.says(!query.iter().any(tells), "the secret is in the address");
        }
    }
}

/// The addresses of a preset that are asked for tokens, each https and at the host that the preset names.
fn checked_endpoints(preset: &Preset, provider: &Provider) {
    for (setting, address) in provider.endpoints() {
        let url: Url = address.parse().unwrap();
        let is_whole = !address.contains('{');
        let is_at_home = match preset.settings.get(&setting).and_then(|text| text.as_str()) {
            Some(text) if !text.starts_with('{') => url.host_str() == Some(&host(preset, &setting)),
            _ => true,
        };
        assert!(
            is_whole && is_at_home && url.scheme() == "https",
            "{}: {setting} is {address}",
            preset.name
        );
    }
}

/// The same provider with its endpoints at this server.
fn at(server: &Server, provider: &Provider) -> Provider {
    let mut provider = provider.clone();
    let settings = &mut provider.settings;
    for endpoint in [
        &mut settings.token_endpoint,
        &mut settings.refresh_endpoint,
        &mut settings.revocation_endpoint,
        &mut settings.pushed_authorization_request_endpoint,
        &mut settings.device_authorization_endpoint,
    ]
    .into_iter()
    .flatten()
    {
        *endpoint = server.in_place_of(endpoint);
    }
    if let Some(step) = &mut settings.exchange_step {
        step.endpoint = server.in_place_of(&step.endpoint);
    }
    provider
}

#[tokio::test]
async fn every_preset_asks_for_tokens_as_it_says() {
    let (server, http) = (Server::start(), Http::new().unwrap());
    for preset in presets() {
        for made in providers(&preset) {
            let filled = made.clone().filled_in(&captured(&made)).unwrap();
            checked_endpoints(&preset, &filled);
            let provider = at(&server, &filled);
            match provider.settings.grant_type {
                GrantType::AuthorizationCode => {
                    exchanged(&server, &http, &preset, &provider).await;
                    refreshed(&server, &http, &preset, &provider).await;
                    asked_for_a_device_code(&server, &http, &preset, &provider).await;
                }
                GrantType::ClientCredentials => fetched(&server, &http, &preset, &provider).await,
            }
            revoked(&server, &http, &preset, &provider).await;
        }
    }
}

/// RFC 8628 §3.1.
async fn asked_for_a_device_code(server: &Server, http: &Http, preset: &Preset, provider: &Provider) {
    let settings = &provider.settings;
    if settings.device_authorization_endpoint.is_none() {
        return;
    }
    let what = "device authorization request";
    let checked = Checked {
        preset,
        provider,
        what,
    };
    let started = device::begin(http, provider, &provider.default_scopes(), &[]).await;
    checked.says(started.is_err(), "the server gives tokens and no code");
    let form = server.request().body(settings.token_body_format);
    checked.has(&form, "client_id", &settings.client_id);
    let scope = settings.default_scopes.join(&settings.scope_separator);
    let scope = Some(scope).filter(|scope| !scope.is_empty());
    let found = checked.value(&form, "scope");
    checked.says(found == scope, format_args!("{found:?} and not {scope:?}"));
    checked.has_no_variable_left(&form, "");
    checked.says(
        preset.grant_types.iter().any(|grant| grant == "device_code"),
        "grant_types lacks device_code",
    );
}

async fn exchanged(server: &Server, http: &Http, preset: &Preset, provider: &Provider) {
    let (settings, what) = (&provider.settings, "token request");
    let redirect_uri = redirect_uri(provider);
    let scopes = provider.default_scopes();
    let started = authorization_code::begin(provider, &redirect_uri, &scopes, &[], &OsRandom).unwrap();
    let checked = Checked {
        preset,
        provider,
        what,
    };
    if settings.pushed_authorization_request_endpoint.is_some() {
        let pushed = par::push(http, provider, &started).await.unwrap().unwrap();
        let form = server.request().body(settings.token_body_format);
        for (name, value) in started.authorization_url.query_pairs() {
            let sent = form
                .iter()
                .filter(|(other, _)| *other == name)
                .collect::<Vec<_>>();
            checked.says(
                sent.len() == 1 && sent[0].1 == value,
                format_args!("{name} is not pushed"),
            );
        }
        let names: Vec<_> = pushed.authorization_url.query_pairs().into_owned().collect();
        checked.says(
            names.len() == 2,
            "the browser gets more than client_id and request_uri",
        );
    }
    let flow = flow(provider, &started, &redirect_uri);
    let code = Secret::new(CODE.to_owned());
    let answer = authorization_code::exchange(http, provider, &flow, &code, &Captured::new()).await;
    let request = server.request();
    // Whether the tokens are where the preset says is not in question here.
    drop(answer);
    let body = request.body(settings.token_body_format);
    checked.says(request.method == "POST", &request.method);
    checked.has(&body, "code", CODE);
    checked.has(&body, "redirect_uri", &redirect_uri);
    if !settings.token_params.contains_key("grant_type") {
        checked.has(&body, "grant_type", "authorization_code");
    }
    let verifier = started.verifier.as_ref().map(Secret::expose);
    let sent = checked.value(&body, "code_verifier");
    checked.says(sent.as_deref() == verifier, "the verifier of PKCE");
    checked.is_dressed(&request, &body, &settings.token_params);
    checked.has_client(&request, settings.token_body_format);
    if let Some(step) = &settings.exchange_step {
        let token = Secret::new(ACCESS_TOKEN.to_owned());
        let answer = exchange_step::exchange(http, provider, step, &token).await;
        checked.says(answer.is_ok(), format_args!("{:?}", answer.err()));
        let request = server.request();
        let sent = match step.method {
            HttpMethod::Get => request.query(),
            HttpMethod::Post => pairs(&request.body),
        };
        checked.has_no_variable_left(&sent, &request.target);
        let tokens = sent.iter().filter(|(_, value)| value == ACCESS_TOKEN);
        checked.says(tokens.count() == 1, "the second exchange");
    }
}

async fn refreshed(server: &Server, http: &Http, preset: &Preset, provider: &Provider) {
    let (settings, what) = (&provider.settings, "refresh");
    let checked = Checked {
        preset,
        provider,
        what,
    };
    let token = Secret::new(REFRESH_TOKEN.to_owned());
    drop(refresh::refresh(http, provider, &token).await);
    let request = server.request();
    let sent = match settings.refresh_method {
        HttpMethod::Post => request.body(settings.token_body_format),
        HttpMethod::Get => request.query(),
    };
    checked.has(&sent, "refresh_token", REFRESH_TOKEN);
    if !settings.refresh_params.contains_key("grant_type") {
        checked.has(&sent, "grant_type", "refresh_token");
    }
    checked.is_dressed(&request, &sent, &settings.refresh_params);
    match settings.refresh_method {
        HttpMethod::Post => checked.has_client(&request, settings.token_body_format),
        HttpMethod::Get => checked.says(!request.whole().contains("secret"), "a secret in the address"),
    }
}

async fn fetched(server: &Server, http: &Http, preset: &Preset, provider: &Provider) {
    let (settings, what) = (&provider.settings, "client credentials");
    let checked = Checked {
        preset,
        provider,
        what,
    };
    drop(client_credentials::fetch(http, provider, &provider.default_scopes()).await);
    let request = server.request();
    let body = request.body(settings.token_body_format);
    checked.has(&body, "grant_type", "client_credentials");
    checked.is_dressed(&request, &body, &settings.token_params);
    checked.has_client(&request, settings.token_body_format);
}

/// A token is sent where it is revoked, and once.
async fn revoked(server: &Server, http: &Http, preset: &Preset, provider: &Provider) {
    let (settings, what) = (&provider.settings, "revocation");
    if settings.revocation_endpoint.is_none() {
        return;
    }
    let checked = Checked {
        preset,
        provider,
        what,
    };
    let token = Secret::new(ACCESS_TOKEN.to_owned());
    let done = revoke(http, provider, &token, Hint::AccessToken).await;
    checked.says(done.is_ok(), format_args!("{done:?}"));
    let request = server.request();
    let is_of_client = settings.revocation_method == RevocationMethod::Parameters
        && !settings
            .revocation_params
            .values()
            .any(|value| value.contains("token}"));
    let tokens = request.whole().matches(ACCESS_TOKEN).count();
    checked.says(
        tokens == usize::from(!is_of_client),
        "the token is not there once",
    );
    // What names no token is a request of the client, which has to prove who it is.
    let proves = request.header("authorization").is_some() || request.body.contains("secret");
    checked.says(!is_of_client || proves, "no client authentication");
    let (method, format) = match settings.revocation_method {
        RevocationMethod::Delete => ("DELETE", BodyFormat::Json),
        _ => ("POST", settings.token_body_format),
    };
    checked.has_no_variable_left(&request.body(format), &request.target);
    checked.says(request.method == method, &request.method);
    match settings.revocation_method {
        RevocationMethod::Rfc7009 => checked.has_client(&request, format),
        RevocationMethod::Bearer => {
            let bearer = format!("Bearer {ACCESS_TOKEN}");
            checked.says(
                request.header("authorization") == Some(&bearer),
                "the bearer token",
            );
            checked.says(!request.whole().contains("secret"), "a secret");
        }
        RevocationMethod::Delete | RevocationMethod::Parameters => {}
    }
}
