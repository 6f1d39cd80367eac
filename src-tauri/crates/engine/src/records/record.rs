//! Which types are sealed records, in which table, and how they are serialized.

use serde::{Serialize, de::DeserializeOwned};
use tokenry_core::{
    App, AppId, Connection, ConnectionId, Credential, CredentialId, Event, Flow, Grant, GrantId, Provider,
    ProviderId, Settings, Tokens,
};
use tokenry_store::Table;

/// The format that records are written in; it is part of what they are sealed with.
pub(crate) const FORMAT: u32 = 1;

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

/// What a committed transaction means for the index and for watchers.
pub(crate) enum Effect {
    Provider(Box<Provider>),
    ProviderGone(ProviderId),
    Connection(Box<Connection>),
    ConnectionGone(ConnectionId),
    App(Box<App>),
    AppGone(AppId),
    Grant(Box<Grant>),
    GrantGone(GrantId),
    Credential(Box<Credential>),
    CredentialGone(CredentialId),
    Settings,
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
impl Record for App {
    const TABLE: Table = Table::Apps;
    fn lookup(&self) -> Option<String> {
        Some(self.name.to_string())
    }
    fn effect(&self) -> Option<Effect> {
        Some(Effect::App(Box::new(self.clone())))
    }
}
impl Record for Grant {
    const TABLE: Table = Table::Grants;
    fn effect(&self) -> Option<Effect> {
        Some(Effect::Grant(Box::new(self.clone())))
    }
}
impl Record for Credential {
    const TABLE: Table = Table::Credentials;
    fn lookup(&self) -> Option<String> {
        Some(format!("{}/{}", self.project, self.name))
    }
    fn effect(&self) -> Option<Effect> {
        Some(Effect::Credential(Box::new(self.clone())))
    }
}
impl Record for Settings {
    const TABLE: Table = Table::Settings;
    fn effect(&self) -> Option<Effect> {
        Some(Effect::Settings)
    }
}
