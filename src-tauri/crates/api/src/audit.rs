//! Operations on the audit, on the check of the activity log, and on cutting off.

use crate::{
    error::ApiError,
    extract::{AuthenticatedCaller, Body, Query},
    openapi::{
        Guarded, Listing, Searching,
        examples::{APP, CONNECTION, GRANT, PROVIDER, at, words},
    },
    operations::{Callers, Operations, operation, routes},
};
use axum::{Json, extract::State};
use tokenry_contract::{
    Audit, AuditEntry, AuditQuery, AuditRule, CallerKind, LogCheck, RevokeAnswer, RevokeRequest, Revoked,
    RevokedConnection, Rule,
};
use tokenry_core::Operation;
use tokenry_engine::{AuditFilter, CutOff, Engine};

pub(crate) fn routes<O: Operations>(list: O) -> O {
    list.routes(routes!(audit))
        .routes(routes!(verify_events))
        .routes(routes!(revoke))
}

/// Count who got what
///
/// The requests for tokens and for the values of credentials, counted from the activity log for each program or app and
/// for each connection or credential. A line of repeated refusals that began before `since` and went on after it is
/// counted in full.
#[utoipa::path(
    get,
    path = "/v1/audit",
    tag = "events",
    params(AuditQuery),
    responses((status = 200, description = "The newest request first.", body = Audit), Searching)
)]
async fn audit(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Audit>, ApiError> {
    let filter = AuditFilter {
        program: query.program,
        app: query.app,
        connection: query.connection,
        credential: query.credential,
        since: query.since,
    };
    Ok(Json(engine.audit(&caller, &filter).await?))
}

operation!(
    audit,
    Callers::Policy(&[Operation::ReadActivity]),
    Audit {
        entries: vec![example_entry()],
        from: Some(at("2027-01-01T00:00:00Z")),
        left_out: 0,
        damaged_lines: 0,
    }
);

/// Check the activity log
///
/// Reads every line and compares the numbers and the hash chain with the manifest. A log that is not whole is no error:
/// the response says what is wrong.
#[utoipa::path(
    get,
    path = "/v1/events/verify",
    tag = "events",
    responses((status = 200, description = "Whether it is whole.", body = LogCheck), Listing)
)]
async fn verify_events(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
) -> Result<Json<LogCheck>, ApiError> {
    Ok(Json(engine.check_events(&caller).await?))
}

operation!(
    verify_events,
    Callers::Policy(&[Operation::ReadActivity]),
    LogCheck {
        whole: true,
        lines: 1_204,
        first_line: 1,
        last_line: 1_204,
        first_at: Some(at("2027-01-01T00:00:00Z")),
        last_at: Some(at("2027-01-15T08:03:00Z")),
        problems: Vec::new(),
        more_problems: 0,
    }
);

/// Cut off an app, a connection, or everything
///
/// Ends grants, permissions for a session, open permission requests and sign-ins, and tokens that Tokenry issued to apps.
/// Removes the tokens of connections and asks their providers to revoke them; those connections need a new sign-in. The
/// response says what a provider did not revoke, and what may still be valid.
#[utoipa::path(
    post,
    path = "/v1/revoke",
    tag = "apps",
    request_body = RevokeRequest,
    responses((status = 200, description = "What was ended, and what was not.", body = RevokeAnswer), Guarded)
)]
async fn revoke(
    AuthenticatedCaller(caller): AuthenticatedCaller,
    State(engine): State<Engine>,
    Body(body): Body<RevokeRequest>,
) -> Result<Json<RevokeAnswer>, ApiError> {
    let what = match body {
        RevokeRequest {
            app: Some(app),
            connection: None,
            all: false,
        } => CutOff::App(app),
        RevokeRequest {
            app: None,
            connection: Some(connection),
            all: false,
        } => CutOff::Connection(connection),
        RevokeRequest {
            app: None,
            connection: None,
            all: true,
        } => CutOff::All,
        _ => {
            return Err(ApiError::field(
                "app",
                "or connection or all must be given, and only one of them",
            ));
        }
    };
    Ok(Json(engine.cut_off(&caller, what).await?))
}

operation!(
    revoke,
    Callers::Policy(&[Operation::CutOff]),
    RevokeRequest {
        app: None,
        connection: Some("github".to_owned()),
        all: false,
    },
    RevokeAnswer {
        grants: 1,
        app_tokens: 0,
        sessions: 1,
        prompts: 0,
        sign_ins: 0,
        connections: vec![RevokedConnection {
            id: CONNECTION,
            name: "github".to_owned(),
            revoked: Some(Revoked::Yes),
            detail: None,
            tokens_expire_at: Some(at("2027-01-15T09:00:00Z")),
        }],
        still_valid: Vec::new(),
    }
);

fn example_entry() -> AuditEntry {
    AuditEntry {
        caller: CallerKind::App,
        program: Some("/usr/bin/backup".to_owned()),
        app_id: Some(APP),
        app: Some("backup".to_owned()),
        provider_id: Some(PROVIDER),
        connection_id: Some(CONNECTION),
        connection: Some("github".to_owned()),
        credential_id: None,
        credential: None,
        handed_out: 12,
        refused: 0,
        failed: 0,
        first: at("2027-01-14T08:03:00Z"),
        last: at("2027-01-15T08:03:00Z"),
        scopes: words(&["read", "write"]),
        rules: vec![AuditRule {
            rule: Rule::Grant,
            grant_id: Some(GRANT),
            count: 12,
        }],
        valid_until: Some(at("2027-01-15T09:00:00Z")),
        unknown_end: 0,
    }
}
