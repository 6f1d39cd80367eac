//! Grants: families of refresh and access tokens.

use crate::Account;
use serde::Serialize;
use std::collections::HashMap;
use tokenry_core::{Random, Timestamp};

/// All refresh and access tokens that descend from one consent.
#[derive(Debug, Clone, Serialize)]
pub struct Family {
    /// The client it was given to.
    pub client: String,
    /// The person who agreed.
    pub account: Account,
    /// The scope that was agreed to.
    pub scope: String,
    /// The highest generation of refresh token given out; the first one is 0.
    pub generation: u32,
    /// Why it is over, if it is.
    pub ended: Option<Ended>,
}

/// Why a family is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// A refresh token that had been replaced came again.
    Replay,
    /// Its code came again (RFC 6749 §4.1.2).
    CodeReplay,
    /// The client revoked it (RFC 7009).
    Revoked,
    /// The test ended it, as a person does on the provider's own page.
    Withdrawn,
}

/// Tokens that were given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issued {
    /// `at-…`
    pub access_token: String,
    /// `rt-…`
    pub refresh_token: Option<String>,
    /// The access token's life, in seconds.
    pub expires_in: u64,
    /// What was granted.
    pub scope: String,
}

pub(crate) struct Code {
    pub(crate) client: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<String>,
    pub(crate) scope: String,
    pub(crate) nonce: Option<String>,
    pub(crate) account: Account,
    pub(crate) made_at: Timestamp,
    /// The family that came of it: a code that has one was used.
    pub(crate) family: Option<usize>,
}

pub(crate) struct RefreshToken {
    pub(crate) family: usize,
    pub(crate) generation: u32,
    pub(crate) replaced_at: Option<Timestamp>,
}

pub(crate) struct AccessToken {
    /// `None` for client credentials, where no person is involved.
    pub(crate) family: Option<usize>,
    pub(crate) expires_at: Timestamp,
    pub(crate) revoked: bool,
}

/// Everything that was ever given out.
#[derive(Default)]
pub(crate) struct Grants {
    pub(crate) codes: HashMap<String, Code>,
    /// The client and the scope of each device code.
    pub(crate) devices: HashMap<String, (String, String)>,
    pub(crate) families: Vec<Family>,
    pub(crate) refresh: HashMap<String, RefreshToken>,
    pub(crate) access: HashMap<String, AccessToken>,
    minted: u64,
}

impl Grants {
    /// A text that was never given out before: `at-3-9f…`.
    pub(crate) fn mint(&mut self, prefix: &str, random: &dyn Random) -> String {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        self.minted += 1;
        format!("{prefix}-{}-{:032x}", self.minted, u128::from_be_bytes(bytes))
    }

    pub(crate) fn access_token(
        &mut self,
        family: Option<usize>,
        until: Timestamp,
        random: &dyn Random,
    ) -> String {
        let token = self.mint("at", random);
        self.access.insert(
            token.clone(),
            AccessToken {
                family,
                expires_at: until,
                revoked: false,
            },
        );
        token
    }

    pub(crate) fn refresh_token(&mut self, family: usize, generation: u32, random: &dyn Random) -> String {
        let token = self.mint("rt", random);
        self.refresh.insert(
            token.clone(),
            RefreshToken {
                family,
                generation,
                replaced_at: None,
            },
        );
        self.families[family].generation = self.families[family].generation.max(generation);
        token
    }

    pub(crate) fn start_family(&mut self, client: &str, account: Account, scope: &str) -> usize {
        let client = client.to_owned();
        let scope = scope.to_owned();
        self.families.push(Family {
            client,
            account,
            scope,
            generation: 0,
            ended: None,
        });
        self.families.len() - 1
    }

    /// Takes back every access token that a family has.
    pub(crate) fn revoke_access_tokens(&mut self, family: usize) {
        let of_family = |token: &&mut AccessToken| token.family == Some(family);
        self.access
            .values_mut()
            .filter(of_family)
            .for_each(|token| token.revoked = true);
    }

    /// Ends a family; what ended it first stays the reason.
    pub(crate) fn end(&mut self, family: usize, why: Ended) {
        self.families[family].ended.get_or_insert(why);
    }

    /// Whether a resource server would take this access token now.
    pub(crate) fn accepts(&self, access_token: &str, now: Timestamp) -> bool {
        self.access.get(access_token).is_some_and(|token| {
            !token.revoked
                && now < token.expires_at
                && token
                    .family
                    .is_none_or(|family| self.families[family].ended.is_none())
        })
    }

    /// The family whose account an access token speaks for, as long as the token is good.
    pub(crate) fn family_of(&self, access_token: &str, now: Timestamp) -> Option<&Family> {
        self.accepts(access_token, now)
            .then(|| self.access.get(access_token)?.family)
            .flatten()
            .map(|f| &self.families[f])
    }
}
