//! One connection of a client: one request without any framing, and its answer.

use super::{oidc, pizauth, tokens::Requester};
use crate::servers::{foreign_users::ForeignUsers, idle_timeout::Activity, server::Accepted, socket::peer};
use std::{io, sync::Arc, time::Duration};
use tokenry_core::{AgentProtocol, Caller};
use tokenry_engine::Engine;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::UnixStream,
};
use zeroize::Zeroizing;

/// The longest message of a client.
pub(super) const MAX_MESSAGE_BYTES: usize = 16 << 10;
/// For a message to arrive as a whole.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// For the client to take an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often to check whether the client of a request that is being answered is still there.
const HANG_UP_INTERVAL: Duration = Duration::from_millis(250);

/// What all connections of a socket are served with.
pub(in crate::servers) struct AgentState {
    engine: Engine,
    protocol: AgentProtocol,
    foreign_users: ForeignUsers,
}

impl AgentState {
    pub(in crate::servers) fn new(engine: Engine, protocol: AgentProtocol) -> Self {
        let foreign_users = ForeignUsers::default();
        Self {
            engine,
            protocol,
            foreign_users,
        }
    }
}

/// Serves a connection until it ends.
pub(in crate::servers) async fn serve(stream: UnixStream, accepted: Accepted, state: Arc<AgentState>) {
    let Some(peer) = peer(&stream) else {
        state.foreign_users.rejected("a socket for agents' clients");
        return;
    };
    let Accepted {
        shutdown,
        shares,
        unidentified,
    } = accepted;
    drop(unidentified);
    let activity = Arc::new(Activity::default());
    // Where a limit is reached, a client sees the end of the connection, which each protocol takes for a failure.
    let Ok(admission) = shares.admit(peer.clone(), &activity) else {
        return;
    };
    if admission.is_reserved() {
        return;
    }
    let requester = Requester {
        engine: state.engine.clone(),
        caller: Caller::Program(peer),
    };
    let client = Client {
        stream,
        activity: activity.clone(),
    };
    let served = tokenry_engine::in_request(None, async {
        match state.protocol {
            AgentProtocol::OidcAgent => oidc::serve(client, &requester).await,
            AgentProtocol::Pizauth => pizauth::serve(client, &requester).await,
        }
    });
    let ended = tokio::select! {
        ended = served => ended,
        () = shutdown.notified() => Ok(()),
        _ = activity.close_requested() => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!("a connection of an agent's client ended early: {error}");
    }
}

/// What the bytes that have arrived are.
pub(super) enum Progress<T> {
    /// The beginning of a message.
    Incomplete,
    /// A message.
    Complete(T),
}

/// The other end of a connection.
pub(super) struct Client {
    stream: UnixStream,
    activity: Arc<Activity>,
}

impl Client {
    /// Reads one message. `read` judges what has arrived; its second argument says whether more can come.
    pub(super) async fn read<T>(
        &mut self,
        read: impl Fn(&[u8], bool) -> io::Result<Progress<T>>,
    ) -> io::Result<T> {
        let message = async {
            let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
            loop {
                if bytes.len() > MAX_MESSAGE_BYTES {
                    return Err(invalid("a message is longer than 16 KiB"));
                }
                let is_last = self.stream.read_buf(&mut *bytes).await? == 0;
                match read(&bytes, is_last)? {
                    Progress::Complete(message) => return Ok(message),
                    Progress::Incomplete if is_last => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Progress::Incomplete => {}
                }
            }
        };
        tokio::time::timeout(READ_TIMEOUT, message).await?
    }

    /// Waits for an answer, as long as the client does.
    pub(super) async fn while_connected<T>(&self, answer: impl Future<Output = T>) -> io::Result<T> {
        let _answering = self.activity.answering();
        tokio::select! {
            answer = answer => Ok(answer),
            () = self.hung_up() => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Resolves when the other end is closed, and not only shut down for writing.
    async fn hung_up(&self) {
        loop {
            tokio::time::sleep(HANG_UP_INTERVAL).await;
            match self.stream.ready(Interest::WRITABLE).await {
                Ok(ready) if !ready.is_write_closed() => {}
                _ => return,
            }
        }
    }

    /// Sends an answer at once: clients take what has arrived for the whole.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.stream.write_all(bytes);
        tokio::time::timeout(WRITE_TIMEOUT, written).await?
    }
}

/// An error that the client is told.
pub(super) fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
