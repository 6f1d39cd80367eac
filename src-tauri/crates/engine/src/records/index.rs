//! The index in memory: names, status and due times of everything that is stored.

use super::served::{Served, ServedCache};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use tokenry_core::{
    App, AppId, Connection, ConnectionId, ConnectionStatus, Credential, CredentialId, CredentialType, Grant,
    GrantId, Name, Provider, ProviderId, Timestamp,
};

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
    apps: HashMap<AppId, App>,
    grants: HashMap<AppId, Vec<Grant>>,
    credentials: HashMap<CredentialId, CredentialEntry>,
    credential_names: HashMap<(Name, Name), CredentialId>,
    served: ServedCache,
}

/// What may be known of a credential without opening it: all of it but its values.
#[derive(Debug, Clone)]
pub(crate) struct CredentialEntry {
    pub(crate) project: Name,
    pub(crate) name: Name,
    pub(crate) kind: CredentialType,
    pub(crate) fields: Vec<String>,
    pub(crate) redact_fields: BTreeSet<String>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) created_by: Option<AppId>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) last_used_at: Option<Timestamp>,
}

impl CredentialEntry {
    pub(crate) fn of(credential: &Credential) -> Self {
        Self {
            project: credential.project.clone(),
            name: credential.name.clone(),
            kind: credential.kind,
            fields: credential.data.keys().cloned().collect(),
            redact_fields: credential.redact_fields.clone(),
            expires_at: credential.expires_at,
            created_by: credential.created_by,
            created_at: credential.created_at,
            updated_at: credential.updated_at,
            last_used_at: credential.last_used_at,
        }
    }

    /// Whether it has not expired. One that has may be there until the schedule comes to it, and is not handed out.
    pub(crate) fn is_alive(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}

impl Index {
    pub(super) fn new(
        providers: Vec<Provider>,
        connections: Vec<Connection>,
        apps: Vec<App>,
        grants: Vec<Grant>,
        credentials: &[Credential],
    ) -> Self {
        let mut index = Self::default();
        apps.into_iter().for_each(|app| index.put_app(app));
        grants.into_iter().for_each(|grant| index.put_grant(grant));
        credentials
            .iter()
            .for_each(|credential| index.put_credential(credential));
        for provider in &providers {
            index.put_provider(provider);
        }
        for connection in connections {
            index.put(connection);
        }
        index
    }

    pub(super) fn put_provider(&mut self, provider: &Provider) {
        self.drop_provider(provider.id);
        let (project, name) = (provider.project.clone(), provider.name.clone());
        self.called.insert(call(&project, &name), provider.id);
        self.providers.insert(provider.id, (project, name));
    }

    pub(super) fn drop_provider(&mut self, id: ProviderId) {
        self.served.forget(id);
        if let Some((project, name)) = self.providers.remove(&id) {
            self.called.remove(&call(&project, &name));
        }
    }

    pub(super) fn put(&mut self, connection: Connection) {
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

    pub(super) fn drop_connection(&mut self, id: ConnectionId) {
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

    /// What a provider serves, if it was read since it changed last; and the number of changes, for [`Self::keep_served`].
    pub(crate) fn served(&self, id: ProviderId) -> (Option<Arc<Served>>, u64) {
        self.served.get(id)
    }

    /// Keeps what was read after this number of changes, unless there was another one.
    pub(crate) fn keep_served(&self, id: ProviderId, served: &Arc<Served>, changes: u64) {
        self.served.keep(id, served, changes);
    }

    pub(crate) fn provider_count(&self) -> u64 {
        self.providers.len() as u64
    }

    pub(crate) fn provider_name(&self, id: ProviderId) -> Option<&Name> {
        self.providers.get(&id).map(|(_, name)| name)
    }

    pub(crate) fn project_of(&self, id: ProviderId) -> Option<&Name> {
        self.providers.get(&id).map(|(project, _)| project)
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

    /// Those of a provider with this label, or with none.
    pub(crate) fn of_provider_labelled<'a>(
        &'a self,
        id: ProviderId,
        label: Option<&'a str>,
    ) -> Box<dyn Iterator<Item = &'a Connection> + 'a> {
        match label {
            Some(label) => Box::new(self.labelled(label).filter(move |c| c.provider == id)),
            None => Box::new(self.of_provider(id).filter(|c| c.label.is_none())),
        }
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
        self.of_provider(id).filter(|c| is_usable(c))
    }

    /// Those of a provider that were made: their first sign-in is over.
    pub(crate) fn standing_of_provider(&self, id: ProviderId) -> impl Iterator<Item = &Connection> {
        self.of_provider(id)
            .filter(|c| c.status != ConnectionStatus::Pending)
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

    pub(super) fn put_app(&mut self, app: App) {
        self.apps.insert(app.id, app);
    }

    pub(super) fn drop_app(&mut self, id: AppId) {
        self.apps.remove(&id);
        self.grants.remove(&id);
    }

    pub(crate) fn app(&self, id: AppId) -> Option<&App> {
        self.apps.get(&id)
    }

    pub(crate) fn apps(&self) -> impl Iterator<Item = &App> {
        self.apps.values()
    }

    pub(super) fn put_grant(&mut self, grant: Grant) {
        self.drop_grant(grant.id);
        self.grants.entry(grant.app).or_default().push(grant);
    }

    pub(super) fn drop_grant(&mut self, id: GrantId) {
        self.grants
            .values_mut()
            .for_each(|grants| grants.retain(|grant| grant.id != id));
    }

    pub(crate) fn grants_of(&self, app: AppId) -> impl Iterator<Item = &Grant> {
        self.grants.get(&app).into_iter().flatten()
    }

    pub(crate) fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.grants.values().flatten()
    }

    pub(super) fn put_credential(&mut self, credential: &Credential) {
        self.drop_credential(credential.id);
        let known = CredentialEntry::of(credential);
        let name = (known.project.clone(), known.name.clone());
        self.credential_names.insert(name, credential.id);
        self.credentials.insert(credential.id, known);
    }

    pub(super) fn drop_credential(&mut self, id: CredentialId) {
        if let Some(gone) = self.credentials.remove(&id) {
            self.credential_names.remove(&(gone.project, gone.name));
        }
    }

    pub(crate) fn credential_called(&self, project: &Name, name: &Name) -> Option<CredentialId> {
        self.credential_names
            .get(&(project.clone(), name.clone()))
            .copied()
    }

    pub(crate) fn credential(&self, id: CredentialId) -> Option<&CredentialEntry> {
        self.credentials.get(&id)
    }

    pub(crate) fn credentials(&self) -> impl Iterator<Item = (CredentialId, &CredentialEntry)> {
        self.credentials.iter().map(|(id, known)| (*id, known))
    }
}

/// Whether a caller can mean it: it does not still wait, and is not already going.
pub(crate) fn is_usable(connection: &Connection) -> bool {
    !matches!(
        connection.status,
        ConnectionStatus::Pending | ConnectionStatus::Disconnecting
    )
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
        let mut index = Index::new(
            Vec::new(),
            vec![one.clone(), other.clone()],
            Vec::new(),
            Vec::new(),
            &[],
        );
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
