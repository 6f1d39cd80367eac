//! What the engine is measured against: the least that can be done over a socket, in a process of its own.
//! `POST /constant/{bytes}` answers a constant of that size; `POST /token` reads one row by its integer key, opens it
//! and answers; `POST /two-commits` writes the row twice, each time until it is on the disk, and answers how long that
//! took.
//!
//! Called with a folder; makes `bare.db` and `bare.sock` in it, says `ready`, and ends with its standard input.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot be set up cannot go on"
)]

use axum::{
    Json, Router,
    extract::{Path as UrlPath, State},
    http::{HeaderName, header},
    routing::post,
};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce, aead::Aead};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::{
    io::Read,
    path::Path,
    sync::{Arc, Mutex},
    time::Instant,
};
use tokio::net::UnixListener;

/// As long as the plaintext of our own token records.
const RECORD: usize = 448;

struct Bare {
    database: Mutex<Connection>,
    cipher: XChaCha20Poly1305,
}

fn main() {
    let folder = std::env::args_os().nth(1).unwrap();
    let folder = Path::new(&folder);
    let bare = Arc::new(Bare::new(&folder.join("bare.db")));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    runtime.block_on(async {
        let listener = UnixListener::bind(folder.join("bare.sock")).unwrap();
        let router = Router::new()
            .route("/constant/{bytes}", post(constant))
            .route("/token", post(token))
            .route("/two-commits", post(two_commits))
            .with_state(bare);
        println!("ready");
        axum::serve(listener, router).await.unwrap();
    });
}

impl Bare {
    fn new(file: &Path) -> Self {
        let database = Connection::open(file).unwrap();
        database
            .query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
            .unwrap();
        database
            .execute_batch(
                "PRAGMA synchronous = FULL;
                 CREATE TABLE tokens (id INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;",
            )
            .unwrap();
        let cipher = XChaCha20Poly1305::new(&[7; 32].into());
        let nonce = XNonce::from([9; 24]);
        for id in 1..=10 {
            let mut sealed = nonce.to_vec();
            sealed.extend(cipher.encrypt(&nonce, &[b'a'; RECORD][..]).unwrap());
            database
                .execute("INSERT INTO tokens VALUES (?1, ?2)", (id, sealed))
                .unwrap();
        }
        Self {
            database: Mutex::new(database),
            cipher,
        }
    }

    fn sealed(&self) -> Vec<u8> {
        let database = self.database.lock().unwrap();
        let mut statement = database
            .prepare_cached("SELECT sealed FROM tokens WHERE id = ?1")
            .unwrap();
        statement.query_row([5], |row| row.get(0)).unwrap()
    }
}

async fn token(State(bare): State<Arc<Bare>>) -> Json<Value> {
    let sealed = bare.sealed();
    let (nonce, body) = sealed.split_first_chunk::<24>().unwrap();
    let plain = bare.cipher.decrypt(&XNonce::from(*nonce), body).unwrap();
    let text = str::from_utf8(&plain).unwrap();
    Json(
        json!({"access_token": text.get(..46), "token_type": "Bearer", "expires_at": "2030-01-01T00:00:00Z"}),
    )
}

async fn constant(UrlPath(bytes): UrlPath<usize>) -> ([(HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, "application/json")], "7".repeat(bytes))
}

async fn two_commits(State(bare): State<Arc<Bare>>) -> Json<Value> {
    let sealed = bare.sealed();
    let began = Instant::now();
    for _ in 0..2 {
        let database = bare.database.lock().unwrap();
        database
            .execute("UPDATE tokens SET sealed = ?1 WHERE id = 5", [&sealed])
            .unwrap();
    }
    Json(json!({"nanoseconds": u64::try_from(began.elapsed().as_nanos()).unwrap()}))
}
