//! Programs of the virtual environment that `cargo xtask setup` makes in `target/python`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Command;

/// One of them, in this environment and no other.
///
/// # Panics
/// When it is not there.
pub fn command(name: &str, env: &BTreeMap<String, OsString>) -> Command {
    let own = std::env::current_exe().unwrap();
    let places = own.ancestors().map(|folder| folder.join("python/bin").join(name));
    let Some(program) = places.into_iter().find(|path| path.exists()) else {
        panic!("there is no target/python with {name} in it: run `cargo xtask setup`");
    };
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(env)
        .env("PYTHONUTF8", "1")
        .env("NO_COLOR", "1");
    command
}
