//! The registration that Tokenry made itself (RFC 7591).

use super::Provider;
use super::problems::Problems;
use crate::{Secret, clean};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a provider gave when Tokenry registered itself there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Registration {
    /// The issuer that registered it. No other gets its credentials.
    pub issuer: String,
    /// The client id.
    pub client_id: String,
    /// When the client secret ends.
    pub client_secret_expires_at: Option<Timestamp>,
    /// Where the registration can be deleted (RFC 7592).
    pub uri: Option<String>,
    /// The token for that.
    pub access_token: Option<Secret>,
}

impl Provider {
    /// The registration, while its client is the one that is used.
    pub fn own_registration(&self) -> Option<&Registration> {
        let registration = self.registration.as_ref();
        registration.filter(|registration| registration.client_id == self.settings.client_id)
    }

    /// When the client secret of the registration ends, if it does.
    pub fn client_secret_ends(&self) -> Option<Timestamp> {
        let ends_at = self.own_registration()?.client_secret_expires_at?;
        self.client_secret.is_some().then_some(ends_at)
    }

    /// When the client secret of the registration ended, if it did.
    pub fn client_secret_ended(&self, now: Timestamp) -> Option<Timestamp> {
        self.client_secret_ends().filter(|ends_at| *ends_at <= now)
    }

    /// Credentials are never used at another issuer than the one that gave them (checklist A6.6).
    pub(super) fn check_registration(&self, problems: &mut Problems) {
        let Some(registration) = self.own_registration() else {
            return;
        };
        if self.settings.issuer.as_ref() != Some(&registration.issuer) {
            let at = clean(&registration.issuer);
            let wrong = format!(
                "must stay {at}, which registered this client; add the other one as a provider of its own"
            );
            problems.entry("issuer".to_owned()).or_insert(wrong);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OsRandom, ProviderId, ProviderPatch, SystemClock};
    use serde_json::{Map, json};

    const ISSUER: &str = "https://as.example";

    /// A provider whose client Tokenry registered; its secret ends at second 100.
    fn registered() -> Provider {
        let members = json!({
            "name": "example",
            "client_id": "c1",
            "client_secret": "a secret",
            "issuer": ISSUER,
            "authorization_endpoint": "https://as.example/authorize",
            "token_endpoint": "https://as.example/token",
        });
        let members: Map<_, _> = members.as_object().unwrap().clone();
        let id = ProviderId::new(&SystemClock, &OsRandom);
        let (mut provider, problems) =
            Provider::create(id, ProviderPatch::from(members), Timestamp::UNIX_EPOCH).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        provider.registration = Some(Registration {
            issuer: ISSUER.to_owned(),
            client_id: "c1".to_owned(),
            client_secret_expires_at: Timestamp::from_second(100).ok(),
            uri: None,
            access_token: None,
        });
        provider
    }

    /// Checklist A6.8.
    #[test]
    fn the_secret_of_a_registration_ends_when_the_server_said() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut provider = registered();
        assert_eq!(provider.client_secret_ended(at(99)), None);
        assert_eq!(provider.client_secret_ended(at(100)), Some(at(100)));
        // A client that the user gave in its place does not end with it.
        provider.settings.client_id = "another".to_owned();
        assert_eq!(provider.client_secret_ended(at(100)), None);
    }

    /// Checklist A6.6.
    #[test]
    fn a_registered_client_is_not_taken_to_another_issuer() {
        let moved = |issuer: &str, client_id: &str| {
            let members = json!({"issuer": issuer, "client_id": client_id});
            let patch = ProviderPatch::from(members.as_object().unwrap().clone());
            let (_, problems) = registered().changed(&patch, Timestamp::UNIX_EPOCH);
            problems
        };
        assert!(moved(ISSUER, "c1").is_empty());
        assert!(moved("https://other.example", "c1")["issuer"].contains("registered this client"));
        assert!(moved("https://other.example", "another").is_empty());
    }
}
