//! `tokenry-serve`: the engine without a window. `tokenry serve` runs it, and commands that find no engine start it in
//! the background.
//!
//! What must never be true of this program: that it prompts, that it removes a socket or uses a profile that another
//! engine holds, or that another program of the same user can read its memory, also in a core dump.

mod arguments;
mod deep_links;
mod failure;
mod harden;
mod log;
mod passphrase;
mod serve;

use arguments::{Arguments, Command};
use failure::Failure;
use std::{alloc::System, io::Write, process::ExitCode, time::Duration};
use tokenry_engine::residue;
use zeroizing_alloc::ZeroAlloc;

/// Wipes memory when it is freed: secrets also pass through buffers of libraries.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// An idle thread for the disk or for key derivation ends after this time, and frees its stack.
const THREAD_KEEP_ALIVE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    harden::this_process();
    log::start();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Standard error may be closed.
            let _ = writeln!(std::io::stderr(), "{failure}");
            failure.exit_code()
        }
    }
}

fn run() -> Result<(), Failure> {
    match arguments::parse(std::env::args_os().skip(1))? {
        Command::Print(text) => {
            let _ = write!(std::io::stdout(), "{text}");
            Ok(())
        }
        Command::Serve(arguments) => serve_until_stopped(arguments),
    }
}

/// Uses one thread: it serves 64 callers at a time, with a quarter of the memory of a thread for each core. Disk and
/// key derivation have their own threads, which end when they are idle.
fn serve_until_stopped(arguments: Arguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .on_thread_park(residue::wipe_while_shut)
        .on_thread_stop(residue::wipe_while_shut)
        .thread_keep_alive(THREAD_KEEP_ALIVE)
        .build()
        .map_err(|error| Failure::internal(format!("cannot create the async runtime: {error}")))?;
    let ended = runtime.block_on(serve::serve(arguments));
    // A keyring that does not answer must not keep the process alive.
    runtime.shutdown_background();
    ended
}
