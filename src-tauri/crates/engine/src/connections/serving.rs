//! Which connections serve an address: those that the user bound to it, before those whose provider is known for it.

use crate::{
    Engine, Error, TokenRequest, TokenView,
    access::{policy::Operation, visibility::Sight},
    records::{index::is_usable, served::Served},
};
use std::sync::Arc;
use tokenry_core::{Caller, Connection, NamedBy, ProviderId, ServedAddress, ServingConnection, read_target};
use url::Url;

/// How well a connection fits: a binding comes first, whatever else was named; then the longer path.
type Rank = (bool, (usize, bool));

impl Engine {
    /// The connections whose tokens may go to an address: those with the longest path that was named. None of them
    /// where neither the user nor a preset named the host. Several where only the user can tell which one is meant.
    ///
    /// # Errors
    /// While locked, and when it is no address that a token may go to.
    pub async fn serving(&self, caller: &Caller, address: &str) -> Result<Vec<ServingConnection>, Error> {
        let may_read = self.allow(caller, Operation::ReadConnections).is_ok();
        let url = read_target(address).map_err(|wrong| Error::field("url", &wrong))?;
        // A binding comes before everything else, so the providers of other connections need not be read then.
        for only_bound in [true, false] {
            let mut connections = self.usable(caller, only_bound.then_some(&url))?;
            if !may_read {
                // Who may have a token of a connection may know where it goes.
                connections.retain(|(connection, _)| self.may_do(caller, Operation::Token, connection));
                if connections.is_empty() && !only_bound {
                    self.allow(caller, Operation::ReadConnections)?;
                }
            }
            let best = self.best(&connections, &url)?;
            if !best.is_empty() {
                return Ok(best);
            }
        }
        Ok(Vec::new())
    }

    /// Those of them that serve it for one of these kinds, and the token of the only one.
    ///
    /// # Errors
    /// As [`Engine::serving`] and [`Engine::token`].
    pub async fn token_for(
        &self,
        caller: &Caller,
        address: &str,
        kinds: &[String],
    ) -> Result<(Vec<ServingConnection>, Option<TokenView>), Error> {
        let mut found = self.serving(caller, address).await?;
        found.retain(|one| one.is_for(kinds));
        let [only] = found.as_slice() else {
            // An app that may have no token at all is told so, whatever the address.
            self.holds(caller, Operation::Token)?;
            return Ok((found, None));
        };
        let id = only.connection_id.to_string();
        let token = self.token(caller, &id, TokenRequest::default()).await?;
        Ok((found, Some(token)))
    }

    /// The usable connections that the caller sees, with their names: all, or those with a binding that covers an address.
    fn usable(&self, caller: &Caller, bound: Option<&Url>) -> Result<Vec<(Connection, String)>, Error> {
        let store = self.store()?;
        let index = store.index();
        let sight = Sight::of(&index, caller, self.latest());
        let is_bound = |connection: &Connection, url: &Url| bindings(connection).any(|one| one.covers(url));
        let seen = index
            .connections()
            .filter(|one| is_usable(one) && bound.is_none_or(|url| is_bound(one, url)) && sight.sees(one));
        Ok(seen.map(|one| (one.clone(), index.name_of(one))).collect())
    }

    fn best(&self, connections: &[(Connection, String)], url: &Url) -> Result<Vec<ServingConnection>, Error> {
        let mut found = Vec::new();
        for (connection, name) in connections {
            let served = self.served(connection.provider)?;
            found.extend(serves(&served, connection, name, url));
        }
        let best = found.iter().map(|(rank, _)| *rank).max();
        let best = found.into_iter().filter(|(rank, _)| Some(*rank) == best);
        let mut best: Vec<_> = best.map(|(_, connection)| connection).collect();
        best.sort_by(|a, b| a.connection_name.cmp(&b.connection_name));
        Ok(best)
    }

