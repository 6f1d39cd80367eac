//! The listener against raw sockets (security.md, Redirects, "Loopback").

mod answers;
mod closing;
mod refusals;
mod strangers;

use super::{BoxFuture, Listener, Page, Served, Serving};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokenry_core::{OsRandom, Secret};
use tokenry_oauth::redirect::{Outcome, Redirected};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PROVIDER: &str = "https://as.example/authorize?state=s&x=%3C";

/// A listener under test, and what it delivered.
struct Flow {
    serving: Serving,
    address: SocketAddr,
    delivered: Arc<Mutex<Vec<Redirected>>>,
    /// What those who wait were told.
    refused: Arc<Mutex<Vec<String>>>,
}

impl Flow {
    /// `deliver` gets the answer after it was noted.
    async fn start(deliver: impl Fn(Redirected) -> BoxFuture<'static, Page> + Send + Sync + 'static) -> Self {
        let listener = Listener::bind().await.unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], listener.port()));
        let delivered = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&delivered);
        let refused = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&refused);
        let served = Served {
            provider: &"example".parse().unwrap(),
            state: Secret::new("the-state".to_owned()),
            authorization_url: PROVIDER.parse().unwrap(),
            takes_answers: true,
        };
        let deliver = move |redirected: Redirected| {
            noted.lock().unwrap().push(redirected.clone());
            deliver(redirected)
        };
        let tell = move |why: &str| told.lock().unwrap().push(why.to_owned());
        let serving = listener.serve(served, &OsRandom, deliver, tell);
        Self {
            serving,
            address,
            delivered,
            refused,
        }
    }

    /// One that says yes to a code and no to an error.
    async fn simple() -> Self {
        Self::start(|redirected| Box::pin(async move { page_for(&redirected) })).await
    }

    fn delivered(&self) -> usize {
        self.delivered.lock().unwrap().len()
    }

    /// What was told since this was asked last.
    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.refused.lock().unwrap())
    }

    /// Sends a whole request, and gives all that comes back.
    async fn raw(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        read_all(stream).await
    }

    /// Asks as a browser does.
    async fn get(&self, target: &str, headers: &str) -> String {
        self.raw(&format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n",
            self.address
        ))
        .await
    }

    /// The `Cookie` header of a browser that was at `/begin`.
    async fn cookie(&self) -> String {
        let answer = self.get(self.serving.begin_url.path(), "").await;
        let set = header(&answer, "set-cookie").unwrap();
        format!("Cookie: {}\r\n", set.split(';').next().unwrap())
    }
}

fn page_for(redirected: &Redirected) -> Page {
    match &redirected.outcome {
        Outcome::Code(_) => Page {
            ok: true,
            title: "Connected".into(),
            text: "As Ann & Co.".into(),
        },
        Outcome::Error {
            error, description, ..
        } => Page {
            ok: false,
            title: format!("Refused: {error}"),
            text: description.clone().unwrap_or_default(),
        },
    }
}

/// Until the other side closes, or breaks off because we sent more than it wanted.
async fn read_all(mut stream: TcpStream) -> String {
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = stream.read(&mut part).await {
        answer.extend_from_slice(&part[..length]);
    }
    String::from_utf8(answer).unwrap()
}

fn status(answer: &str) -> u16 {
    answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0)
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}
