//! How long the OS keyring takes to say what it keeps for us: the part of an engine's start that is not the
//! engine's. Leaves an item that opens nothing, and is for a keyring that is thrown away afterwards.
//!
//! Called with a number; reads that often and prints how many nanoseconds each time took.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot be set up cannot go on"
)]

use std::time::{Duration, Instant};
use tokenry_vault::{Keyring, OsKeyring, VaultId};

fn main() {
    let times: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let keyring = OsKeyring::new(Duration::from_secs(10));
    let id = VaultId([0xbe; 16]);
    keyring.write(id, &[0; 200]).unwrap();
    for _ in 0..times {
        let began = Instant::now();
        assert!(keyring.read(id).unwrap().is_some());
        println!("{}", began.elapsed().as_nanos());
    }
}