    fn served(&self, provider: ProviderId) -> Result<Arc<Served>, Error> {
        let (known, changes) = self.store()?.index().served(provider);
        if let Some(known) = known {
            return Ok(known);
        }
        let served = Arc::new(Served::of(&self.provider_by_id(provider)?));
        self.store()?.index().keep_served(provider, &served, changes);
        Ok(served)
    }
}

fn bindings(connection: &Connection) -> impl Iterator<Item = ServedAddress> {
    let bound = connection.bindings.iter();
    bound.filter_map(|text| ServedAddress::read(text).ok())
}

fn serves(
    served: &Served,
    connection: &Connection,
    name: &str,
    url: &Url,
) -> Option<(Rank, ServingConnection)> {
    let resource = connection.resource.as_deref();
    let resource = resource.and_then(|text| ServedAddress::read(text).ok());
    let known = served.hosts.values().flatten().cloned();
    let named = bindings(connection)
        .map(|address| (NamedBy::Binding, address))
        .chain(
            resource
                .into_iter()
                .chain(served.resource.clone())
                .map(|address| (NamedBy::Resource, address)),
        )
        .chain(known.map(|address| (NamedBy::Preset, address)));
    let (rank, named_by, address) = named
        .filter(|(_, address)| address.covers(url))
        .map(|(named_by, address)| {
            (
                (named_by == NamedBy::Binding, address.exactness()),
                named_by,
                address,
            )
        })
        .max_by_key(|(rank, ..)| *rank)?;
    let of_host = served
        .hosts
        .iter()
        .filter(|(_, hosts)| hosts.iter().any(|host| host.covers(url)));
    let serving = ServingConnection {
        connection_id: connection.id.uuid(),
        connection_name: name.to_owned(),
        provider_name: served.name.clone(),
        named_by,
        address: address.to_string(),
        kinds: of_host.map(|(kind, _)| kind.clone()).collect(),
        user_names: served.user_names.clone(),
    };
    Some((rank, serving))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::common::{World, ui};
    use tokenry_core::{PreviewPreset, Provider, Scopes};
    use tokenry_testkit::Behaviour;

    /// What is known of a connection of a preset's provider at this address: kinds, and the user name for git.
    async fn known(preset: &str, host: Option<&str>, address: &str) -> Option<(Vec<String>, Option<String>)> {
        let world = World::new(Behaviour::default());
        let engine = world.start().await;
        let variables = host.map(|host| ("host".to_owned(), host.to_owned()));
        let wanted = PreviewPreset {
            variables: variables.into_iter().collect(),
            ..PreviewPreset::default()
        };
        let provider = engine.preview_preset(&ui(), preset, wanted).unwrap();
        let connection = connection_of(&provider, &engine);
        let url = read_target(address).unwrap();
        let (_, serving) = serves(&Served::of(&provider), &connection, preset, &url)?;
        Some((serving.kinds, serving.user_names.get("git").cloned()))
    }

    fn connection_of(provider: &Provider, engine: &Engine) -> Connection {
        let id = tokenry_core::ConnectionId::new(&*engine.inner.clock, &*engine.inner.random);
        Connection::pending(id, provider.id, None, Scopes::default(), engine.now())
    }

    #[tokio::test]
    async fn a_preset_names_the_hosts_of_its_provider_and_what_git_wants_there() {
        for (preset, address, kinds, user) in [
            (
                "github",
                "https://github.com/acme/x.git",
                vec!["git"],
                Some("x-access-token"),
            ),
            (
                "github",
                "https://api.github.com/user",
                vec!["api"],
                Some("x-access-token"),
            ),
            (
                "gitlab",
                "https://gitlab.com/acme/x.git",
                vec!["api", "git"],
                Some("oauth2"),
            ),
        ] {
            let (found, name) = known(preset, None, address).await.unwrap();
            assert_eq!(
                (found, name.as_deref()),
                (kinds.iter().map(|&kind| kind.to_owned()).collect(), user),
                "{address}"
            );
        }
        for address in ["https://gist.github.io/", "https://github.com.evil.example/"] {
            assert_eq!(known("github", None, address).await, None, "{address}");
        }
    }
}
