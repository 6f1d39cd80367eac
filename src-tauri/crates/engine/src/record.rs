use serde::{Serialize, de::DeserializeOwned};
use tokenry_core::{Connection, ConnectionId, Event, Flow, Provider, ProviderId, Tokens};
use tokenry_store::Table;

/// A noun that is kept as one sealed record.
pub(crate) trait Record: Serialize + DeserializeOwned {
    const TABLE: Table;
    /// The unique name it is found by, if it has one; the store sees only a keyed hash of it.
    fn lookup(&self) -> Option<String> {
        None
    }
    /// What others want to know once it is committed.
    fn effect(&self) -> Option<Effect> {
        None
    }
}

/// What a committed transaction means for the index and for whoever watches.
pub(crate) enum Effect {
    Provider(Box<Provider>),
    ProviderGone(ProviderId),
    Connection(Box<Connection>),
    ConnectionGone(ConnectionId),
    Logged(Box<Event>),
}

impl Record for Provider {
    const TABLE: Table = Table::Providers;
    fn lookup(&self) -> Option<String> {
        Some(format!("{}/{}", self.project, self.name))
    }
    fn effect(&self) -> Option<Effect> {
        Some(Effect::Provider(Box::new(self.clone())))
    }
}
impl Record for Connection {
    const TABLE: Table = Table::Connections;
    fn lookup(&self) -> Option<String> {
        self.label
            .as_ref()
            .map(|label| format!("{}/{label}", self.provider))
    }
    fn effect(&self) -> Option<Effect> {
        Some(Effect::Connection(Box::new(self.clone())))
    }
}
impl Record for Tokens {
    const TABLE: Table = Table::Tokens;
}
impl Record for Flow {
    const TABLE: Table = Table::Flows;
    fn lookup(&self) -> Option<String> {
        Some(self.state.expose().to_owned())
    }
}
