//! The engine looks after its socket: one that was removed is bound again, and the lock file names the one that is
//! served.

use crate::{socket::Line, support::House};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokenry_api::doors::{SocketDoor, serve_socket};
use tokenry_contract::profile::holder;
use tokenry_testkit::http::Request;

/// A session's folder beside the profile, and the socket in it.
fn session(house: &House) -> (PathBuf, PathBuf) {
    let session = house.folder.path().join("session");
    let socket = session.join("io.github.tokenry/engine.sock");
    (session, socket)
}

async fn serve(house: &House, path: &Path) -> SocketDoor {
    serve_socket(house.engine.clone(), path).await.unwrap()
}

/// The socket that the lock file names, once it is this one and answers.
async fn answers_at(house: &House, path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let told = holder(house.engine.folder()).expect("the lock file says who the engine is");
        assert_eq!(told.pid, std::process::id());
        if told.socket.as_deref() == Some(path) && path.exists() {
            break;
        }
        assert!(Instant::now() < deadline, "the lock file says {told:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(Line::open(path).await.ask("GET", "/v1/status", "").await.0, 200);
}

fn spare(house: &House) -> PathBuf {
    house.engine.folder().join("engine.sock")
}

#[tokio::test]
async fn a_socket_that_was_removed_is_bound_again_each_time() {
    let house = House::new().await;
    let (_, path) = session(&house);
    let door = serve(&house, &path).await;
    answers_at(&house, &path).await;
    for _ in 0..3 {
        fs::remove_file(&path).unwrap();
        answers_at(&house, &path).await;
    }
    fs::rename(&path, path.with_file_name("moved")).unwrap();
    answers_at(&house, &path).await;
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    answers_at(&house, &path).await;
    door.close().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn the_socket_moves_into_the_profile_when_a_session_ends_and_back_at_the_next_one() {
    let house = House::new().await;
    let (session, path) = session(&house);
    let door = serve(&house, &path).await;
    fs::remove_dir_all(&session).unwrap();
    answers_at(&house, &spare(&house)).await;
    assert!(
        !session.exists(),
        "the session's folder is not for the engine to make"
    );
    // As at a login: the folder appears, and is the user's a moment later.
    fs::create_dir(&session).unwrap();
    answers_at(&house, &path).await;
    assert!(!spare(&house).exists());
    fs::rename(&session, session.with_file_name("away")).unwrap();
    answers_at(&house, &spare(&house)).await;
    door.close().await;
    assert!(!spare(&house).exists());
}

#[tokio::test]
async fn where_no_folder_can_be_made_the_socket_is_in_the_profile() {
    let house = House::new().await;
    let (session, path) = session(&house);
    fs::write(&session, "a file where the session's folder would be").unwrap();
    let door = serve(&house, &path).await;
    assert_eq!(door.path(), spare(&house));
    answers_at(&house, &spare(&house)).await;
}

#[tokio::test]
async fn a_socket_that_was_closed_does_not_come_back() {
    let house = House::new().await;
    let (_, path) = session(&house);
    let door = serve(&house, &path).await;
    fs::remove_file(&path).unwrap();
    door.close().await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!path.exists() && !spare(&house).exists());
    let dropped = serve(&house, &path).await;
    fs::remove_file(&path).unwrap();
    drop(dropped);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!path.exists() && !spare(&house).exists());
}

#[tokio::test]
async fn a_profile_that_was_removed_is_not_made_again_by_its_engine() {
    let house = House::new().await;
    let path = spare(&house);
    let _door = serve(&house, &path).await;
    fs::remove_dir_all(house.engine.folder()).unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(!house.engine.folder().exists());
}

#[tokio::test]
async fn an_answer_under_way_is_not_cut_when_the_socket_is_bound_again() {
    let house = House::new().await;
    let (_, path) = session(&house);
    let _door = serve(&house, &path).await;
    let mut line = Line::open(&path).await;
    let stream = line.0.head_of(&Request::new("GET", "/v1/events/stream")).await;
    assert_eq!(stream.unwrap().status, 200);
    fs::remove_file(&path).unwrap();
    answers_at(&house, &path).await;
    house.engine.lock(&tokenry_core::Caller::Ui).await.unwrap();
    assert!(!line.0.bytes().await.unwrap().is_empty(), "the stream goes on");
}
