//! `tokenry-bridge`: local proxies that add tokens to requests. `tokenry proxy` and others become this program.
//!
//! What must never be true of this program: that it holds a refresh token, that it keeps an access token anywhere but in
//! memory or longer than it is valid, that it sends one to an address that the engine does not name for its connection, or
//! that a secret is in its arguments, its environment or its messages.

mod arguments;
mod engine;
mod failure;
mod hidden;
mod json_rpc;
mod mcp;
mod mcp_server;
mod proxy;
mod redaction;
mod socket;
mod start;
mod sts;
mod token;
mod upstream;

use arguments::Command;
use failure::Failure;
use std::alloc::System;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;
use zeroizing_alloc::ZeroAlloc;

/// Wipes memory when it is freed: tokens also pass through buffers of libraries.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// An idle thread for name resolution ends after this time, and frees its stack.
const THREAD_KEEP_ALIVE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    no_core_dumps();
    hidden::this_process();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&failure.to_string());
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
        Command::AssumeRole => until_done(sts::assume_role()),
        Command::McpServer(arguments) => until_done(mcp_server::run(arguments)),
        Command::Mcp(arguments) => until_done(mcp::run(*arguments)),
        Command::Proxy(arguments) => until_done(proxy::run(arguments)),
    }
}

/// Uses one thread: its work is to pass bytes on.
fn until_done(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .thread_keep_alive(THREAD_KEEP_ALIVE)
        .build()
        .map_err(|error| Failure::internal(format!("Cannot create the async runtime: {error}.")))?;
    let done = runtime.block_on(work);
    // A name that is being resolved must not keep the process alive.
    runtime.shutdown_background();
    done
}

/// Writes a line to standard error, which may be closed.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A core file of this process could contain a token. A refusal by the system is ignored.
fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
}
