//! What the window is measured against: a Tauri window with the settings of ours and nothing in it but a word.
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot be set up cannot go on"
)]

use tauri::{WebviewUrl, WebviewWindowBuilder, webview::NewWindowResponse};

fn main() {
    // As in `webview.rs`.
    #[cfg(target_os = "linux")]
    glib::setenv("WEBKIT_DISABLE_COMPOSITING_MODE", "1", false).unwrap();
    tauri::Builder::default()
        .setup(|app| {
            // As in `windows.rs`.
            WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
                .title("Tokenry")
                .inner_size(1000.0, 700.0)
                .min_inner_size(480.0, 500.0)
                .data_directory("/proc".into())
                .devtools(false)
                .on_navigation(|url| url.scheme() == "tauri")
                .on_new_window(|_, _| NewWindowResponse::Deny)
                .build()?;
            Ok(())
        })
        .run(tauri::generate_context!("examples/empty_window/tauri.conf.json"))
        .unwrap();
}
