//! What runs inside the session: one call of the vault, its outcome in one line on standard output.

use std::{env, fs, path::Path, process::ExitCode, thread, time::Duration};
use tokenry_core::OsRandom;
use tokenry_vault::{
    Created, Error, Keyring, OsKeyring, VaultId, create_with_keyring, raise_epoch_floor, unlock_with_keyring,
};

/// The environment variable that names the step.
pub(crate) const STEP: &str = "TOKENRY_VAULT_TEST_STEP";
/// How long the keyring may take, in milliseconds.
pub(crate) const TIMEOUT: &str = "TOKENRY_VAULT_TEST_TIMEOUT";

pub(crate) fn run(step: &str) -> ExitCode {
    let words: Vec<&str> = step.split(' ').collect();
    let timeout = env::var(TIMEOUT).map_or(20_000, |millis| millis.parse().unwrap());
    let keyring = OsKeyring::new(Duration::from_millis(timeout));
    let outcome = match words[..] {
        ["create", file] => create(&keyring, file),
        ["unlock", file] => unlock(&keyring, file),
        ["create-and-stay", file] => {
            let outcome = create(&keyring, file);
            thread::sleep(Duration::from_millis(timeout * 2));
            outcome
        }
        ["unlock-twice", file] => format!("{}, then {}", unlock(&keyring, file), {
            thread::sleep(Duration::from_millis(timeout));
            unlock(&keyring, file)
        }),
        ["raise", file, epoch] => told(raise_epoch_floor(load(file).0, &keyring, epoch.parse().unwrap())),
        ["copy", from, to] => copy(&keyring, load(from).0, load(to).0),
        ["idle", file] => idle(&keyring, file),
        _ => panic!("no such step: {step}"),
    };
    println!("{outcome}");
    ExitCode::SUCCESS
}

fn told<T>(result: Result<T, Error>) -> String {
    result.map_or_else(|error| format!("{error:?}"), |_| "done".to_owned())
}

fn create(keyring: &OsKeyring, file: &str) -> String {
    let created = create_with_keyring(keyring, &OsRandom);
    if let Ok(Created { vault, slot }) = &created {
        fs::write(file, [&vault.id().0[..], slot].concat()).unwrap();
    }
    told(created)
}

fn unlock(keyring: &OsKeyring, file: &str) -> String {
    let (id, slot) = load(file);
    match unlock_with_keyring(id, &[slot], keyring) {
        Ok((_, floor)) => format!("open, floor {}", floor.0),
        Err(error) => format!("{error:?}"),
    }
}

fn copy(keyring: &OsKeyring, from: VaultId, to: VaultId) -> String {
    let item = keyring.read(from).unwrap().unwrap();
    keyring.write(to, &item).unwrap();
    "done".to_owned()
}

/// The threads that woke up in two seconds after a keyring call, and how many times; this one slept.
fn idle(keyring: &OsKeyring, file: &str) -> String {
    unlock(keyring, file);
    // Threads of the call's machinery may end by themselves first.
    thread::sleep(Duration::from_secs(2));
    let before = wakes();
    thread::sleep(Duration::from_secs(2));
    let mut awake = Vec::new();
    for (thread, name, count) in wakes() {
        let old = before
            .iter()
            .find(|(other, ..)| *other == thread)
            .map_or(0, |(.., count)| *count);
        if count > old && thread != std::process::id().to_string() {
            awake.push(format!("{name} {} times", count - old));
        }
    }
    format!("awake: {awake:?}")
}

/// Of every thread of this process its id, its name, and how many times it has woken up from sleep.
fn wakes() -> Vec<(String, String, u64)> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let wakes = tasks.map(|task| {
        let task = task.unwrap();
        let status = fs::read_to_string(task.path().join("status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().last().unwrap().to_owned()
        };
        let name = task.file_name().to_string_lossy().into_owned();
        (
            name,
            field("Name:"),
            field("voluntary_ctxt_switches:").parse().unwrap(),
        )
    });
    wakes.collect()
}

/// The vault's id and slot, as an engine would have stored them.
pub(crate) fn load(file: impl AsRef<Path>) -> (VaultId, Vec<u8>) {
    let bytes = fs::read(file).unwrap();
    let (id, slot) = bytes.split_first_chunk::<16>().unwrap();
    (VaultId(*id), slot.to_vec())
}
