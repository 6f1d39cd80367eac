//! Which connections serve an address: those that the user bound to it, before those whose provider is known for it.

use crate::{
    Engine, Error,
    access::{policy::Operation, visibility::Sight},
    records::index::is_usable,
};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use tokenry_core::{Caller, Connection, NamedBy, Provider, ServedAddress, ServingConnection, read_target};
use url::Url;

/// How well a connection fits: a binding comes first, whatever else was named; then the longer path.
type Rank = (bool, (usize, bool));

/// What is known of a provider without its connections.
struct Facts {
    name: String,
    resource: Option<ServedAddress>,
    /// From what hosts are for to the hosts.
    hosts: BTreeMap<String, Vec<ServedAddress>>,
    user_names: BTreeMap<String, String>,
}

impl Engine {
    /// The connections whose tokens may go to an address: those with the longest path that was named. None of them
    /// where neither the user nor a preset named the host. Several where only the user can tell which one is meant.
    ///
    /// # Errors
    /// While locked, and when it is no address that a token may go to.
    pub async fn serving(&self, caller: &Caller, address: &str) -> Result<Vec<ServingConnection>, Error> {
        let may_read = self.allow(caller, Operation::ReadConnections);
        let url = read_target(address).map_err(|wrong| Error::field("url", &wrong))?;
        let mut connections: Vec<(Connection, String)> = {
            let store = self.store()?;
            let index = store.index();
            let sight = Sight::of(&index, caller, self.latest());
            let seen = index.connections().filter(|c| is_usable(c) && sight.sees(c));
            seen.map(|c| (c.clone(), index.name_of(c))).collect()
        };
        if let Err(refused) = may_read {
            // Who may have a token of a connection may know where it goes.
            connections.retain(|(connection, _)| self.may_do(caller, Operation::Token, connection));
            if connections.is_empty() {
                return Err(refused);
            }
        }
        let mut providers = HashMap::new();
        let mut found = Vec::new();
        for (connection, name) in &connections {
            let id = connection.provider;
            let facts = match providers.entry(id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(facts(&self.provider_by_id(id)?)),
            };
            found.extend(facts.serves(connection, name, &url));
        }
        let best = found.iter().map(|(rank, _)| *rank).max();
        let best = found.into_iter().filter(|(rank, _)| Some(*rank) == best);
        let mut best: Vec<_> = best.map(|(_, connection)| connection).collect();
        best.sort_by(|a, b| a.connection_name.cmp(&b.connection_name));
        Ok(best)
    }
}

impl Facts {
    fn serves(&self, connection: &Connection, name: &str, url: &Url) -> Option<(Rank, ServingConnection)> {
        let bound = connection.bindings.iter();
        let bound = bound.filter_map(|text| ServedAddress::read(text).ok());
        let resource = connection.resource.as_deref();
        let resource = resource.and_then(|text| ServedAddress::read(text).ok());
        let known = self.hosts.values().flatten().cloned();
        let named = bound
            .map(|address| (NamedBy::Binding, address))
            .chain(
                resource
                    .into_iter()
                    .chain(self.resource.clone())
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
        let serving = ServingConnection {
            connection_id: connection.id.uuid(),
            connection_name: name.to_owned(),
            provider_name: self.name.clone(),
            named_by,
            address: address.to_string(),
            kinds: self.kinds_of(url),
            user_names: self.user_names.clone(),
        };
        Some((rank, serving))
    }

    fn kinds_of(&self, url: &Url) -> Vec<String> {
        let of_host = self
            .hosts
            .iter()
            .filter(|(_, hosts)| hosts.iter().any(|host| host.covers(url)));
        of_host.map(|(kind, _)| kind.clone()).collect()
    }
}

fn facts(provider: &Provider) -> Facts {
    let resource = provider.settings.resource.as_deref();
    let mut facts = Facts {
        name: provider.name.to_string(),
        resource: resource.and_then(|text| ServedAddress::read(text).ok()),
        hosts: BTreeMap::new(),
        user_names: BTreeMap::new(),
    };
    // A preset that is no longer known names no host.
    let stored = provider.preset.as_ref();
    let preset = stored.and_then(|stored| Some((tokenry_catalog::get(&stored.name).ok()??, stored)));
    let Some((preset, stored)) = preset else {
        return facts;
    };
    for (kind, hosts) in tokenry_catalog::serves(&preset, &stored.variables) {
        let hosts = hosts.iter().filter_map(|host| ServedAddress::of_host(host));
        facts.hosts.insert(kind, hosts.collect());
    }
    facts.user_names = preset.user_names;
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::common::{World, ui};
    use tokenry_core::{PreviewPreset, Scopes};
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
        let (_, serving) = facts(&provider).serves(&connection, preset, &url)?;
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
