//! A removed socket is bound again, and the lock file names the socket in use.

use crate::{socket::Line, support::Fixture};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokenry_api::servers::{SocketServer, serve_socket};
use tokenry_contract::profile::holder;
use tokenry_testkit::http::Request;

/// A session's folder beside the profile, and the socket in it.
fn session(fixture: &Fixture) -> (PathBuf, PathBuf) {
    let session = fixture.folder.path().join("session");
    let socket = session.join("io.github.tokenry/engine.sock");
    (session, socket)
}

async fn serve(fixture: &Fixture, path: &Path) -> SocketServer {
    serve_socket(fixture.engine.clone(), path).await.unwrap()
}

/// The socket that the lock file names, once it is this one and answers.
async fn answers_at(fixture: &Fixture, path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let told = holder(fixture.engine.folder()).expect("the lock file says who the engine is");
        assert_eq!(told.pid, std::process::id());
        if told.socket.as_deref() == Some(path) && path.exists() {
            break;
        }
        assert!(Instant::now() < deadline, "the lock file says {told:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(Line::open(path).await.ask("GET", "/v1/status", "").await.0, 200);
}

fn spare(fixture: &Fixture) -> PathBuf {
    fixture.engine.folder().join("engine.sock")
}

#[tokio::test]
async fn a_socket_that_was_removed_is_bound_again_each_time() {
    let fixture = Fixture::new().await;
    let (_, path) = session(&fixture);
    let server = serve(&fixture, &path).await;
    answers_at(&fixture, &path).await;
    for _ in 0..3 {
        fs::remove_file(&path).unwrap();
        answers_at(&fixture, &path).await;
    }
    fs::rename(&path, path.with_file_name("moved")).unwrap();
    answers_at(&fixture, &path).await;
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    answers_at(&fixture, &path).await;
    server.close().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn the_socket_moves_into_the_profile_when_a_session_ends_and_back_at_the_next_one() {
    let fixture = Fixture::new().await;
    let (session, path) = session(&fixture);
    let server = serve(&fixture, &path).await;
    fs::remove_dir_all(&session).unwrap();
    answers_at(&fixture, &spare(&fixture)).await;
    assert!(
        !session.exists(),
        "the session's folder is not for the engine to make"
    );
    // As at a login: the folder appears, and is the user's a moment later.
    fs::create_dir(&session).unwrap();
    answers_at(&fixture, &path).await;
    assert!(!spare(&fixture).exists());
    fs::rename(&session, session.with_file_name("away")).unwrap();
    answers_at(&fixture, &spare(&fixture)).await;
    server.close().await;
    assert!(!spare(&fixture).exists());
}

#[tokio::test]
async fn without_a_session_folder_the_socket_is_in_the_profile() {
    let fixture = Fixture::new().await;
    let (session, path) = session(&fixture);
    fs::write(&session, "a file where the session's folder would be").unwrap();
    let server = serve(&fixture, &path).await;
    assert_eq!(server.path(), spare(&fixture));
    answers_at(&fixture, &spare(&fixture)).await;
}

#[tokio::test]
async fn a_closed_socket_is_not_bound_again() {
    let fixture = Fixture::new().await;
    let (_, path) = session(&fixture);
    let server = serve(&fixture, &path).await;
    fs::remove_file(&path).unwrap();
    server.close().await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!path.exists() && !spare(&fixture).exists());
    let dropped = serve(&fixture, &path).await;
    fs::remove_file(&path).unwrap();
    drop(dropped);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!path.exists() && !spare(&fixture).exists());
}

#[tokio::test]
async fn a_removed_profile_is_not_created_again_by_its_engine() {
    let fixture = Fixture::new().await;
    let path = spare(&fixture);
    let _server = serve(&fixture, &path).await;
    fs::remove_dir_all(fixture.engine.folder()).unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(!fixture.engine.folder().exists());
}

#[tokio::test]
async fn a_response_under_way_is_finished_when_the_socket_is_bound_again() {
    let fixture = Fixture::new().await;
    let (_, path) = session(&fixture);
    let _server = serve(&fixture, &path).await;
    let mut line = Line::open(&path).await;
    let stream = line.0.head_of(&Request::new("GET", "/v1/events/stream")).await;
    assert_eq!(stream.unwrap().status, 200);
    fs::remove_file(&path).unwrap();
    answers_at(&fixture, &path).await;
    fixture.engine.lock(&tokenry_core::Caller::Ui).await.unwrap();
    assert!(!line.0.bytes().await.unwrap().is_empty(), "the stream goes on");
}
