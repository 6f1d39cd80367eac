//! A host with many addresses.

use crate::server::{Reply, answer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A host on this machine, with an answer for each path, or for `POST` and a path; 404 elsewhere. `{host}` in an answer stands for its address.
pub(crate) struct Host {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Host {
    pub(crate) async fn start(answers: &[(&str, Reply)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let own = url.clone();
        let answers = answers.iter().map(|(path, reply)| {
            let filled = |bytes: &[u8]| {
                let text = String::from_utf8_lossy(bytes).replace("{host}", &own);
                // The length changes with the address.
                let (head, body) = text.split_once("\r\n\r\n").unwrap();
                let head = head
                    .split("\r\n")
                    .filter(|line| !line.starts_with("Content-Length"));
                let head: Vec<_> = head.collect();
                let length = body.len();
                format!("{}\r\nContent-Length: {length}\r\n\r\n{body}", head.join("\r\n")).into_bytes()
            };
            let reply = match reply {
                Reply::Bytes(bytes) => Reply::Bytes(filled(bytes)),
                Reply::Stall(bytes) => Reply::Stall(bytes.clone()),
            };
            ((*path).to_owned(), reply)
        });
        let answers: Arc<HashMap<String, Reply>> = Arc::new(answers.collect());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match stream.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    let head = String::from_utf8(head).unwrap();
                    let mut words = head.split(' ');
                    let method = words.next().unwrap();
                    let mut path = words.next().unwrap().to_owned();
                    if method == "POST" {
                        path.insert_str(0, "POST ");
                        read_body(&mut stream, &head).await;
                    }
                    let is_known = head.to_ascii_lowercase().contains("if-none-match: \"v1\"");
                    let said = if is_known { " 304" } else { "" };
                    seen.lock().unwrap().push(format!("{path}{said}"));
                    let nothing = answer("404 Not Found", "", "");
                    let reply = match is_known {
                        true => &answer("304 Not Modified", "", ""),
                        false => answers.get(&path).unwrap_or(&nothing),
                    };
                    let (Reply::Bytes(bytes) | Reply::Stall(bytes)) = reply;
                    let _ = stream.write_all(bytes).await;
                    if matches!(reply, Reply::Stall(_)) {
                        tokio::time::sleep(Duration::from_secs(60)).await;
                    }
                });
            }
        });
        Self { url, asked }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// A connection that is closed before all was read loses the answer.
async fn read_body(stream: &mut tokio::net::TcpStream, head: &str) {
    let lower = head.to_ascii_lowercase();
    let length = lower.split("content-length: ").nth(1).unwrap();
    let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
    stream.read_exact(&mut vec![0; length]).await.unwrap();
}
