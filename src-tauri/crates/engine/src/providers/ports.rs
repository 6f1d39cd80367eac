//! The ports of a provider's loopback redirect: chosen once and kept, since they are registered at the provider.

use crate::{Engine, Error, engine::blocking, records::sealed_store::SealedStore};
use std::{collections::BTreeSet, ops::Range, sync::Arc};
use tokenry_core::{ConnectionStatus, Provider};

/// Ports that systems do not give out by themselves (those begin at 32768 on Linux and at 49152 elsewhere) and that few
/// programs use.
const PORTS: Range<u16> = 28_100..29_900;
/// One to use and two for when it is taken.
const PORTS_OF_ONE: usize = 3;
/// From one port of a provider to the next: what takes a port may take its neighbours. It has no divisor in common with
/// the number of ports, so that all of them come up.
const STEP: u32 = 607;

impl Engine {
    /// A provider as it is kept: with ports of its own, and with redirect URIs that are no other provider's.
    pub(crate) async fn ready_to_register(
        &self,
        store: &Arc<SealedStore>,
        provider: Provider,
        is_new: bool,
    ) -> Result<Provider, Error> {
        let others = store.clone();
        let others = blocking(move || others.all::<Provider>()).await?;
        let shared = others
            .iter()
            .find_map(|other| Some((other, provider.shared_redirect_uri(other)?)));
        if let Some((other, uri)) = shared {
            let field = match &provider.settings.redirect_uri {
                Some(own) if *own == uri => "redirect_uri",
                _ if provider.settings.redirect_path.is_some() => "redirect_path",
                _ => "loopback_ports",
            };
            let text = format!(
                "cannot be this one: {uri} is the redirect URI of {} already, and each provider needs its own",
                other.name
            );
            return Err(Error::field(field, text));
        }
        Ok(self.given_ports(store, provider, &others, is_new))
    }

    /// The same provider with ports, before a sign-in: one that an older version kept may have none.
    pub(crate) async fn with_ports(&self, provider: Provider) -> Result<Provider, Error> {
        if !provider.lacks_loopback_ports() {
            return Ok(provider);
        }
        let (store, now) = (self.store()?, self.now());
        let others = store.clone();
        let others = blocking(move || others.all::<Provider>()).await?;
        let provider = self.given_ports(&store, provider, &others, false);
        let kept = provider.clone();
        blocking(move || store.change(now, |transaction| transaction.put(kept.id.row(), &kept))).await?;
        Ok(provider)
    }

    /// A provider that is not kept yet, as it would be.
    ///
    /// # Errors
    /// While locked.
    pub(crate) fn with_ports_to_come(&self, provider: Provider) -> Result<Provider, Error> {
        let store = self.store()?;
        let others = store.all::<Provider>()?;
        Ok(self.given_ports(&store, provider, &others, true))
    }

    /// Older versions used another port each time. Where an account is connected, the provider took any: so it stays, and
    /// what was registered there stays right.
    fn given_ports(
        &self,
        store: &SealedStore,
        mut provider: Provider,
        others: &[Provider],
        is_new: bool,
    ) -> Provider {
        if !provider.lacks_loopback_ports() {
            return provider;
        }
        let before = others.iter().find(|other| other.id == provider.id);
        let is_older = !is_new && before.is_none_or(Provider::lacks_loopback_ports);
        let index = store.index();
        let mut connections = index.standing_of_provider(provider.id);
        if is_older && connections.any(|connection| connection.status != ConnectionStatus::Pending) {
            provider.settings.loopback_any_port = true;
        } else {
            let taken = others
                .iter()
                .flat_map(|other| other.settings.loopback_ports.iter().copied());
            let name = format!("{}/{}", provider.project, provider.name);
            provider.settings.loopback_ports = chosen(&taken.collect(), &name);
        }
        provider
    }
}

/// Ports that no other provider has, for as long as there are some. They follow from the provider's name, so that they are
/// known before it is added: for a client id its redirect URI has to be registered first.
fn chosen(taken: &BTreeSet<u16>, provider: &str) -> Vec<u16> {
    let length = u32::from(PORTS.end - PORTS.start);
    let first = hash(provider) % length;
    let all = (0..length).map(|number| (first + number * STEP) % length);
    let all = all.filter_map(|offset| Some(PORTS.start + u16::try_from(offset).ok()?));
    let (free, used): (Vec<_>, Vec<_>) = all.partition(|port| !taken.contains(port));
    let mut ports = Vec::new();
    for port in free.into_iter().chain(used) {
        if ports.len() < PORTS_OF_ONE && !ports.contains(&port) {
            ports.push(port);
        }
    }
    ports
}

/// FNV-1a. It only has to spread names over ports, the same way in each version.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Registered redirect URIs hold them: another version must choose the same.
    #[test]
    fn the_ports_of_a_name_are_frozen() {
        let none = BTreeSet::new();
        assert_eq!(chosen(&none, "default/github"), [28356, 28963, 29570]);
        let first = BTreeSet::from([chosen(&none, "default/github")[0]]);
        assert_eq!(
            chosen(&first, "default/github")[..2],
            chosen(&none, "default/github")[1..]
        );
    }

    #[test]
    fn chosen_ports_differ_from_those_of_other_providers_while_there_are_some() {
        let mut taken = BTreeSet::new();
        for number in 0..u32::from(PORTS.end - PORTS.start) / 3 {
            let ports = chosen(&taken, &format!("default/provider-{number}"));
            assert_eq!(ports.len(), PORTS_OF_ONE, "{number}");
            for port in ports {
                assert!(PORTS.contains(&port) && taken.insert(port), "{port} of {number}");
            }
        }
        let ports: BTreeSet<_> = chosen(&taken, "default/last").into_iter().collect();
        assert_eq!(ports.len(), PORTS_OF_ONE, "when all are taken they are shared");
    }
}
