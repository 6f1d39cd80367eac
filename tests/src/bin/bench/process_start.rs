//! `tokenry token` as a whole process.

use crate::report::Row;
use crate::sample::Sample;
use crate::stage::{MACHINE, Stage, connect_machines, label};
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

const RUNS: usize = 600;

/// `tokenry token` as a whole process, beside the smallest program that talks to a socket at all.
pub(crate) fn measure() -> Vec<Row> {
    let stage = Stage::build();
    connect_machines(stage.open(), 1..11);
    let socket = stage.profile.scratch().join("answers.sock");
    answer_everybody(&socket);
    let name = format!("{MACHINE}/{}", label(5));
    let mut tokenry = stage.profile.command("tokenry", &["token", &name]);
    let mut smallest = stage
        .profile
        .command("smallest_client", &[&socket.to_string_lossy()]);
    tokenry.stdin(Stdio::null());
    smallest.stdin(Stdio::null());
    let (mut ours, mut other) = (Sample::default(), Sample::default());
    for run in 0..RUNS + 20 {
        // The first ones only bring both programs into memory.
        if run == 20 {
            (ours, other) = (Sample::default(), Sample::default());
        }
        ours.time(|| succeed(&mut tokenry));
        other.time(|| succeed(&mut smallest));
    }
    vec![Row::ratio(
        "`tokenry token`, token at hand, the whole process",
        &ours,
        ("smallest static client", &other),
        1.2,
    )]
}

/// Runs a program to its end.
pub(crate) fn succeed(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status();
    assert!(status.unwrap().success());
}

/// Reads 64 bytes and sends 1 KiB, again and again until this program ends.
fn answer_everybody(socket: &Path) {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            if stream.read_exact(&mut [0; 64]).is_ok() {
                let _ = stream.write_all(&[b'y'; 1024]);
            }
        }
    });
}
