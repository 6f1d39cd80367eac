//! How a connection of a backup stands beside those that are here.

use super::{Place, Planner, RestoreKind, RestoreState, Standing};
use crate::{
    Error,
    access::consent::{Differences, fingerprint},
    backup::collect,
    records::index::is_usable,
};
use tokenry_backup::{SavedConnection, SavedStatus};
use tokenry_core::{Account, Connection, ConnectionStatus, ProviderId, Scopes};

impl Planner<'_> {
    pub(super) fn connection(&mut self, saved: &SavedConnection) -> Result<(), Error> {
        let Some(provider) = self.providers.get(&saved.provider) else {
            return Err(Error::Internal(
                "a connection in a backup has no provider".to_owned(),
            ));
        };
        let (place, provider_name) = (provider.place, provider.name.clone());
        let (needs, needs_no_refresh_token) = (provider.needs.clone(), provider.needs_no_refresh_token);
        let found = if provider.is_here {
            self.found(saved, place)
        } else {
            None
        };
        let label = match &found {
            Some(_) => saved.label.clone(),
            None => self.new_label(saved, place),
        };
        if let (None, Some(label)) = (&found, &label) {
            self.labels.insert((place, label.clone()));
        }
        let target = found.as_ref().map_or(saved.id, |here| here.id);
        let mut standing = match &found {
            None => Standing::new(),
            Some(here) => self.beside(here, saved, place)?,
        };
        if found.is_none() && label != saved.label {
            standing.note = Some(format!(
                "It gets the label {}, because its name is taken here.",
                label.as_deref().unwrap_or_default()
            ));
        }
        let is_dead = found
            .as_ref()
            .is_none_or(|here| matches!(here.status, ConnectionStatus::NeedsReauth(_)));
        let is_saved = needs_no_refresh_token && saved.status != SavedStatus::NeedsReauth
            || saved.refresh_token.is_some();
        let is_kept = standing.state == RestoreState::Same;
        let name = match &label {
            Some(label) => format!("{provider_name}/{label}"),
            None => provider_name,
        };
        let (kind, id) = (RestoreKind::Connection, saved.id.to_string());
        self.add(kind, id, name, Place::Connection(target, place), standing);
        if let (Some(item), Some(detail)) = (self.plan.items.last_mut(), self.plan.details.last_mut()) {
            item.needs = needs.filter(|_| item.state != RestoreState::Same);
            item.needs_sign_in = is_dead && (is_kept || !is_saved);
            detail.label = label;
        }
        Ok(())
    }

    /// The connection here that a saved one is, or whose name it has.
    fn found(&self, saved: &SavedConnection, provider: ProviderId) -> Option<Connection> {
        let index = self.store.index();
        let namesake = || {
            let mut namesakes = index.of_provider_labelled(provider, saved.label.as_deref());
            namesakes
                .find(|here| is_usable(here) && is_same_account(here, saved))
                .cloned()
        };
        index.connection(saved.id).cloned().or_else(namesake)
    }

    /// The label of a connection that is added: its own, or who it is where its name is taken.
    fn new_label(&self, saved: &SavedConnection, provider: ProviderId) -> Option<String> {
        let index = self.store.index();
        let is_taken = |label: Option<&str>| {
            let is_here = index.of_provider_labelled(provider, label).next().is_some();
            is_here || label.is_some_and(|label| self.labels.contains(&(provider, label.to_owned())))
        };
        if !is_taken(saved.label.as_deref()) {
            return saved.label.clone();
        }
        let shown = saved.account.as_ref().map_or("restored", Account::display_name);
        let base: String = tokenry_core::clean(&shown.replace('/', "-"))
            .chars()
            .take(56)
            .collect();
        let base = base.trim().to_owned();
        let numbered = (2..).map(|n| format!("{base}-{n}"));
        std::iter::once(base.clone())
            .chain(numbered)
            .find(|label| !is_taken(Some(label)))
    }

    fn beside(
        &self,
        here: &Connection,
        saved: &SavedConnection,
        provider: ProviderId,
    ) -> Result<Standing, Error> {
        let mut differences = Differences::default();
        differences.text("label", here.label.clone(), saved.label.clone());
        let account = |account: Option<&Account>| account.map(|account| account.display_name().to_owned());
        let is_same_account = is_same_account(here, saved);
        if !is_same_account {
            differences.decisive(
                "account",
                account(here.account.as_ref()),
                account(saved.account.as_ref()),
            );
        }
        let scope = |scopes: &Scopes| Some(scopes.join(" ")).filter(|text| !text.is_empty());
        differences.text(
            "scope",
            scope(&here.requested_scopes),
            scope(&saved.requested_scopes),
        );
        if let Some(refresh_token) = &saved.refresh_token {
            let (of_here, _) = collect::refresh_token(self.store, here.id.row())?;
            let vault = self.store.vault();
            differences.secret(
                "refresh_token",
                fingerprint(vault, of_here.as_ref()),
                fingerprint(vault, Some(refresh_token)),
            );
        }
        let is_taken = saved.label.as_ref().is_some_and(|label| {
            let index = self.store.index();
            let mut namesakes = index.of_provider_labelled(provider, Some(label));
            namesakes.any(|other| other.id != here.id)
        });
        Ok(if here.provider != provider {
            Standing::stuck(differences, "It belongs to another provider here.")
        } else if !is_usable(here) {
            Standing::stuck(
                differences,
                "It is being disconnected here, or waits for its first sign-in: try again later.",
            )
        } else if !is_same_account {
            Standing::stuck(
                differences,
                "It belongs to another account here: rename or disconnect that one first.",
            )
        } else if is_taken {
            Standing::stuck(
                differences,
                "Another connection here has this label: rename that one first.",
            )
        } else {
            Standing::beside(differences)
        })
    }
}

/// Whether both are of one account, as far as that is known.
fn is_same_account(here: &Connection, saved: &SavedConnection) -> bool {
    match (&here.account, &saved.account) {
        (Some(here), Some(saved)) => here.subject == saved.subject,
        _ => true,
    }
}
