use std::collections::{HashMap, HashSet};
use tokenry_core::{Connection, ConnectionId, ConnectionStatus, Name, Provider, ProviderId};

/// What has to be found quickly while the vault is open: names, status and due times. No secret, and gone at lock.
#[derive(Default)]
pub(crate) struct Index {
    providers: HashMap<ProviderId, (Name, Name)>,
    /// By what people call them: every hand-out by name comes through here.
    called: HashMap<String, ProviderId>,
    connections: HashMap<ConnectionId, Connection>,
    by_provider: HashMap<ProviderId, HashSet<ConnectionId>>,
    /// Seldom more than one for each label, so a list is enough.
    by_label: HashMap<String, Vec<ConnectionId>>,
}

impl Index {
    pub(crate) fn new(providers: Vec<Provider>, connections: Vec<Connection>) -> Self {
        let mut index = Self::default();
        for provider in &providers {
            index.put_provider(provider);
        }
        for connection in connections {
            index.put(connection);
        }
        index
    }

    pub(crate) fn put_provider(&mut self, provider: &Provider) {
        self.drop_provider(provider.id);
        let (project, name) = (provider.project.clone(), provider.name.clone());
        self.called.insert(call(&project, &name), provider.id);
        self.providers.insert(provider.id, (project, name));
    }

    pub(crate) fn drop_provider(&mut self, id: ProviderId) {
        if let Some((project, name)) = self.providers.remove(&id) {
            self.called.remove(&call(&project, &name));
        }
    }

    pub(crate) fn put(&mut self, connection: Connection) {
        self.drop_connection(connection.id);
        self.by_provider
            .entry(connection.provider)
            .or_default()
            .insert(connection.id);
        if let Some(label) = &connection.label {
            self.by_label
                .entry(label.clone())
                .or_default()
                .push(connection.id);
        }
        self.connections.insert(connection.id, connection);
    }

    pub(crate) fn drop_connection(&mut self, id: ConnectionId) {
        let Some(gone) = self.connections.remove(&id) else {
            return;
        };
        if let Some(siblings) = self.by_provider.get_mut(&gone.provider) {
            siblings.remove(&id);
        }
        let Some(label) = &gone.label else { return };
        if let Some(namesakes) = self.by_label.get_mut(label) {
            namesakes.retain(|other| *other != id);
            if namesakes.is_empty() {
                self.by_label.remove(label);
            }
        }
    }

    pub(crate) fn provider_count(&self) -> u64 {
        self.providers.len() as u64
    }

    pub(crate) fn provider_name(&self, id: ProviderId) -> Option<&Name> {
        self.providers.get(&id).map(|(_, name)| name)
    }

    /// A provider by `name` in the default project, or by `project/name`.
    pub(crate) fn provider_called(&self, reference: &str) -> Option<ProviderId> {
        let in_default = reference
            .strip_prefix(tokenry_core::DEFAULT_PROJECT)
            .and_then(|rest| rest.strip_prefix('/'));
        self.called.get(in_default.unwrap_or(reference)).copied()
    }

    pub(crate) fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(&id)
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.values()
    }

    pub(crate) fn of_provider(&self, id: ProviderId) -> impl Iterator<Item = &Connection> {
        self.by_provider
            .get(&id)
            .into_iter()
            .flatten()
            .filter_map(|id| self.connections.get(id))
    }

    /// All with this label, at whatever provider.
    pub(crate) fn labelled(&self, label: &str) -> impl Iterator<Item = &Connection> {
        self.by_label
            .get(label)
            .into_iter()
            .flatten()
            .filter_map(|id| self.connections.get(id))
    }

    /// Those of a provider that a caller can mean by its name: not the ones still waiting or already going.
    pub(crate) fn usable_of_provider(&self, id: ProviderId) -> impl Iterator<Item = &Connection> {
        self.of_provider(id).filter(|c| {
            !matches!(
                c.status,
                ConnectionStatus::Pending | ConnectionStatus::Disconnecting
            )
        })
    }

    /// What people call a connection.
    pub(crate) fn name_of(&self, connection: &Connection) -> String {
        let provider = match self.providers.get(&connection.provider) {
            Some((project, name)) => call(project, name),
            None => "?".to_owned(),
        };
        match &connection.label {
            Some(label) => format!("{provider}/{label}"),
            None => provider,
        }
    }
}

/// What people call a provider: its name, with its project before it unless that is the one that always exists.
fn call(project: &Name, name: &Name) -> String {
    if project.as_str() == tokenry_core::DEFAULT_PROJECT {
        name.to_string()
    } else {
        format!("{project}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_core::{OsRandom, Scopes, SystemClock, Timestamp};

    fn labelled(label: &str) -> Connection {
        let id = ConnectionId::new(&SystemClock, &OsRandom);
        let provider = ProviderId::new(&SystemClock, &OsRandom);
        let (scopes, now) = (Scopes::default(), Timestamp::UNIX_EPOCH);
        Connection::pending(id, provider, Some(label.to_owned()), scopes, now)
    }

    #[test]
    fn a_label_finds_all_that_have_it_until_they_are_called_otherwise_or_are_gone() {
        let (mut one, other) = (labelled("work"), labelled("work"));
        let mut index = Index::new(Vec::new(), vec![one.clone(), other.clone()]);
        let ids = |index: &Index, label: &str| index.labelled(label).map(|c| c.id).collect::<Vec<_>>();
        assert_eq!(ids(&index, "work"), [one.id, other.id]);
        one.label = Some("home".to_owned());
        index.put(one.clone());
        assert_eq!(
            (ids(&index, "work"), ids(&index, "home")),
            (vec![other.id], vec![one.id])
        );
        one.label = None;
        index.put(one.clone());
        index.drop_connection(other.id);
        assert_eq!((ids(&index, "work"), ids(&index, "home")), (vec![], vec![]));
        assert_eq!(index.connections().map(|c| c.id).collect::<Vec<_>>(), [one.id]);
    }
}
