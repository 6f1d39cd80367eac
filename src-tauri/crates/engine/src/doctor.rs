//! The check of an installation, as far as the engine sees it.
//!
//! What must never be true of it: that it changes anything; that it needs an open vault.

use crate::{
    Engine, Error, SchemeState, VaultState, access::policy::Operation, engine::blocking, newer_preset,
    provider_check::clock, vault_check,
};
use std::{collections::BTreeSet, time::Duration};
use tokenry_core::{Caller, CheckReport, CheckedItem, Provider, SlotKind, Timestamp};
use tokenry_oauth::probe;
use tokio::task::JoinSet;

/// How long the OS keyring and a provider's clock may take. A keyring that asks its user takes longer.
const KEYRING_TIMEOUT: Duration = Duration::from_secs(5);
const CLOCK_TIMEOUT: Duration = Duration::from_secs(4);

/// How many providers are asked for the time.
const MAX_CLOCKS: usize = 3;

impl Engine {
    /// Checks the OS keyring, the vault, the handler of deep links, the daily backup, and the clock against the
    /// providers' (not with `offline`).
    ///
    /// # Errors
    /// When the caller may not. What does not work is no error.
    pub async fn check_installation(&self, caller: &Caller, offline: bool) -> Result<CheckReport, Error> {
        self.allow(caller, Operation::CheckVault)?;
        let (keyring, vault, links, presets, clock) = tokio::join!(
            self.check_keyring(),
            self.check_open_vault(),
            self.check_deep_links(),
            self.check_presets(),
            self.check_clock(offline),
        );
        Ok(vec![keyring, vault, self.check_daily_backup(), links, presets, clock].into())
    }

    async fn check_keyring(&self) -> CheckedItem {
        const NAME: &str = "keyring";
        const AGAIN: &str = "Then run `tokenry doctor` again.";
        let report = self.status().vault;
        let by_keyring = [SlotKind::Keyring, SlotKind::KeyringAndPassphrase];
        if !report.slots.iter().any(|slot| by_keyring.contains(slot)) {
            return CheckedItem::not_checked(NAME, "No key of this vault is in the OS keyring.");
        }
        if report.waiting_for_keyring {
            let next = "Answer its password window. If there is none, restart the keyring service.";
            return CheckedItem::problem(NAME, "Tokenry waits for the OS keyring.", next);
        }
        let engine = self.clone();
        let read = blocking(move || Ok(engine.inner.opener.key_in_keyring()));
        match tokio::time::timeout(KEYRING_TIMEOUT, read).await {
            Ok(Ok(Ok(true))) => {
                CheckedItem::ok(NAME, "The OS keyring answers and holds the key of this vault.")
            }
            Ok(Ok(Ok(false))) => CheckedItem::problem(
                NAME,
                "The OS keyring answers, and the key of this vault is not in it.",
                "Unlock the OS keyring. If the key is lost, unlock the vault with the recovery code: `tokenry unlock \
                 --recovery-fd 0`.",
            ),
            Ok(Ok(Err(text))) => CheckedItem::problem(NAME, text, AGAIN),
            Ok(Err(error)) => CheckedItem::problem(NAME, error.to_string(), AGAIN),
            Err(_) => CheckedItem::problem(
                NAME,
                "The OS keyring does not answer.",
                "Look for its password window and answer it, or restart the keyring service.",
            ),
        }
    }

    async fn check_open_vault(&self) -> CheckedItem {
        const NAME: &str = "vault";
        let report = self.status().vault;
        let store = match self.store() {
            Ok(store) => store,
            Err(error) if report.state == VaultState::Damaged => {
                return CheckedItem::problem(NAME, error.to_string(), "Run `tokenry vault check`.");
            }
            Err(error) => {
                let text = match report.state {
                    VaultState::Absent => "There is no vault yet.".to_owned(),
                    _ => format!("The vault is locked: {error}"),
                };
                return CheckedItem::not_checked(NAME, text);
            }
        };
        self.flush_activity().await;
        let folder = self.inner.folder.clone();
        match blocking(move || Ok(vault_check::of_open(&store, folder))).await {
            Ok(check) if !check.whole => {
                let count = check.problems.len() as u64 + check.more_problems;
                let first = check.problems.first().map(|problem| problem.text.as_str());
                let text = format!(
                    "{count} found in the vault: {}.",
                    first.unwrap_or("not as it should be")
                );
                CheckedItem::problem(NAME, text, "Run `tokenry vault check`.")
            }
            Ok(_) if report.older => CheckedItem::warning(
                NAME,
                "The vault is an older copy, so nothing is refreshed.",
                "Run `tokenry vault accept-older`, or put the newer copy back.",
            ),
            Ok(_) if report.read_only => {
                let why = report.problem.map(|(_, text)| text).unwrap_or_default();
                CheckedItem::problem(NAME, format!("The vault is read-only: {why}"), "Free disk space.")
            }
            Ok(_) => CheckedItem::ok(NAME, "Every record of the vault is as it should be."),
            Err(error) => CheckedItem::problem(NAME, error.to_string(), "Run `tokenry vault check`."),
        }
    }

