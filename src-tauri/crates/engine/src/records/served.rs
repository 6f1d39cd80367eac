//! What a provider serves: read from its settings and its preset once, and kept beside the index until the provider changes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use tokenry_core::{Provider, ProviderId, ServedAddress};

/// What is known of a provider without its connections.
pub(crate) struct Served {
    pub(crate) name: String,
    pub(crate) resource: Option<ServedAddress>,
    /// From what hosts are for to the hosts.
    pub(crate) hosts: BTreeMap<String, Vec<ServedAddress>>,
    pub(crate) user_names: BTreeMap<String, String>,
}

impl Served {
    pub(crate) fn of(provider: &Provider) -> Self {
        let resource = provider.settings.resource.as_deref();
        let mut served = Self {
            name: provider.name.to_string(),
            resource: resource.and_then(|text| ServedAddress::read(text).ok()),
            hosts: BTreeMap::new(),
            user_names: BTreeMap::new(),
        };
        // A preset that is no longer known names no host.
        let stored = provider.preset.as_ref();
        let preset = stored.and_then(|stored| Some((tokenry_catalog::get(&stored.name).ok()??, stored)));
        let Some((preset, stored)) = preset else {
            return served;
        };
        for (kind, hosts) in tokenry_catalog::serves(&preset, &stored.variables) {
            let hosts = hosts.iter().filter_map(|host| ServedAddress::of_host(host));
            served.hosts.insert(kind, hosts.collect());
        }
        served.user_names = preset.user_names;
        served
    }
}

/// What was read so far.
#[derive(Default)]
pub(super) struct ServedCache {
    /// How often a provider changed. What was read before a change is not kept after it.
    changes: u64,
    read: Mutex<HashMap<ProviderId, Arc<Served>>>,
}

impl ServedCache {
    pub(super) fn forget(&mut self, id: ProviderId) {
        self.changes += 1;
        self.read
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }

    /// What is kept, and the number of changes so far.
    pub(super) fn get(&self, id: ProviderId) -> (Option<Arc<Served>>, u64) {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        (read.get(&id).cloned(), self.changes)
    }

    pub(super) fn keep(&self, id: ProviderId, served: &Arc<Served>, changes: u64) {
        if changes == self.changes {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            read.insert(id, served.clone());
        }
    }
}
