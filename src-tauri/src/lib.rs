//! The desktop shell: a window, a tray icon and a deep link around the engine, which lives in the same process.
//!
//! What must never be true of it: that it decides anything about tokens; that a token or a deep link reaches the
//! webview; that a second engine runs beside this one.

mod arguments;
mod clipboard;
mod commands;
mod consent;
mod deep_link;
mod display;
mod first;
mod harden;
mod host;
mod locked;
mod notices;
mod socket;
mod state;
mod tray;
mod web;
mod windows;

use arguments::Arguments;
use state::Shell;
use std::process::ExitCode;
use tauri::RunEvent;

/// Runs the app until the person quits it.
pub fn run() -> ExitCode {
    let arguments = match arguments::read(std::env::args_os().skip(1)) {
        Ok(Arguments::Start { link, hidden }) => (link, hidden),
        Ok(Arguments::Say(text)) => {
            say(&text);
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            complain(&wrong);
            return ExitCode::from(2);
        }
    };
    if let Some(code) = arguments::without_automation() {
        return code;
    }
    web::draw_simply();
    harden::no_core_dumps();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("TOKENRY_LOG")
                .unwrap_or_else(|_| "warn,tokenry_api=info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let (link, hidden) = arguments;
    match first::become_the_engine(link.as_deref()) {
        Ok(first::Role::Engine(profile)) => {
            harden::no_look_into_memory();
            let runtime = match harden::runtime() {
                Ok(runtime) => runtime,
                Err(error) => {
                    complain(&format!("the engine could not be started ({error})"));
                    return ExitCode::FAILURE;
                }
            };
            tauri::async_runtime::set(runtime.handle().clone());
            let code = start(Shell::new(profile, link, hidden));
            // A keyring that does not answer must not keep the process alive.
            runtime.shutdown_background();
            code
        }
        Ok(first::Role::Told) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn start(shell: Shell) -> ExitCode {
    let built = tauri::Builder::default()
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_clipboard_manager::init())
        .manage(shell)
        .manage(clipboard::Clipboard::default())
        .manage(consent::Consent::default())
        .manage(windows::Main::default())
        .manage(notices::Notices::default())
        .invoke_handler(tauri::generate_handler![
            commands::request,
            commands::subscribe,
            commands::copy_token,
            commands::copy_credential,
            commands::create_app,
            commands::copy_link,
            commands::close_window,
            consent::commands::consent_request,
            consent::commands::consent_subscribe
        ])
        .on_window_event(windows::on_event)
        .setup(|app| {
            let handle = app.handle().clone();
            state::start_engine(&handle);
            // First what takes longest.
            windows::show_at_start(&handle);
            tray::show(&handle);
            Ok(())
        })
        .build(tauri::generate_context!());
    let app = match built {
        Ok(app) => app,
        Err(error) => {
            complain(&format!("the window could not be started ({error})"));
            return ExitCode::FAILURE;
        }
    };
    let code = app.run_return(|app, event| match event {
        // The last window was closed: the engine goes on in the tray, where there is one to come back from. A question
        // that was answered closes its window, too, and ends nothing.
        RunEvent::ExitRequested { code: None, api, .. }
            if tray::is_there(app) || !windows::was_closed(app) =>
        {
            api.prevent_exit();
        }
        RunEvent::Exit => {
            clipboard::take_away(app);
            state::shut_down(app);
        }
        _ => {}
    });
    if code == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the answer to a question asked on the command line"
)]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "there is no window yet that could say it")]
fn complain(text: &str) {
    eprintln!("error: {text}");
}
