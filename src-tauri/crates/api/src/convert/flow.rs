//! Sign-ins.

use tokenry_contract as contract;
use tokenry_core::{DeviceSignIn, Scopes};
use tokenry_engine::{ConnectOptions, FlowState, FlowView, StartedFlow};

/// The options of a sign-in, from a body.
pub(crate) fn connect_options(body: contract::AuthorizeRequest) -> ConnectOptions {
    ConnectOptions {
        label: body.label.filter(|label| !label.is_empty()),
        scopes: body.scopes.map(Scopes::from),
        redirect: body.redirect,
        renew: body.connection.filter(|connection| !connection.is_empty()),
        allow_further: body.allow_further,
        allow_unknown_account: body.allow_unknown_account,
        ..ConnectOptions::default()
    }
}

/// The options of a sign-in on another device.
pub(crate) fn device_options(body: contract::DeviceRequest) -> ConnectOptions {
    ConnectOptions {
        device: true,
        ..connect_options(contract::AuthorizeRequest {
            label: body.label,
            scopes: body.scopes,
            redirect: None,
            connection: body.connection,
            allow_further: body.allow_further,
            allow_unknown_account: body.allow_unknown_account,
        })
    }
}

/// The options from a query string. A GET renews no connection.
pub(crate) fn connect_query(query: contract::AuthorizeQuery) -> ConnectOptions {
    ConnectOptions {
        label: query.label.filter(|label| !label.is_empty()),
        scopes: query
            .scope
            .filter(|scope| !scope.trim().is_empty())
            .map(|scope| Scopes::parse(&scope)),
        redirect: query.redirect,
        renew: None,
        ..ConnectOptions::default()
    }
}

/// Where to send the browser.
pub(crate) fn started(flow: StartedFlow) -> contract::AuthorizeAnswer {
    contract::AuthorizeAnswer {
        authorization_url: flow.authorization_url.into(),
        browser_url: flow.browser_url.into(),
        state: flow.state.expose().to_owned(),
        flow_id: flow.flow.uuid(),
        connection_id: flow.connection.uuid(),
        redirect: flow.redirect,
        redirect_uri: flow.redirect_uri,
        expires_at: flow.expires_at,
    }
}

/// What the user does on another device. `None` for a sign-in in the browser.
pub(crate) fn started_on_device(flow: StartedFlow) -> Option<contract::DeviceAnswer> {
    Some(contract::DeviceAnswer {
        device: device_code(flow.device?),
        flow_id: flow.flow.uuid(),
        connection_id: flow.connection.uuid(),
        expires_at: flow.expires_at,
    })
}

/// All of it but the device code.
fn device_code(device: DeviceSignIn) -> contract::DeviceCode {
    contract::DeviceCode {
        user_code: device.user_code,
        verification_uri: device.verification_uri.into(),
        verification_uri_complete: device.verification_uri_complete.map(String::from),
        interval: device.interval,
    }
}

/// A sign-in.
pub(crate) fn flow(flow: FlowView) -> contract::Flow {
    let refused = flow.refused.map(|refusal| (refusal.code, refusal.message));
    let status = flow.state.status();
    let failure = match flow.state {
        FlowState::Waiting => refused,
        FlowState::Failed { code, message } => Some((code, message)),
        _ => None,
    };
    let (code, message) = failure.unzip();
    // The address of the provider's page is part of the device code.
    let in_browser = flow.device.is_none();
    contract::Flow {
        id: flow.id.uuid(),
        connection_id: flow.connection.uuid(),
        status,
        refusals: flow.refusals,
        code,
        message,
        authorization_url: flow.authorization_url.map(String::from).filter(|_| in_browser),
        browser_url: flow.browser_url.map(String::from).filter(|_| in_browser),
        redirect_uri: flow.redirect_uri,
        device: flow.device.map(device_code),
        expires_at: flow.expires_at,
    }
}
