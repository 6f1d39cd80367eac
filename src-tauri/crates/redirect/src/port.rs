//! A port that is open, and the flows that share it.

use super::connections::Connections;
use super::shared::{Destination, Shared};
use super::{
    BoxFuture, CONNECTION_TIMEOUT, ConnectionCheck, HEAD_TIMEOUT, LINGER_TIMEOUT, LoopbackError,
    MAX_HEAD_BYTES, MAX_UNCHECKED, REPEAT_TIMEOUT, Receiver, ascii, routes,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokenry_core::{LoopbackHost, Random};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use url::Url;

/// The ports of this process that are open: flows of one provider share theirs.
#[derive(Debug, Clone, Default)]
pub struct OpenPorts(Arc<Mutex<Vec<Weak<Port>>>>);

impl OpenPorts {
    /// Takes the first of these ports that is free or open for other flows of ours already; any free port where none is
    /// given. Only a loopback address is opened (OAuth 2.1 §8.5.4). Connections that do not pass the check are closed
    /// without an answer.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn listen(
        &self,
        host: LoopbackHost,
        ports: &[u16],
        is_served: ConnectionCheck,
    ) -> Result<Listener, LoopbackError> {
        if ports.is_empty() {
            let sockets = open(host, 0)
                .await
                .map_err(|source| LoopbackError::Bind { host, source })?;
            return self.serve(host, sockets, is_served);
        }
        let mut refused = None;
        for port in ports {
            if let Some(shared) = self.shared(host, *port) {
                return Ok(shared);
            }
            match open(host, *port).await {
                Ok(sockets) => return self.serve(host, sockets, is_served),
                Err(error) if is_taken(&error) => {}
                Err(error) => refused = Some(error),
            }
        }
        Err(match refused {
            Some(source) => LoopbackError::Bind { host, source },
            None => LoopbackError::Taken(ports.to_vec()),
        })
    }

    fn shared(&self, host: LoopbackHost, number: u16) -> Option<Listener> {
        let mut ports = self.ports();
        ports.retain(|port| port.strong_count() > 0);
        let mut ports = ports.iter().filter_map(Weak::upgrade);
        let port = ports.find(|port| port.host == host && port.number == number)?;
        Member::of(&port).map(Listener)
    }

    fn serve(
        &self,
        host: LoopbackHost,
        sockets: Vec<TcpListener>,
        is_served: ConnectionCheck,
    ) -> Result<Listener, LoopbackError> {
        let address = sockets.first().and_then(|socket| socket.local_addr().ok());
        let address = address.ok_or(LoopbackError::Address)?;
        let port = Arc::new(Port {
            host,
            number: address.port(),
            state: Mutex::default(),
            left: Notify::new(),
        });
        let member = Member::of(&port).ok_or(LoopbackError::Address)?;
        self.ports().push(Arc::downgrade(&port));
        tokio::spawn(run(port, sockets, is_served));
        Ok(Listener(member))
    }

    fn ports(&self) -> MutexGuard<'_, Vec<Weak<Port>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sockets of a host. For `localhost` the same port of both families is taken: a browser may use either, and else
/// another program could wait at the other one (checklist A2.7).
async fn open(host: LoopbackHost, port: u16) -> std::io::Result<Vec<TcpListener>> {
    let (v4, v6) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST));
    match host {
        LoopbackHost::Ipv4 => Ok(vec![TcpListener::bind((v4, port)).await?]),
        LoopbackHost::Ipv6 => Ok(vec![TcpListener::bind((v6, port)).await?]),
        LoopbackHost::Localhost => {
            let first = TcpListener::bind((v4, port)).await?;
            let port = first.local_addr()?.port();
            match TcpListener::bind((v6, port)).await {
                Ok(second) => Ok(vec![first, second]),
                // On a machine without IPv6 no other program can wait there, either.
                Err(error) if error.kind() == ErrorKind::AddrNotAvailable || has_no_ipv6(&error) => {
                    Ok(vec![first])
                }
                Err(error) => Err(error),
            }
        }
    }
}

/// `EAFNOSUPPORT`, of which the standard library has no kind.
fn has_no_ipv6(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

fn is_taken(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied)
}

/// A port that is open, for as long as a flow needs it.
#[derive(Debug)]
pub(super) struct Port {
    host: LoopbackHost,
    number: u16,
    state: Mutex<State>,
    /// A sign-in that needed it has ended.
    left: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The newest last.
    flows: Vec<Arc<Shared>>,
    members: usize,
    is_closed: bool,
}

impl Port {
    /// What a request to it has to have as its `Host`.
    pub(super) fn authority(&self) -> String {
        format!("{}:{}", self.host.as_str(), self.number)
    }

    pub(super) fn host(&self) -> LoopbackHost {
        self.host
    }

