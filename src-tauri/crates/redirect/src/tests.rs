//! The listener against raw sockets (security.md, Redirects, "Loopback").

mod answers;
mod closing;
mod refusals;
mod shared;
mod strangers;

use super::{BoxFuture, Destination, Listener, OpenPorts, Page, Receiver, Rejected, Serving};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokenry_core::{LoopbackHost, OsRandom, Secret, same_secret};
use tokenry_oauth::redirect::{self, Outcome, Redirected, Refused};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PROVIDER: &str = "https://as.example/authorize?state=s&x=%3C";

/// The provider's address, which it knows until then.
fn provider(until: Option<Instant>) -> Destination {
    let url = PROVIDER.parse().unwrap();
    Destination { url, until }
}

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
        Self::start_at(listener().await, deliver)
    }

    /// One that serves only processes of our own user.
    async fn of_our_user() -> Self {
        let ports = OpenPorts::default();
        let listener = ports.listen(LoopbackHost::Ipv4, &[], |peer, local| {
            Box::pin(tokenry_peer::is_ours(peer, local))
        });
        Self::start_at(listener.await.unwrap(), |redirected| {
            Box::pin(async move { page_for(&redirected) })
        })
    }

    fn start_at(
        listener: Listener,
        deliver: impl Fn(Redirected) -> BoxFuture<'static, Page> + Send + Sync + 'static,
    ) -> Self {
        Self::at_path(listener, "/cb/example", "the-state", deliver)
    }

    fn at_path(
        listener: Listener,
        path: &'static str,
        state: &'static str,
        deliver: impl Fn(Redirected) -> BoxFuture<'static, Page> + Send + Sync + 'static,
    ) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], listener.port()));
        let delivered = Arc::new(Mutex::new(Vec::new()));
        let refused = Arc::new(Mutex::new(Vec::new()));
        let receiver = Example {
            path,
            state,
            deliver: Arc::new(deliver),
            delivered: Arc::clone(&delivered),
            refused: Arc::clone(&refused),
        };
        let serving = listener.serve(provider(None), &OsRandom, receiver).unwrap();
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

    /// The name of its cookie.
    async fn cookie_name(&self) -> String {
        let cookie = self.cookie().await;
        let (name, _) = cookie.trim_start_matches("Cookie: ").split_once('=').unwrap();
        name.to_owned()
    }

    /// The `Cookie` header of a browser that was at `/begin`.
    async fn cookie(&self) -> String {
        let answer = self.get(self.serving.begin_url.path(), "").await;
        let set = header(&answer, "set-cookie").unwrap();
        format!("Cookie: {}\r\n", set.split(';').next().unwrap())
    }
}

/// A listener that serves every connection: the lookup of processes is shared by all tests, and a paused clock would
/// not wait for it.
async fn listener() -> Listener {
    listener_at(&OpenPorts::default(), LoopbackHost::Ipv4, &[])
        .await
        .unwrap()
}

async fn listener_at(
    ports: &OpenPorts,
    host: LoopbackHost,
    numbers: &[u16],
) -> Result<Listener, super::LoopbackError> {
    ports.listen(host, numbers, |_, _| Box::pin(async { true })).await
}

type Deliver = dyn Fn(Redirected) -> BoxFuture<'static, Page> + Send + Sync;

/// A flow with this path and state.
struct Example {
    path: &'static str,
    state: &'static str,
    deliver: Arc<Deliver>,
    delivered: Arc<Mutex<Vec<Redirected>>>,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Receiver for Example {
    fn path(&self) -> &str {
        self.path
    }

    fn judge(&self, target: &str) -> Result<BoxFuture<'static, Page>, Rejected> {
        let redirected = match redirect::judge_loopback(target) {
            Ok(redirected) if redirected.uri == self.path => redirected,
            Ok(_) | Err(Refused::WrongPath) => return Err(Rejected::OtherAddress),
            Err(refused) => return Err(Rejected::Malformed(refused.to_string())),
        };
        let (noted, deliver) = (Arc::clone(&self.delivered), Arc::clone(&self.deliver));
        Ok(Box::pin(async move {
            noted.lock().unwrap().push(redirected.clone());
            deliver(redirected).await
        }))
    }

    fn is_about(&self, target: &str) -> bool {
        let state = Secret::new(self.state.to_owned());
        redirect::claimed_state(target).is_some_and(|claimed| same_secret(&state, &claimed))
    }

    fn refused(&self, reason: &str) {
        self.refused.lock().unwrap().push(reason.to_owned());
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
