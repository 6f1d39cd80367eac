//! The commands of the view "Use it in…": they set up other programs, and take that back. No secret is involved.

use crate::{commands::envelope, windows::MAIN};
use serde::Deserialize;
use tauri::WebviewWindow;
use tokenry_contract::{ErrorCode, ErrorEnvelope};
use tokenry_setup::{ChangeView, Environment, Options, Plan, PlanView, SetupError, ToolState};

/// What the user wants to change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetupRequest {
    tool: String,
    /// Take back what was set up for this target, instead of setting up.
    undo: Option<String>,
    #[serde(default)]
    options: Options,
}

impl SetupRequest {
    fn plan(&self, environment: &Environment) -> Result<Plan, SetupError> {
        match &self.undo {
            Some(target) => tokenry_setup::plan_undo(environment, &self.tool, Some(target)),
            None => tokenry_setup::plan(environment, &self.tool, &self.options),
        }
    }
}

/// The tools on this machine, and what is set up.
#[tauri::command]
pub(crate) async fn setup_list(window: WebviewWindow) -> Result<Vec<ToolState>, ErrorEnvelope> {
    of_main(&window)?;
    run(|| tokenry_setup::list(&Environment::of_process()?)).await
}

/// The change that the user is asked about. Nothing is written.
#[tauri::command]
pub(crate) async fn setup_plan(
    window: WebviewWindow,
    request: SetupRequest,
) -> Result<PlanView, ErrorEnvelope> {
    of_main(&window)?;
    run(move || Ok(request.plan(&Environment::of_process()?)?.view())).await
}

/// Writes the change, if it is still the one that was shown.
#[tauri::command]
pub(crate) async fn setup_write(
    window: WebviewWindow,
    request: SetupRequest,
    shown: Vec<ChangeView>,
) -> Result<(), ErrorEnvelope> {
    of_main(&window)?;
    run(move || {
        let environment = Environment::of_process()?;
        let plan = request.plan(&environment)?;
        plan.must_be(&shown)?;
        tokenry_setup::write(&environment, plan)
    })
    .await
}

/// The capability says the same. A mistake there must not let another window write files.
fn of_main(window: &WebviewWindow) -> Result<(), ErrorEnvelope> {
    if window.label() == MAIN {
        return Ok(());
    }
    Err(envelope(
        ErrorCode::PermissionDenied,
        "only the main window sets up tools".to_owned(),
    ))
}

/// Programs are started and files are read, which takes a while.
async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SetupError> + Send + 'static,
) -> Result<T, ErrorEnvelope> {
    let done = tauri::async_runtime::spawn_blocking(work).await;
    let failed = |error: SetupError| envelope(error.code(), format!("{error}. {}", error.next_step()));
    done.map_err(|error| envelope(ErrorCode::Internal, error.to_string()))?
        .map_err(failed)
}
