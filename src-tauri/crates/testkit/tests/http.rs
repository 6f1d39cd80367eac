//! The tests' HTTP client itself: it must not take a broken response for a complete one.
#![allow(clippy::unwrap_used)]

use std::io::{ErrorKind, Read, Result, Write};
use std::os::unix::net::UnixStream;
use tokenry_testkit::http::{AsyncConnection, Connection, Request, Response};

/// The client's end of a connection on which a server has sent these bytes and closed it.
fn served(bytes: &[u8]) -> Connection<UnixStream> {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(bytes).unwrap();
    Connection::new(ours)
}

fn first(bytes: &str) -> Result<Response> {
    served(bytes.as_bytes()).response()
}

#[test]
fn a_response_ends_where_its_length_says_and_the_next_one_follows() {
    let mut connection =
        served(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nx-a: 2\r\n\r\n{}HTTP/1.1 204 No\r\n\r\nHTTP/1.1 404 No\r\n\r\nrest");
    let one = connection.response().unwrap();
    assert_eq!((one.status, one.body.as_str()), (200, "{}"));
    assert_eq!(one.headers("x-a").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(connection.response().unwrap().status, 204);
    let last = connection.response().unwrap();
    assert_eq!((last.status, last.body.as_str()), (404, "rest"));
    assert_eq!(
        connection.response().unwrap_err().kind(),
        ErrorKind::UnexpectedEof
    );
}

#[test]
fn a_response_that_is_cut_anywhere_is_an_error() {
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    for end in 0..whole.len() {
        assert!(first(&whole[..end]).is_err(), "cut at {end}");
        assert!(Response::of(&whole.as_bytes()[..end]).is_err(), "cut at {end}");
    }
    assert_eq!(first(whole).unwrap().body, "{}");
    assert!(first("HTTP/1.1 OK\r\n\r\n").is_err());
    assert!(first("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n").is_err());
}

#[test]
fn a_request_is_sent_as_it_was_built() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .unwrap();
    let request = Request::new("POST", "/a?b")
        .host("h:1")
        .bearer("t")
        .close()
        .form(&[("x", "1 2")]);
    let mut connection = Connection::new(ours);
    assert_eq!(connection.ask(&request).unwrap().status, 200);
    drop(connection);
    let mut sent = String::new();
    theirs.read_to_string(&mut sent).unwrap();
    assert_eq!(
        sent,
        "POST /a?b HTTP/1.1\r\nhost: h:1\r\nauthorization: Bearer t\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: 5\r\n\r\nx=1+2"
    );
}

#[tokio::test]
async fn a_stream_without_an_end_is_read_behind_its_head() {
    let (ours, theirs) = tokio::net::UnixStream::pair().unwrap();
    let mut server = AsyncConnection::new(theirs);
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n";
    server.send(head).await.unwrap();
    let mut client = AsyncConnection::new(ours);
    let stream = client.head_of(&Request::new("GET", "/")).await.unwrap();
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert_eq!(client.bytes().await.unwrap(), b"data: 1\n\n");
    server.send(b"data: 2\n\n").await.unwrap();
    assert_eq!(client.bytes().await.unwrap(), b"data: 2\n\n");
    drop(server);
    assert_eq!(client.to_end().await, b"");
    assert!(client.bytes().await.unwrap().is_empty());
}
