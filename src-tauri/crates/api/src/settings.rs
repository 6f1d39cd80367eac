//! Operations on settings.

use crate::{
    error::ApiError,
    extract::{AuthenticatedCaller, Body, Requester},
    openapi::{Guarded, Listing},
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State};
use tokenry_contract::{
    AutoLock, AutoLockSources, Settings, Success, UnlockRequested, UpdateAutoLock, UpdateSettings,
};
use tokenry_core::{Operation, Secret};
use tokenry_engine::{AutoLockChange, Engine, SettingsChange};

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(settings, change_settings))
        .routes(routes!(auto_lock_sources))
        .routes(routes!(unlock_requests, dismiss_unlock_requests))
        .routes(routes!(note_use))
}

/// Show the settings
///
/// Not for apps.
#[utoipa::path(
    get,
    path = "/v1/settings",
    tag = "engine",
    responses((status = 200, description = "The settings.", body = Settings), Listing)
)]
async fn settings(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Settings>, ApiError> {
    Ok(Json(written(engine.settings(&caller).await?)))
}

operation!(
    settings,
    Callers::Policy(&[Operation::ReadSettings]),
    Settings {
        loopback: true,
        loopback_port: Some(24180),
        ask_passphrase: false,
        auto_lock: AutoLock {
            idle_minutes: Some(15),
            screen_lock: true,
            suspend: true,
            user_switch: false,
        },
        tokens_while_locked: false,
        oidc_agent: false,
    }
);

/// Change the settings
///
/// Only the given fields change. `loopback`, `oidc_agent`, `ask_passphrase` and `passphrase` are for the window only. When
/// another program changes the rest, the user is prompted first.
#[utoipa::path(
    put,
    path = "/v1/settings",
    tag = "engine",
    request_body = UpdateSettings,
    responses((status = 200, description = "After the change.", body = Settings), Guarded)
)]
async fn change_settings(
    requester: Requester,
    State(engine): State<Engine>,
    Body(change): Body<UpdateSettings>,
) -> Result<Json<Settings>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    Ok(Json(written(
        engine.change_settings(&caller, wanted(change)).await?,
    )))
}

operation!(
    change_settings,
    Callers::Policy(&[Operation::AutoLock]),
    UpdateSettings {
        loopback: None,
        ask_passphrase: None,
        auto_lock: Some(UpdateAutoLock {
            idle_minutes: Some(15),
            screen_lock: Some(true),
            suspend: Some(true),
            user_switch: None,
        }),
        tokens_while_locked: Some(false),
        oidc_agent: None,
        passphrase: None,
    }
);

/// Show what auto-lock can rely on
///
/// Looks for the services of this computer that report when the user leaves. Works while the vault is locked.
#[utoipa::path(
    get,
    path = "/v1/auto-lock/sources",
    tag = "engine",
    responses((status = 200, description = "The services that were found.", body = AutoLockSources), Listing)
)]
async fn auto_lock_sources(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<AutoLockSources>, ApiError> {
    let found = engine.auto_lock_sources(&caller).await?;
    let owned = |name: Option<&str>| name.map(str::to_owned);
    Ok(Json(AutoLockSources {
        idle: owned(found.idle),
        screen_lock: found.screen_lock.into_iter().map(str::to_owned).collect(),
        suspend: owned(found.suspend),
        user_switch: owned(found.user_switch),
    }))
}

operation!(
    auto_lock_sources,
    Callers::Policy(&[Operation::ReadSettings]),
    AutoLockSources {
        idle: Some("org.gnome.Mutter.IdleMonitor".to_owned()),
        screen_lock: vec![
            "org.freedesktop.login1".to_owned(),
            "org.gnome.ScreenSaver".to_owned()
        ],
        suspend: Some("org.freedesktop.login1".to_owned()),
        user_switch: Some("org.freedesktop.login1".to_owned()),
    }
);

/// List the requests that wait until the vault is unlocked
///
/// For the window only.
#[utoipa::path(
    get,
    path = "/v1/unlock-requests",
    tag = "engine",
    responses((status = 200, description = "All of them.", body = [UnlockRequested]), Listing)
)]
async fn unlock_requests(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Vec<UnlockRequested>>, ApiError> {
    let waiting = engine.unlock_requests(&caller)?.into_iter();
    let shown = waiting.map(|peer| UnlockRequested {
        pid: Some(peer.pid).filter(|pid| *pid != 0),
        program: peer.program,
    });
    Ok(Json(shown.collect()))
}

operation!(
    unlock_requests,
    Callers::Policy(&[Operation::Settings]),
    UnlockRequested {
        program: Some("/usr/bin/mbsync".to_owned()),
        pid: Some(4712),
    }
);

/// Dismiss the requests that wait until the vault is unlocked
///
/// They fail, and no request shows the window for some minutes. For the window only.
#[utoipa::path(
    delete,
    path = "/v1/unlock-requests",
    tag = "engine",
    responses((status = 200, description = "Dismissed.", body = Success), Listing)
)]
async fn dismiss_unlock_requests(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Success>, ApiError> {
    engine.dismiss_unlock_requests(&caller)?;
    Ok(Json(Success { success: true }))
}

operation!(dismiss_unlock_requests, Callers::Policy(&[Operation::Settings]));

/// Report that the user uses the window
///
/// Auto-lock counts it as a use of Tokenry. For the window only.
#[utoipa::path(
    post,
    path = "/v1/window/used",
    tag = "engine",
    responses((status = 200, description = "Noted.", body = Success), Listing)
)]
async fn note_use(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<Success>, ApiError> {
    engine.window_used(&caller)?;
    Ok(Json(Success { success: true }))
}

operation!(note_use, Callers::Policy(&[Operation::Settings]));

fn wanted(change: UpdateSettings) -> SettingsChange {
    let auto_lock = change.auto_lock.unwrap_or_default();
    SettingsChange {
        loopback: change.loopback,
        ask_passphrase: change.ask_passphrase,
        passphrase: change.passphrase.map(Secret::new),
        auto_lock: AutoLockChange {
            idle_minutes: auto_lock.idle_minutes,
            screen_lock: auto_lock.screen_lock,
            suspend: auto_lock.suspend,
            user_switch: auto_lock.user_switch,
        },
        tokens_while_locked: change.tokens_while_locked,
        oidc_agent: change.oidc_agent,
    }
}

fn written(settings: tokenry_core::Settings) -> Settings {
    let auto_lock = settings.auto_lock;
    Settings {
        loopback: settings.loopback,
        loopback_port: settings.loopback_port,
        ask_passphrase: settings.ask_passphrase,
        auto_lock: AutoLock {
            idle_minutes: auto_lock.idle_minutes,
            screen_lock: auto_lock.screen_lock,
            suspend: auto_lock.suspend,
            user_switch: auto_lock.user_switch,
        },
        tokens_while_locked: settings.tokens_while_locked,
        oidc_agent: settings.oidc_agent,
    }
}
