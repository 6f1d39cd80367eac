//! SECURITY.md, "Local interfaces": the socket has mode 0600 from the start, in a folder of mode 0700. Anything of another user or in use is left alone.

use crate::support::Fixture;
use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink},
        net::UnixListener,
    },
    path::PathBuf,
};
use tokenry_api::servers::{Error, SocketServer, serve_socket};
use tokenry_core::Code;

async fn serve(fixture: &Fixture, path: &std::path::Path) -> Result<SocketServer, Error> {
    serve_socket(fixture.engine.clone(), path).await
}

/// A folder of mode 0700 beside the profile.
fn folder(fixture: &Fixture, name: &str) -> PathBuf {
    let path = fixture.folder.path().join(name);
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[tokio::test]
async fn the_socket_and_its_folder_are_private() {
    let fixture = Fixture::new().await;
    let path = fixture.folder.path().join("run/deeper/engine.sock");
    let server = serve(&fixture, &path).await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert!(fs::metadata(&path).unwrap().file_type().is_socket());
    assert_eq!(mode(&path), 0o600);
    assert_eq!(
        (
            mode(path.parent().unwrap()),
            mode(&fixture.folder.path().join("run"))
        ),
        (0o700, 0o700)
    );
    server.close().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn anything_but_a_stale_socket_of_ours_is_left_alone() {
    let fixture = Fixture::new().await;
    let run = folder(&fixture, "run");
    let path = run.join("engine.sock");
    fs::write(&path, "another file").unwrap();
    let error = serve(&fixture, &path).await.err().unwrap();
    assert!(
        matches!(error, Error::NotOurs { .. }) && error.code() == Code::Conflict,
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "another file");

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(serve(&fixture, &path).await, Err(Error::NotOurs { .. })));
    fs::remove_dir(&path).unwrap();

    // A symlink to a stale socket, which would be replaced if it were not a symlink.
    let target = run.join("elsewhere.sock");
    drop(UnixListener::bind(&target).unwrap());
    symlink(&target, &path).unwrap();
    let error = serve(&fixture, &path).await.err().unwrap();
    assert!(error.to_string().contains("symbolic link"), "{error}");
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink() && target.exists());
    fs::remove_file(&path).unwrap();
    symlink(run.join("nowhere"), &path).unwrap();
    assert!(matches!(serve(&fixture, &path).await, Err(Error::NotOurs { .. })));
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
}

#[tokio::test]
async fn a_socket_in_use_is_left_alone_and_the_error_names_its_process() {
    let fixture = Fixture::new().await;
    let first = serve(&fixture, &fixture.socket()).await.unwrap();
    let error = serve(&fixture, &fixture.socket()).await.err().unwrap();
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
async fn a_listener_that_does_not_respond_counts_as_in_use() {
    let fixture = Fixture::new().await;
    let path = folder(&fixture, "run").join("engine.sock");
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
    // Until its queue is full, and no connection is possible.
    let mut queue = Vec::new();
    while queue.len() < 300 {
        let next = socket();
        if connect(&next, &address).is_err() {
            break;
        }
        queue.push(next);
    }
    assert!(queue.len() < 300);
    assert!(matches!(serve(&fixture, &path).await, Err(Error::InUse { .. })));
    assert!(path.exists());
    drop(listener);
}

#[tokio::test]
async fn a_stale_socket_of_ours_is_replaced() {
    let fixture = Fixture::new().await;
    let path = folder(&fixture, "run").join("engine.sock");
    drop(UnixListener::bind(&path).unwrap());
    let server = serve(&fixture, &path).await.unwrap();
    let mut line = crate::socket::Line::open(server.path()).await;
    assert_eq!(line.ask("GET", "/v1/status", "").await.0, 200);
}

#[tokio::test]
async fn of_many_that_start_at_once_over_a_stale_socket_one_wins_and_is_reachable() {
    let fixture = Fixture::new().await;
    let path = folder(&fixture, "run").join("engine.sock");
    drop(UnixListener::bind(&path).unwrap());
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let (engine, path) = (fixture.engine.clone(), path.clone());
            tokio::spawn(async move { serve_socket(engine, &path).await })
        })
        .collect();
    let mut servers = Vec::new();
    for start in starts {
        match start.await.unwrap() {
            Ok(server) => servers.push(server),
            Err(error) => assert!(matches!(error, Error::InUse { .. }), "{error}"),
        }
    }
    assert_eq!(servers.len(), 1);
    let mut line = crate::socket::Line::open(&path).await;
    assert_eq!(line.ask("GET", "/v1/status", "").await.0, 200);
}

#[tokio::test]
async fn closing_removes_only_its_own_socket() {
    let fixture = Fixture::new().await;
    let path = folder(&fixture, "run").join("engine.sock");
    let server = serve(&fixture, &path).await.unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "another file").unwrap();
    server.close().await;
    assert_eq!(fs::read_to_string(&path).unwrap(), "another file");
}

#[tokio::test]
async fn a_folder_open_to_other_users_is_refused_and_not_changed() {
    let fixture = Fixture::new().await;
    let run = folder(&fixture, "run");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
    let error = serve(&fixture, &run.join("engine.sock")).await.err().unwrap();
    assert!(matches!(error, Error::OpenFolder { .. }), "{error}");
    assert_eq!(fs::metadata(&run).unwrap().mode() & 0o777, 0o755);
    assert!(!run.join("engine.sock").exists());
}

#[tokio::test]
async fn a_path_that_is_too_long_is_an_error_that_names_the_variable_to_set() {
    let fixture = Fixture::new().await;
    let path = fixture.folder.path().join("x".repeat(120)).join("engine.sock");
    let error = serve(&fixture, &path).await.err().unwrap();
    assert_eq!(error.code(), Code::ValidationError);
    let text = error.to_string();
    assert!(
        text.contains("TOKENRY_HOME") && text.contains(&path.as_os_str().len().to_string()),
        "{text}"
    );
    assert!(!path.parent().unwrap().exists());
}
