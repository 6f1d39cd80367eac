//! security.md, "Doors": only processes of our own user, by the owner of the TCP socket.

use super::*;
use std::{
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
};

#[test]
fn the_owner_is_read_from_the_line_of_the_other_end_only() {
    let (peer, us) = (
        "127.0.0.1:50000".parse().unwrap(),
        "127.0.0.1:40000".parse().unwrap(),
    );
    let (a, b) = (&written_as(peer)[0], &written_as(us)[0]);
    let line = |local: &str, remote: &str, inode: u64| {
        format!(
            "   3: {local} {remote} 01 00000000:00000000 00:00000000 00000000  1234        0 {inode} 1 0 20"
        )
    };
    let found = || Some(End { uid: 1234, inode: 99 });
    assert_eq!(end_in(&line(a, b, 99), peer, us), found());
    assert_eq!(end_in(&line(b, a, 99), peer, us), None);
    // Closed by its program already: the kernel does not know any more whose it was.
    assert_eq!(end_in(&line(a, b, 0), peer, us), None);
    let (a, b) = (&written_as(peer)[1], &written_as(us)[1]);
    assert_eq!(end_in(&line(a, b, 99), peer, us), found());
    for rubbish in ["", "sl", "1: x y", "  1: a b c d e f g h"] {
        assert_eq!(end_in(rubbish, peer, us), None);
    }
}

#[tokio::test]
async fn a_connection_of_this_very_process_is_known_over_both_families() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let us = listener.local_addr().unwrap();
    let mapped: SocketAddr = format!("[::ffff:127.0.0.1]:{}", us.port()).parse().unwrap();
    for target in [us, mapped] {
        let Ok(client) = TcpStream::connect(target) else {
            continue;
        };
        let (_, peer) = listener.accept().unwrap();
        let found = of_tcp(peer, us).await.unwrap();
        let ours = super::super::of_process(rustix::process::geteuid().as_raw(), std::process::id());
        assert_eq!(found, ours, "{target}");
        assert!(is_ours(peer, us).await);
        drop(client);
    }
    assert_eq!(of_tcp("127.0.0.1:1".parse().unwrap(), us).await, None);
    assert!(!is_ours("127.0.0.1:1".parse().unwrap(), us).await);
}

#[tokio::test]
async fn of_several_processes_that_share_a_connection_none_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let us = listener.local_addr().unwrap();
    let client = TcpStream::connect(us).unwrap();
    let (_, peer) = listener.accept().unwrap();
    let shared: std::os::fd::OwnedFd = client.try_clone().unwrap().into();
    let mut child = Command::new("sleep")
        .arg("60")
        .stdin(Stdio::from(shared))
        .spawn()
        .unwrap();
    let found = of_tcp(peer, us).await.unwrap();
    assert_eq!((found.pid, found.started, found.program), (0, 0, None));
    drop(client);
    let found = of_tcp(peer, us).await.unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(found.pid, child.id());
}
