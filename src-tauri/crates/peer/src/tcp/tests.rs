//! security.md, "Local interfaces": only processes of our own user, by the owner of the TCP socket.

use super::*;
use std::{
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
};

#[test]
fn the_owner_is_read_from_the_line_of_the_other_end_only() {
    let line = |inode: u64| {
        format!(
            "   3: 0100007F:C350 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1234        0 {inode} 1 0 20"
        )
    };
    assert_eq!(addresses(&line(99)), Some(("0100007F:C350", "0100007F:9C40")));
    assert_eq!(end_in(&line(99)), Some(SocketEnd { uid: 1234, inode: 99 }));
    // Closed by its program already: the kernel does not know any more whose it was.
    assert_eq!(end_in(&line(0)), None);
    for rubbish in ["", "sl", "1: x y", "  1: a b c d e f g h"] {
        assert_eq!(end_in(rubbish), None);
    }
    assert_eq!(addresses("1: x"), None);
    // Our own end of the connection has the addresses the other way round, and is not looked at.
    let (answer, _heard) = tokio::sync::oneshot::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let unknown = Lookup {
        peer: client.local_addr().unwrap(),
        local: listener.local_addr().unwrap(),
        process: false,
        answer,
    };
    let found = ends(&[unknown]);
    assert_eq!(found.len(), 1);
    assert!(found[0].as_ref().is_some_and(SocketEnd::is_ours));
}

/// security.md, "Local interfaces": a flood of connections does not make each of them wait for a look of its own.
#[tokio::test]
async fn many_who_wait_to_be_known_share_a_look_and_each_gets_its_own_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let us = listener.local_addr().unwrap();
    let clients: Vec<_> = (0..100).map(|_| TcpStream::connect(us).unwrap()).collect();
    let known = clients.iter().map(|client| client.local_addr().unwrap());
    let strangers = (1..=100).map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let tasks: Vec<_> = known
        .map(|at| (at, true))
        .chain(strangers.map(|at| (at, false)))
        .map(|(at, ours)| (tokio::spawn(async move { of_tcp(at, us).await }), ours))
        .collect();
    for (task, ours) in tasks {
        let found = task.await.unwrap();
        assert_eq!(found.map(|peer| peer.pid), ours.then(std::process::id));
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
        let ours = crate::of_process(rustix::process::geteuid().as_raw(), std::process::id());
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
