//! One connection to a bus, driven by the runtime around it: zbus starts no thread for it.

use futures_util::StreamExt;
use serde::Serialize;
use std::{io, sync::Arc, time::Duration};
use tokio::task::JoinSet;
use zbus::{Connection, Message, MessageStream, connection::Builder, zvariant::DynamicType};

/// The bus itself, as the sender of its own signals.
pub(super) const BUS: &str = "org.freedesktop.DBus";
/// For the connection, and for each reply.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where the buses are. `None` is where the environment says.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    pub(super) system: Option<Arc<str>>,
    pub(super) session: Option<Arc<str>>,
}

pub(super) struct Bus {
    connection: Connection,
    stream: MessageStream,
    _executor: JoinSet<()>,
}

impl Bus {
    pub(super) async fn system(addresses: &Addresses) -> zbus::Result<Self> {
        match &addresses.system {
            Some(address) => Self::connect(Builder::address(&**address)?).await,
            None => Self::connect(Builder::system()?).await,
        }
    }

    pub(super) async fn session(addresses: &Addresses) -> zbus::Result<Self> {
        match &addresses.session {
            Some(address) => Self::connect(Builder::address(&**address)?).await,
            None => Self::connect(Builder::session()?).await,
        }
    }

    async fn connect(builder: Builder<'_>) -> zbus::Result<Self> {
        let build = builder.internal_executor(false).method_timeout(TIMEOUT).build();
        let connection = match tokio::time::timeout(TIMEOUT, build).await {
            Ok(built) => built?,
            Err(_) => return Err(zbus::Error::InputOutput(Arc::new(io::ErrorKind::TimedOut.into()))),
        };
        let mut driver = JoinSet::new();
        let executor = connection.executor().clone();
        driver.spawn(async move {
            loop {
                executor.tick().await;
            }
        });
        Ok(Self {
            stream: MessageStream::from(&connection),
            connection,
            _executor: driver,
        })
    }

    /// The next message; its sender is not checked. `None` when the bus is gone.
    pub(super) async fn next(&mut self) -> Option<Message> {
        self.stream.next().await?.ok()
    }

    /// Asks the bus for the signals that this rule selects.
    pub(super) async fn subscribe(&self, rule: &str) -> zbus::Result<()> {
        let path = "/org/freedesktop/DBus";
        self.call(BUS, path, BUS, "AddMatch", &(rule,)).await.map(drop)
    }

    /// Asks for the signal that another program provides a service from now on, or none does.
    pub(super) async fn subscribe_owner(&self, name: &str) -> zbus::Result<()> {
        self.subscribe(&format!(
            "type='signal',sender='{BUS}',interface='{BUS}',member='NameOwnerChanged',arg0='{name}'"
        ))
        .await
    }

    /// The unique name of the program that provides a service now. No service is started for that.
    pub(super) async fn owner(&self, name: &str) -> zbus::Result<Option<String>> {
        let path = "/org/freedesktop/DBus";
        match self.call(BUS, path, BUS, "GetNameOwner", &(name,)).await {
            Ok(reply) => reply.body().deserialize().map(Some),
            Err(zbus::Error::MethodError(error, ..)) if error.ends_with(".NameHasNoOwner") => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn call<B: Serialize + DynamicType>(
        &self,
        to: &str,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
    ) -> zbus::Result<Message> {
        self.connection
            .call_method(Some(to), path, Some(interface), method, body)
            .await
    }
}
