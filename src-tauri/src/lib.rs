//! The desktop shell: windows, a tray icon and deep links for the engine, which runs in the same process.
//!
//! What must never be true of it: that it decides anything about tokens; that a token or a deep link reaches the
//! webview; that a second engine runs beside this one.

mod arguments;
mod clipboard;
mod commands;
mod consent;
mod deep_link;
mod display;
mod export;
mod file_dialog;
mod harden;
mod host;
mod locked;
mod notices;
mod setup;
mod single_instance;
mod socket;
mod state;
mod tray;
mod webview;
mod windows;

use arguments::Arguments;
use state::Shell;
use std::process::ExitCode;
use tauri::RunEvent;

/// Runs the app until the user quits it.
pub fn run() -> ExitCode {
    let arguments = match arguments::read(std::env::args_os().skip(1)) {
        Ok(Arguments::Start { link, hidden }) => (link, hidden),
        Ok(Arguments::Print(text)) => {
            print(&text);
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            print_error(&wrong);
            return ExitCode::from(2);
        }
    };
    if let Some(code) = arguments::without_automation() {
        return code;
    }
    webview::disable_compositing();
    harden::no_core_dumps();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("TOKENRY_LOG")
                .unwrap_or_else(|_| "warn,tokenry_api=info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let (link, hidden) = arguments;
    match single_instance::decide_role(link.as_deref()) {
        Ok(single_instance::Role::Engine(profile)) => {
            harden::deny_memory_access();
            let runtime = match harden::runtime() {
                Ok(runtime) => runtime,
                Err(error) => {
                    print_error(&format!("could not start the engine ({error})"));
                    return ExitCode::FAILURE;
                }
            };
            tauri::async_runtime::set(runtime.handle().clone());
            let code = start(Shell::new(profile, link, hidden));
            // A keyring that does not respond must not keep the process running.
            runtime.shutdown_background();
            code
        }
        Ok(single_instance::Role::Second) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn start(shell: Shell) -> ExitCode {
    let built = tauri::Builder::default()
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_clipboard_manager::init())
        .plugin(tauri_plugin_dialog::init())
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
            commands::open_registration,
            commands::close_window,
            file_dialog::choose_path,
            export::export_log,
            setup::setup_list,
            setup::setup_plan,
            setup::setup_write,
            consent::commands::consent_request,
            consent::commands::consent_subscribe
        ])
        .on_window_event(windows::on_event)
        .setup(|app| {
            let handle = app.handle().clone();
            state::start_engine(&handle);
            // The window takes longest, so it starts first.
            windows::show_at_start(&handle);
            tray::show(&handle);
            Ok(())
        })
        .build(tauri::generate_context!());
    let app = match built {
        Ok(app) => app,
        Err(error) => {
            print_error(&format!("could not start the window ({error})"));
            return ExitCode::FAILURE;
        }
    };
    let code = app.run_return(|app, event| match event {
        // The last window was closed. The engine keeps running if a tray icon can open the window again. The consent window
        // closes after an answer, too, and that does not end the app.
        RunEvent::ExitRequested { code: None, api, .. }
            if tray::is_there(app) || !windows::was_closed(app) =>
        {
            api.prevent_exit();
        }
        RunEvent::Exit => {
            clipboard::clear(app);
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

#[expect(clippy::print_stdout, reason = "the output that the command line asked for")]
fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "no window is open that could show it")]
fn print_error(text: &str) {
    eprintln!("error: {text}");
}
