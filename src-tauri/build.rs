fn main() {
    // Only these commands exist for a window, and only where a capability names them.
    let manifest = tauri_build::AppManifest::new().commands(&[
        "request",
        "subscribe",
        "copy_token",
        "copy_credential",
        "create_app",
        "copy_link",
        "open_registration",
        "close_window",
        "choose_path",
        "export_log",
        "setup_list",
        "setup_plan",
        "setup_write",
        "consent_request",
        "consent_subscribe",
    ]);
    let built = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest));
    if let Err(error) = built {
        println!("cargo:warning={error:#}");
        std::process::exit(1);
    }
}
