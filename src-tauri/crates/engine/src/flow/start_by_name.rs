//! A sign-in for a credential by its name, and the cookie that ties it to a browser.

use crate::{
    ConnectOptions, Engine, Error, StartedFlow,
    access::{consent::AccessRequest, policy::Operation, resolve, visibility::Sight},
};
use tokenry_core::{Caller, Connection, ConnectionStatus, GrantType, Secret};

/// What a name can stand for.
enum Meant {
    Connection(Box<Connection>),
    Provider(String),
}

impl Engine {
    /// Starts a sign-in for a connection, or for a new one at a provider: it is `pending` until the answer is there.
    /// One that waits for its first sign-in already goes on with that one.
    ///
    /// # Errors
    /// When nothing has this name, or what has it is of a type without a consent flow; the caller may not, or no
    /// redirect can be caught.
    pub async fn start_oauth(&self, caller: &Caller, name: &str) -> Result<StartedFlow, Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::StartFlow))?;
        match self.meant(caller, name)? {
            Meant::Provider(provider) => {
                self.has_consent_flow(&provider)?;
                self.connect(caller, &provider, ConnectOptions::default()).await
            }
            Meant::Connection(connection) if connection.status == ConnectionStatus::Pending => {
                self.open_sign_in(caller, &connection).await
            }
            Meant::Connection(connection) => {
                let provider = connection.provider.to_string();
                self.has_consent_flow(&provider)?;
                let how = ConnectOptions {
                    renew: Some(connection.id.to_string()),
                    ..ConnectOptions::default()
                };
                self.connect(caller, &provider, how).await
            }
        }
    }

    /// What a browser keeps, to show later that it is the one the sign-in was started in. It is worth nothing
    /// without the key, and tells nothing of the `state`.
    ///
    /// # Errors
    /// While locked.
    pub fn state_cookie(&self, state: &Secret) -> Result<Secret, Error> {
        let hash = self.store()?.vault().lookup("state cookie", state.expose());
        Ok(Secret::hex(&hash))
    }

    fn has_consent_flow(&self, provider: &str) -> Result<(), Error> {
        let provider = self.provider_record(provider)?;
        match provider.settings.grant_type {
            GrantType::AuthorizationCode => Ok(()),
            GrantType::ClientCredentials => Err(Error::field(
                "grant_type",
                format!(
                    "is client_credentials: {} has no consent flow; connect it with `tokenry connect {0}`",
                    provider.name
                ),
            )),
        }
    }

    /// A credential that was entered by hand says which type it is, to a caller that may see it.
    fn another_type(&self, caller: &Caller, name: &str) -> Option<Error> {
        let store = self.store().ok()?;
        let (id, known) = self.known(caller, &store, name)?;
        let wanted = AccessRequest::new(Operation::ListCredentials).of_credential(id, known.created_by);
        self.allow_on(caller, &wanted).ok()?;
        let text = format!(
            "is {}: only a credential of type oauth2_refresh has a consent flow",
            known.kind.as_str()
        );
        Some(Error::field("type", text))
    }

    fn meant(&self, caller: &Caller, name: &str) -> Result<Meant, Error> {
        let store = self.store()?;
        let index = store.index();
        let sight = Sight::of(&index, caller, self.latest());
        let found = match sight.connection(name) {
            Ok(connection) => Some(connection.clone()),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        if let Some(connection) = found {
            return match connection.status {
                ConnectionStatus::Disconnecting => Err(resolve::gone(name)),
                _ => Ok(Meant::Connection(Box::new(connection))),
            };
        }
        let provider = match sight.provider(name) {
            Ok(provider) => provider,
            Err(error) => {
                drop(index);
                return Err(self.another_type(caller, name).unwrap_or(error));
            }
        };
        // The one that this caller started and that goes by the provider's name alone.
        let waits = |c: &&Connection| {
            c.status == ConnectionStatus::Pending
                && c.label.is_none()
                && c.started_by == caller.app()
                && self.may_go_on_with(caller, c.id)
        };
        let waiting = index.of_provider(provider).find(waits).cloned();
        Ok(waiting.map_or_else(
            || Meant::Provider(provider.to_string()),
            |connection| Meant::Connection(Box::new(connection)),
        ))
    }

    /// The open sign-in of a connection that has none behind it yet.
    async fn open_sign_in(&self, caller: &Caller, connection: &Connection) -> Result<StartedFlow, Error> {
        let wanted = AccessRequest::new(Operation::StartFlow)
            .at(connection.provider)
            .of(connection.id, connection.started_by);
        let open = || {
            if self
                .flow_waiting_for(connection.id)
                .is_some_and(|flow| flow.device.is_some())
            {
                return Err(Error::Conflict(
                    "a sign-in on another device is open for this connection; finish it there, or call it off"
                        .to_owned(),
                ));
            }
            let flow = self.open_flow_of(connection.id);
            let started = flow
                .and_then(|flow| self.started(flow))
                .ok_or(Error::FlowExpired)?;
            match self.may_go_on_with(caller, connection.id) {
                true => Ok(started),
                false => Err(Error::Conflict(
                    "another program has a sign-in open for this connection; finish it there, or call it off"
                        .to_owned(),
                )),
            }
        };
        let check = async { open().map(drop) };
        self.check_before_asking(caller, &wanted, check).await?;
        self.permit(caller, wanted).await?;
        open()
    }
}
