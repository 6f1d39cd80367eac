//! Operations on settings.

use crate::{
    error::ApiError,
    extract::{AuthenticatedCaller, Body},
    openapi::{Listing, Writing},
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State};
use tokenry_contract::{Settings, UpdateSettings};
use tokenry_core::{Operation, Secret};
use tokenry_engine::{Engine, SettingsChange};

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(settings, change_settings))
}

/// Show the settings
///
/// For the window only.
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
    Callers::Policy(&[Operation::Settings]),
    Settings {
        loopback: true,
        loopback_port: Some(24180),
        ask_passphrase: false,
    }
);

/// Change the settings
///
/// For the window only. Only the given fields change.
#[utoipa::path(
    put,
    path = "/v1/settings",
    tag = "engine",
    request_body = UpdateSettings,
    responses((status = 200, description = "After the change.", body = Settings), Writing)
)]
async fn change_settings(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Body(change): Body<UpdateSettings>,
) -> Result<Json<Settings>, ApiError> {
    Ok(Json(written(
        engine.change_settings(&caller, wanted(change)).await?,
    )))
}

operation!(
    change_settings,
    Callers::Policy(&[Operation::Settings]),
    UpdateSettings {
        loopback: Some(true),
        ask_passphrase: None,
        passphrase: None,
    }
);

fn wanted(change: UpdateSettings) -> SettingsChange {
    SettingsChange {
        loopback: change.loopback,
        ask_passphrase: change.ask_passphrase,
        passphrase: change.passphrase.map(Secret::new),
    }
}

fn written(settings: tokenry_core::Settings) -> Settings {
    Settings {
        loopback: settings.loopback,
        loopback_port: settings.loopback_port,
        ask_passphrase: settings.ask_passphrase,
    }
}
