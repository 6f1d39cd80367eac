//! security.md, "Doors": a socket in a 0700 folder of ours, 0600 from birth; what is not ours or is alive stays.

use crate::support::House;
use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink},
        net::UnixListener,
    },
    path::PathBuf,
};
use tokenry_api::doors::{Error, SocketDoor, serve_socket};
use tokenry_core::Code;

async fn serve(house: &House, path: &std::path::Path) -> Result<SocketDoor, Error> {
    serve_socket(house.engine.clone(), path).await
}

/// A folder of mode 0700 beside the profile.
fn folder(house: &House, name: &str) -> PathBuf {
    let path = house.folder.path().join(name);
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[tokio::test]
async fn the_socket_and_its_folder_are_for_their_owner_alone() {
    let house = House::new().await;
    let path = house.folder.path().join("run/deeper/engine.sock");
    let door = serve(&house, &path).await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert!(fs::metadata(&path).unwrap().file_type().is_socket());
    assert_eq!(mode(&path), 0o600);
    assert_eq!(
        (
            mode(path.parent().unwrap()),
            mode(&house.folder.path().join("run"))
        ),
        (0o700, 0o700)
    );
    door.close().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn what_is_not_a_socket_of_ours_is_left_alone() {
    let house = House::new().await;
    let run = folder(&house, "run");
    let path = run.join("engine.sock");
    fs::write(&path, "somebody's file").unwrap();
    let error = serve(&house, &path).await.err().unwrap();
    assert!(
        matches!(error, Error::NotOurs { .. }) && error.code() == Code::Conflict,
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's file");

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(serve(&house, &path).await, Err(Error::NotOurs { .. })));
    fs::remove_dir(&path).unwrap();

    // A link to a dead socket, which would be replaced if it were no link.
    let target = run.join("elsewhere.sock");
    drop(UnixListener::bind(&target).unwrap());
    symlink(&target, &path).unwrap();
    let error = serve(&house, &path).await.err().unwrap();
    assert!(error.to_string().contains("symbolic link"), "{error}");
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink() && target.exists());
    fs::remove_file(&path).unwrap();
    symlink(run.join("nowhere"), &path).unwrap();
    assert!(matches!(serve(&house, &path).await, Err(Error::NotOurs { .. })));
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
}

#[tokio::test]
async fn a_live_socket_is_left_alone_and_its_process_named() {
    let house = House::new().await;
    let first = serve(&house, &house.socket()).await.unwrap();
    let error = serve(&house, &house.socket()).await.err().unwrap();
    assert_eq!(error.code(), Code::Conflict);
    assert!(
        matches!(error, Error::InUse { pid: Some(pid), .. } if pid == std::process::id()),
        "{error}"
    );
    assert!(error.to_string().contains(&std::process::id().to_string()));
    let mut line = crate::socket::Line::open(first.path()).await;
    assert_eq!(line.ask("GET", "/v1/status", "").await.0, 200);
}

#[tokio::test]
async fn a_listener_that_never_answers_is_alive_all_the_same() {
    let house = House::new().await;
    let path = folder(&house, "run").join("engine.sock");
    use rustix::net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
    };
    let socket = || {
        socket_with(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::NONBLOCK,
            None,
        )
        .unwrap()
    };
    let (listener, address) = (socket(), SocketAddrUnix::new(&path).unwrap());
    bind(&listener, &address).unwrap();
    listen(&listener, 1).unwrap();
    // Until its queue is full, and nobody can even connect.
    let mut queue = Vec::new();
    while queue.len() < 300 {
        let next = socket();
        if connect(&next, &address).is_err() {
            break;
        }
        queue.push(next);
    }
    assert!(queue.len() < 300);
    assert!(matches!(serve(&house, &path).await, Err(Error::InUse { .. })));
    assert!(path.exists());
    drop(listener);
}

#[tokio::test]
async fn a_dead_socket_of_ours_makes_room() {
    let house = House::new().await;
    let path = folder(&house, "run").join("engine.sock");
    drop(UnixListener::bind(&path).unwrap());
    let door = serve(&house, &path).await.unwrap();
    let mut line = crate::socket::Line::open(door.path()).await;
    assert_eq!(line.ask("GET", "/v1/status", "").await.0, 200);
}

#[tokio::test]
async fn of_many_that_start_at_once_over_a_dead_socket_one_wins_and_is_reachable() {
    let house = House::new().await;
    let path = folder(&house, "run").join("engine.sock");
    drop(UnixListener::bind(&path).unwrap());
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let (engine, path) = (house.engine.clone(), path.clone());
            tokio::spawn(async move { serve_socket(engine, &path).await })
        })
        .collect();
    let mut doors = Vec::new();
    for start in starts {
        match start.await.unwrap() {
            Ok(door) => doors.push(door),
            Err(error) => assert!(matches!(error, Error::InUse { .. }), "{error}"),
        }
    }
    assert_eq!(doors.len(), 1);
    let mut line = crate::socket::Line::open(&path).await;
    assert_eq!(line.ask("GET", "/v1/status", "").await.0, 200);
}

#[tokio::test]
async fn closing_removes_only_the_socket_that_was_made() {
    let house = House::new().await;
    let path = folder(&house, "run").join("engine.sock");
    let door = serve(&house, &path).await.unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "somebody's file").unwrap();
    door.close().await;
    assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's file");
}

#[tokio::test]
async fn a_folder_that_others_can_enter_is_refused_and_not_changed() {
    let house = House::new().await;
    let run = folder(&house, "run");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
    let error = serve(&house, &run.join("engine.sock")).await.err().unwrap();
    assert!(matches!(error, Error::OpenFolder { .. }), "{error}");
    assert_eq!(fs::metadata(&run).unwrap().mode() & 0o777, 0o755);
    assert!(!run.join("engine.sock").exists());
}

#[tokio::test]
async fn a_path_that_is_too_long_is_a_clear_error_that_names_the_variable_to_set() {
    let house = House::new().await;
    let path = house.folder.path().join("x".repeat(120)).join("engine.sock");
    let error = serve(&house, &path).await.err().unwrap();
    assert_eq!(error.code(), Code::ValidationError);
    let text = error.to_string();
    assert!(
        text.contains("TOKENRY_HOME") && text.contains(&path.as_os_str().len().to_string()),
        "{text}"
    );
    assert!(!path.parent().unwrap().exists());
}