    fn check_daily_backup(&self) -> CheckedItem {
        const NAME: &str = "daily_backup";
        match self.daily_failure() {
            Some(failure) => CheckedItem::warning(
                NAME,
                format!("The last daily backup failed: {failure}"),
                "Correct it under Settings, Backup.",
            ),
            None => CheckedItem::ok(NAME, "No daily backup failed."),
        }
    }

    /// Only sign-ins that come back by a deep link need it, so nothing of it is a problem.
    async fn check_deep_links(&self) -> CheckedItem {
        const NAME: &str = "deep_link";
        let host = self.inner.host.clone();
        let state = blocking(move || Ok(host.scheme_is_ours())).await;
        let next =
            "Start the desktop app once, or `tokenry serve --deep-links`, or use the loopback redirect.";
        match state {
            Ok(SchemeState::Ours) => CheckedItem::ok(NAME, "Links with our scheme open Tokenry."),
            Ok(SchemeState::Others(who)) => CheckedItem::warning(
                NAME,
                format!("Links with our scheme open another program: {who}."),
                next,
            ),
            Ok(SchemeState::NotRegistered) => {
                CheckedItem::warning(NAME, "No program opens links with our scheme.", next)
            }
            Ok(SchemeState::Unknown) | Err(_) => {
                CheckedItem::not_checked(NAME, "This system does not say who opens links with our scheme.")
            }
        }
    }

    /// One provider with the same time is enough: another one's clock may be wrong.
    async fn check_clock(&self, offline: bool) -> CheckedItem {
        if offline {
            return CheckedItem::not_checked("clock", "Left out with --offline.");
        }
        let mut asked = JoinSet::new();
        for (provider, url) in self.clocks().await {
            let http = self.inner.http.clone();
            let clock = self.inner.clock.clone();
            asked.spawn(async move {
                let get = probe::get(&http, &provider, &url);
                let probed = tokio::time::timeout(CLOCK_TIMEOUT, get).await;
                let theirs = probed.ok()?.ok()?.date?;
                Some((theirs, clock.now()))
            });
        }
        let told: Vec<(Timestamp, Timestamp)> = asked.join_all().await.into_iter().flatten().collect();
        let least = told
            .into_iter()
            .min_by_key(|(theirs, ours)| ours.duration_since(*theirs).abs());
        clock(
            least.map(|(theirs, _)| theirs),
            least.map_or(self.now(), |(_, ours)| ours),
        )
    }

    /// The providers, where the vault is open.
    async fn all_providers(&self) -> Vec<Provider> {
        match self.store() {
            Ok(store) => blocking(move || store.all::<Provider>())
                .await
                .unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    async fn check_presets(&self) -> CheckedItem {
        const NAME: &str = "presets";
        let providers = self.all_providers().await;
        let has_newer = |provider: &&Provider| {
            provider
                .preset
                .as_ref()
                .is_some_and(|of| newer_preset(of).is_some())
        };
        let names: Vec<_> = providers
            .iter()
            .filter(has_newer)
            .map(|provider| provider.name.to_string())
            .collect();
        match names.is_empty() {
            true => CheckedItem::ok(NAME, "No provider has a newer preset."),
            false => CheckedItem::warning(
                NAME,
                format!("There is a newer preset for {}.", names.join(", ")),
                "See what it changes: `tokenry provider update`.",
            ),
        }
    }

    /// The authorization endpoints of the first providers, one for each host.
    async fn clocks(&self) -> Vec<(Provider, url::Url)> {
        let providers = self.all_providers().await;
        let endpoints = providers.into_iter().filter_map(|provider| {
            let url = provider.authorization_endpoint()?;
            Some((provider, url))
        });
        let mut hosts = BTreeSet::new();
        endpoints
            .filter(|(_, url)| hosts.insert(url.host_str().map(str::to_owned)))
            .take(MAX_CLOCKS)
            .collect()
    }
}
