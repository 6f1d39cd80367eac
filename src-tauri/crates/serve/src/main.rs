//! `tokenry-serve`: the engine with no window. `tokenry serve` becomes it, and commands that find no engine start it
//! in the background.
//!
//! What must never be true of this program: that it asks a person anything, that it removes a socket or takes a
//! profile that another engine holds, or that its memory can be read by another program of the same user or ends up
//! in a core dump.

mod arguments;
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

/// Wipes whatever is given back: a secret passes through buffers of libraries, too.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// How long a thread for the disk or for key derivation waits for more work. Its stack goes with it.
const THREAD_PATIENCE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    harden::this_process();
    log::start();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // With standard error closed there is nobody left to tell.
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
        Command::Serve(arguments) => serve_until_told(arguments),
    }
}

/// One thread: it answers 64 callers at a time without effort, and costs a quarter of the memory of one for each
/// core. Disk and key derivation have threads of their own, which end when they are idle.
fn serve_until_told(arguments: Arguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .on_thread_park(residue::wipe_while_shut)
        .on_thread_stop(residue::wipe_while_shut)
        .thread_keep_alive(THREAD_PATIENCE)
        .build()
        .map_err(|error| Failure::internal(format!("no runtime can be made: {error}")))?;
    let ended = runtime.block_on(serve::serve(arguments));
    // A keyring that does not answer must not keep the process alive.
    runtime.shutdown_background();
    ended
}
