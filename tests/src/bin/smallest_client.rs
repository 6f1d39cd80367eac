//! What `tokenry token` is measured against: the smallest program that sends 64 bytes to a Unix socket and reads
//! 1 KiB. Linked statically, as `tokenry` is.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(socket) = std::env::args_os().nth(1) else {
        return ExitCode::FAILURE;
    };
    match talk(socket.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn talk(socket: &std::path::Path) -> std::io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(&[b'x'; 64])?;
    stream.read_exact(&mut [0; 1024])
}
