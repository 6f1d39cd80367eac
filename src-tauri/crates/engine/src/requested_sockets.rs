//! Sockets beside the engine's own: which ones are requested. The host opens and closes them.

use crate::{Engine, Error, access::policy::Operation, forwards::Forward};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::atomic::AtomicU64,
    time::Duration,
};
use tokenry_core::{AgentProtocol, Caller};
use tokio::sync::watch;

/// How long the host may take to open a socket.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// The sockets that were requested in this run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SocketRequests {
    /// Those for the clients of other agents that are to be open.
    pub agents: BTreeSet<AgentProtocol>,
    /// Those that are forwarded to other hosts.
    pub forwards: BTreeMap<u64, Forward>,
    /// Counts the requests.
    pub number: u64,
}

/// What the host made of the requests.
#[derive(Debug, Clone, Default)]
pub struct SocketReport {
    /// The number of the last request that it has seen.
    pub number: u64,
    /// From each protocol to its socket, or why it could not be opened.
    pub agents: BTreeMap<AgentProtocol, Result<PathBuf, String>>,
    /// The same for each that is forwarded.
    pub forwards: BTreeMap<u64, Result<PathBuf, String>>,
}

/// What is requested, and what the host made of it.
#[derive(Default)]
pub(crate) struct RequestedSockets {
    requests: watch::Sender<SocketRequests>,
    /// The number of the next one that is forwarded.
    pub(crate) next_forward: AtomicU64,
    report: watch::Sender<SocketReport>,
}

impl RequestedSockets {
    pub(crate) fn request(&self, change: impl FnOnce(&mut SocketRequests)) -> u64 {
        let mut number = 0;
        self.requests.send_modify(|requests| {
            change(requests);
            requests.number += 1;
            number = requests.number;
        });
        number
    }

    /// What the host reports once it has seen this request.
    pub(crate) async fn reported(&self, number: u64) -> Result<SocketReport, Error> {
        let absent = || Error::Conflict("this engine opens no such sockets; use its own socket".to_owned());
        if self.requests.receiver_count() == 0 {
            return Err(absent());
        }
        let mut report = self.report.subscribe();
        let seen = report.wait_for(|report| report.number >= number);
        match tokio::time::timeout(OPEN_TIMEOUT, seen).await {
            Ok(Ok(report)) => Ok(report.clone()),
            _ => Err(absent()),
        }
    }
}

impl Engine {
    /// Opens the socket for an agent's clients until the engine ends, and says where it is. A request that arrives there
    /// is decided like one at the engine's own socket, so opening it gives away nothing.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open_agent_socket(
        &self,
        caller: &Caller,
        protocol: AgentProtocol,
    ) -> Result<PathBuf, Error> {
        self.allow(caller, Operation::Engine)?;
        let sockets = &self.inner.sockets;
        let number = sockets.request(|requests| {
            requests.agents.insert(protocol);
        });
        match sockets.reported(number).await?.agents.remove(&protocol) {
            Some(opened) => opened.map_err(Error::Conflict),
            None => Err(Error::Conflict(
                "the engine is about to end; try again".to_owned(),
            )),
        }
    }

    /// Closes that socket.
    ///
    /// # Errors
    /// When the settings keep it open.
    pub async fn close_agent_socket(&self, caller: &Caller, protocol: AgentProtocol) -> Result<(), Error> {
        self.allow(caller, Operation::Engine)?;
        let sockets = &self.inner.sockets;
        let number = sockets.request(|requests| {
            requests.agents.remove(&protocol);
        });
        if sockets.reported(number).await?.agents.contains_key(&protocol) {
            return Err(Error::Conflict(
                "the settings keep this socket open; turn it off in the window, under Settings".to_owned(),
            ));
        }
        Ok(())
    }

    /// The requests, for the host.
    pub fn socket_requests(&self) -> watch::Receiver<SocketRequests> {
        self.inner.sockets.requests.subscribe()
    }

    /// What the host made of them.
    pub fn report_sockets(&self, report: SocketReport) {
        self.inner.sockets.report.send_replace(report);
    }
}