    /// Its flows, the newest first, and those that are over last.
    pub(super) fn flows(&self) -> Vec<Arc<Shared>> {
        let mut flows: Vec<_> = self.state().flows.iter().rev().cloned().collect();
        flows.sort_by_key(|flow| !flow.is_open());
        flows
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the sockets if no sign-in needs them. The next one opens the port anew, and finds it free.
    fn close_if_unused(&self, sockets: &mut Vec<TcpListener>) -> bool {
        let mut state = self.state();
        state.is_closed = state.members == 0;
        if state.is_closed {
            sockets.clear();
        }
        state.is_closed
    }
}

/// Keeps a port open.
#[derive(Debug)]
struct Member(Arc<Port>);

impl Member {
    fn of(port: &Arc<Port>) -> Option<Self> {
        let mut state = port.state();
        if state.is_closed {
            return None;
        }
        state.members += 1;
        drop(state);
        Some(Self(Arc::clone(port)))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.0.state().members -= 1;
        self.0.left.notify_one();
    }
}

/// A port that is open for one more flow. Nothing of that is answered yet.
#[derive(Debug)]
pub struct Listener(Member);

impl Listener {
    /// The port, for the redirect URI.
    pub fn port(&self) -> u16 {
        self.0.0.number
    }

    /// Only passes the browser on to the provider, for a flow whose answer comes back elsewhere: what the browser is
    /// started with is seen by every user of this machine, and must not hold the flow's `state`.
    ///
    /// # Errors
    /// When its own address cannot be written, which is a mistake in this program.
    pub fn forward(self, destination: Destination, random: &dyn Random) -> Result<Serving, LoopbackError> {
        self.start(destination, random, None)
    }

    /// Starts to answer. The receiver gets every request to its path that, once the `/begin` address was visited, brings
    /// the flow's cookie; the page that its response leads to is shown. After one that is `ok` no other is taken.
    ///
    /// # Errors
    /// As [`Listener::forward`].
    pub fn serve(
        self,
        destination: Destination,
        random: &dyn Random,
        receiver: impl Receiver + 'static,
    ) -> Result<Serving, LoopbackError> {
        self.start(destination, random, Some(Box::new(receiver)))
    }

    fn start(
        self,
        destination: Destination,
        random: &dyn Random,
        receiver: Option<Box<dyn Receiver>>,
    ) -> Result<Serving, LoopbackError> {
        let (open, closed) = watch::channel(());
        let member = self.0;
        let port = Arc::clone(&member.0);
        let shared = Arc::new(Shared::new(port.number, destination, random, receiver, closed));
        let begin_url = format!("http://{}{}", port.authority(), shared.begin_path());
        let begin_url = Url::parse(&begin_url).map_err(|_| LoopbackError::Address)?;
        port.state().flows.push(Arc::clone(&shared));
        tokio::spawn(async move {
            shared.closed().await;
            shared.settled(LINGER_TIMEOUT, REPEAT_TIMEOUT).await;
            port.state().flows.retain(|flow| !Arc::ptr_eq(flow, &shared));
            drop(member);
        });
        Ok(Serving {
            begin_url,
            _open: open,
        })
    }
}

/// A flow whose requests are answered. Dropping it ends that; an answer that was accepted is finished first, and its page
/// is kept for the browser for a few seconds.
#[derive(Debug)]
pub struct Serving {
    /// Where the browser is sent first: it gives the flow's cookie and passes on to the provider.
    pub begin_url: Url,
    _open: watch::Sender<()>,
}

async fn run(port: Arc<Port>, mut sockets: Vec<TcpListener>, is_served: ConnectionCheck) {
    let accepting = Accepting {
        unknown: Arc::new(Semaphore::new(MAX_UNCHECKED)),
        connections: Arc::default(),
        is_served,
    };
    loop {
        tokio::select! {
            () = accept(&sockets, &port, &accepting) => return,
            () = port.left.notified() => {}
        }
        if port.close_if_unused(&mut sockets) {
            return;
        }
    }
}

/// Those who came in: some are known to be ours.
struct Accepting {
    unknown: Arc<Semaphore>,
    connections: Arc<Connections>,
    is_served: ConnectionCheck,
}

async fn accept(sockets: &[TcpListener], port: &Arc<Port>, accepting: &Accepting) {
    while let Ok(unknown) = Arc::clone(&accepting.unknown).acquire_owned().await {
        match accept_one(sockets).await {
            Ok((stream, peer)) => {
                let (port, connections) = (Arc::clone(port), Arc::clone(&accepting.connections));
                // One that is gone already has none.
                let Ok(local) = stream.local_addr() else { continue };
                let check = (accepting.is_served)(peer, local);
                tokio::spawn(serve_one(stream, check, port, connections, unknown));
            }
            // Out of file descriptors, most likely: wait for some to come back.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn accept_one(sockets: &[TcpListener]) -> std::io::Result<(TcpStream, SocketAddr)> {
    match sockets {
        [one, other] => tokio::select! {
            accepted = one.accept() => accepted,
            accepted = other.accept() => accepted,
        },
        [one] => one.accept().await,
        _ => std::future::pending().await,
    }
}

async fn serve_one(
    stream: TcpStream,
    check: BoxFuture<'static, bool>,
    port: Arc<Port>,
    connections: Arc<Connections>,
    unknown: OwnedSemaphorePermit,
) {
    if !check.await {
        return;
    }
    let Some(slot) = connections.enter() else { return };
    drop(unknown);
    let slot = &slot;
    let service = service_fn(move |request| {
        slot.is_answered();
        let port = Arc::clone(&port);
        async move { Ok::<_, std::convert::Infallible>(routes::answer(&port, &request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(ascii::AsciiTarget::new(stream)), service);
    // What goes wrong with one connection is of no interest to the flow.
    tokio::select! {
        _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection) => {}
        () = slot.closed() => {}
    }
}
