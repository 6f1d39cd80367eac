//! The operations on presets.

use crate::{
    convert,
    error::ApiError,
    extract::{AuthenticatedCaller, Body, PathId, Query, Requester},
    openapi::{Always, Guarded, Reading, examples::words},
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State};
use std::collections::BTreeMap;
use tokenry_contract::{
    ApplyPreset, CatalogQuery, ClientType, Confidence, OAuthProvider, Preset, PresetChange, PresetPreview,
    PresetSummary, PresetUpdate, PresetVariable, PreviewPreset, ProviderSettings,
};
use tokenry_core::Operation;
use tokenry_engine::Engine;

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(search_catalog))
        .routes(routes!(show_preset))
        .routes(routes!(preview_preset))
        .routes(routes!(show_preset_update, apply_preset))
}

/// Search the presets
///
/// The best matches first. Where nothing matches, those with similar names.
#[utoipa::path(
    get,
    path = "/v1/catalog",
    tag = "catalog",
    params(CatalogQuery),
    responses((status = 200, description = "Those that match.", body = [PresetSummary]), Always)
)]
async fn search_catalog(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Query(query): Query<CatalogQuery>,
) -> Result<Json<Vec<PresetSummary>>, ApiError> {
    Ok(Json(engine.presets(&caller, &query)?))
}

operation!(
    search_catalog,
    Callers::Policy(&[Operation::ReadProviders]),
    PresetSummary {
        name: "gitea".to_owned(),
        display_name: "Gitea".to_owned(),
        aliases: words(&["gitea-self-hosted"]),
        category: "dev-tools".to_owned(),
        version: "2026-11-29".to_owned(),
        logo: Some("gitea".to_owned()),
    }
);

/// Show a preset
#[utoipa::path(
    get,
    path = "/v1/catalog/{name}",
    tag = "catalog",
    params(("name" = String, Path, description = "Its name or an alias.")),
    responses((status = 200, description = "The preset.", body = Preset), Reading)
)]
async fn show_preset(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(name): PathId,
) -> Result<Json<Preset>, ApiError> {
    Ok(Json(engine.preset(&caller, &name)?))
}

operation!(
    show_preset,
    Callers::Policy(&[Operation::ReadProviders]),
    Preset {
        name: "gitea".to_owned(),
        display_name: "Gitea".to_owned(),
        aliases: words(&["gitea-self-hosted"]),
        category: "dev-tools".to_owned(),
        version: "2026-11-29".to_owned(),
        logo: Some("gitea".to_owned()),
        grant_types: words(&["authorization_code", "refresh_token"]),
        guide: "Create an OAuth2 application in your settings under Applications.".to_owned(),
        warnings: Vec::new(),
        redirect_field: Some("Redirect URIs".to_owned()),
        client_type: ClientType::Either,
        confidence: Confidence::High,
        facts_from: "2026-11".to_owned(),
        unverified: Vec::new(),
        sources: words(&["Gitea documentation"]),
        serves: BTreeMap::new(),
        user_names: BTreeMap::new(),
        variables: vec![host()],
        settings: [
            ("authorization_endpoint", "https://{host}/login/oauth/authorize"),
            ("token_endpoint", "https://{host}/login/oauth/access_token"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect(),
    },
    host(),
);

fn host() -> PresetVariable {
    PresetVariable {
        name: "host".to_owned(),
        label: "Gitea host".to_owned(),
        example: "git.example.com".to_owned(),
        pattern: "[a-z0-9.-]+".to_owned(),
        values: Vec::new(),
        default: None,
        help: None,
    }
}

/// Show the provider that a preset would make
///
/// With its variables filled in, and the redirect URIs to register. Nothing is kept.
#[utoipa::path(
    post,
    path = "/v1/catalog/{name}/preview",
    tag = "catalog",
    params(("name" = String, Path, description = "The preset's name or an alias.")),
    request_body = PreviewPreset,
    responses((status = 200, description = "What it would be.", body = PresetPreview), Reading)
)]
async fn preview_preset(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(name): PathId,
    Body(wanted): Body<PreviewPreset>,
) -> Result<Json<PresetPreview>, ApiError> {
    let provider = engine.preview_preset(&caller, &name, wanted)?;
    Ok(Json(convert::preview(&provider)))
}

operation!(
    preview_preset,
    Callers::Policy(&[Operation::ReadProviders]),
    PreviewPreset {
        name: Some("github-work".to_owned()),
        variables: BTreeMap::new(),
    },
    PresetPreview {
        name: "github-work".to_owned(),
        redirect_uris: words(&["http://127.0.0.1/cb/github-work"]),
        settings: ProviderSettings {
            display_name: "GitHub".to_owned(),
            authorization_endpoint: Some("https://github.example/oauth/authorize".to_owned()),
            token_endpoint: Some("https://github.example/oauth/token".to_owned()),
            ..ProviderSettings::default()
        },
    }
);

/// Show what a newer preset changes at a provider
///
/// A conflict when the provider was made of no preset.
#[utoipa::path(
    get,
    path = "/v1/oauth-providers/{id}/preset",
    tag = "catalog",
    params(("id" = String, Path, description = "The provider's id or name.")),
    responses((status = 200, description = "The changes; none when there is no newer preset.", body = PresetUpdate), Reading)
)]
async fn show_preset_update(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    PathId(id): PathId,
) -> Result<Json<PresetUpdate>, ApiError> {
    Ok(Json(engine.preset_update(&caller, &id)?))
}

operation!(
    show_preset_update,
    Callers::Policy(&[Operation::ReadProviders]),
    PresetUpdate {
        name: "gitea".to_owned(),
        from: "2026-11-29".to_owned(),
        to: "2027-02-01".to_owned(),
        changes: vec![change()],
        variables: Vec::new(),
    },
    change(),
);

fn change() -> PresetChange {
    PresetChange {
        setting: "token_endpoint".to_owned(),
        from: "https://git.example.com/login/oauth/access_token".into(),
        to: "https://git.example.com/login/oauth/token".into(),
        is_own: false,
        moves_host: false,
    }
}

/// Follow a newer preset
///
/// Accepts changes that were shown, or keeps settings as they are. An endpoint that moves to another host is accepted on
/// its own, and the user is asked about it as about any such change.
#[utoipa::path(
    post,
    path = "/v1/oauth-providers/{id}/preset",
    tag = "catalog",
    params(("id" = String, Path, description = "The provider's id or name.")),
    request_body = ApplyPreset,
    responses((status = 200, description = "After the change.", body = OAuthProvider), Guarded)
)]
async fn apply_preset(
    requester: Requester,
    State(engine): State<Engine>,
    PathId(id): PathId,
    Body(answer): Body<ApplyPreset>,
) -> Result<Json<OAuthProvider>, ApiError> {
    let caller = requester.unlocked(&engine).await?;
    let provider = engine.apply_preset(&caller, &id, answer).await?;
    Ok(Json(convert::provider(&provider)))
}

operation!(
    apply_preset,
    Callers::Policy(&[Operation::WriteProviders]),
    ApplyPreset {
        version: "2027-02-01".to_owned(),
        accept: words(&["token_endpoint"]),
        keep: words(&["default_scopes"]),
        variables: BTreeMap::new(),
    }
);
