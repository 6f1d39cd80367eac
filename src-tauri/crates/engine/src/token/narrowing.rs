//! Tokens that can do less than their connection, or are for one audience.
//!
//! A narrowed token is fetched with the same refresh token, journal and single flight as any other (SECURITY.md,
//! "Refresh"), kept sealed beside the connection's own, and its answer is checked: only one that states scopes within
//! what was asked counts as narrowed.

mod way;

pub use way::Unavailable;
pub(crate) use way::{Way, way};

use crate::{
    Engine, Error, TokenView,
    access::{
        consent::{AccessRequest, Permit},
        resolve,
    },
    records::sealed_store::SealedStore,
    token::{
        refresh::RefreshTrigger,
        request::{self, TokenRequest},
    },
};
use std::sync::Arc;
use tokenry_core::{
    Caller, Connection, ConnectionId, ConnectionStatus, NarrowedToken, Narrowing, Scopes, Timestamp, Tokens,
};

/// How many of them are kept for one connection.
pub(super) const MAX_NARROWED: usize = 8;
/// The longest audience or resource, in bytes.
const MAX_TARGET_BYTES: usize = 2048;

/// The limits of a token, and whether more than that may be handed out where the provider does not keep to them.
pub(super) struct Limits {
    pub(super) to: Narrowing,
    /// The person agreed to this and no more.
    is_hard: bool,
    /// The user agreed to an audience or a resource that was never used before.
    is_confirmed: bool,
    is_for_app: bool,
}

impl TokenRequest {
    /// Whether it is for whatever the connection holds: nearly always.
    pub(super) fn is_plain(&self) -> bool {
        self.scopes.is_none() && self.audience.is_none() && self.resource.is_none()
    }

    /// What is wrong with it, whatever the connection.
    fn check(&self) -> Result<(), Error> {
        if self.scopes.as_ref().is_some_and(Scopes::is_empty) {
            return Err(Error::field("scope", "must name a scope, or be left out"));
        }
        let bad = |scope: &&str| !Scopes::is_token(scope);
        if let Some(bad) = self.scopes.as_ref().and_then(|scopes| scopes.iter().find(bad)) {
            let bad = tokenry_core::clean(bad);
            return Err(Error::field(
                "scope",
                format!("has {bad:?}, which cannot be a scope"),
            ));
        }
        let fits = |text: &str| (1..=MAX_TARGET_BYTES).contains(&text.len());
        let is_text = |text: &str| fits(text) && !text.chars().any(char::is_control);
        if self.audience.as_deref().is_some_and(|text| !is_text(text)) {
            return Err(Error::field("audience", "must be a text of 1 to 2048 bytes"));
        }
        if self
            .resource
            .as_deref()
            .is_some_and(|text| !tokenry_core::is_resource(text))
        {
            let wrong = "must be an absolute URI without a fragment, as in https://api.example.com/";
            return Err(Error::field("resource", wrong));
        }
        Ok(())
    }

    /// Never more than was granted (OAuth 2.1 §4.3.1).
    fn check_against(&self, name: &str, granted: &Scopes) -> Result<(), Error> {
        let Some(scopes) = &self.scopes else { return Ok(()) };
        let missing = scopes.missing_from(granted);
        if missing.is_empty() {
            return Ok(());
        }
        let holds = if granted.is_empty() {
            "none that are known".to_owned()
        } else {
            granted.to_string()
        };
        let wrong = format!("asks for {missing}, which {name} does not hold; it holds {holds}");
        Err(Error::field("scope", wrong))
    }
}

impl Engine {
    /// The question that this wish is. Where no answer of the provider has shown yet that it gives less, a person is
    /// asked about the whole: that is what the token may turn out to do. For an app its grants are looked at, and
    /// those say what the limit is.
    pub(super) fn question_of(
        &self,
        store: &SealedStore,
        caller: &Caller,
        connection: &Connection,
        name: &str,
        wish: &TokenRequest,
        mut wanted: AccessRequest,
    ) -> Result<AccessRequest, Error> {
        wish.check()?;
        let is_app = caller.app().is_some();
        if !is_app {
            wish.check_against(name, &connection.granted_scopes)?;
        }
        let is_available = !matches!(self.way(store, connection)?.0, Way::Unavailable(_));
        if is_app || (connection.narrows == Some(true) && is_available) {
            wanted = wanted.limited_to(wish.scopes.clone());
        }
        for warning in self.warnings(store, connection, wish)? {
            wanted = wanted.note(warning);
        }
        for place in [&wish.audience, &wish.resource].into_iter().flatten() {
            wanted = wanted.note(format!("The token is meant for {}.", tokenry_core::clean(place)));
        }
        Ok(wanted)
    }

    /// What the token has to be limited to; `None` when the connection's own will do.
    pub(super) fn limits(
        &self,
        store: &SealedStore,
        id: ConnectionId,
        caller: &Caller,
        wish: TokenRequest,
        permit: &Permit,
    ) -> Result<Option<Limits>, Error> {
        let index = store.index();
        let connection = index
            .connection(id)
            .ok_or_else(|| resolve::gone(&id.to_string()))?;
        let granted = &connection.granted_scopes;
        wish.check_against(&index.name_of(connection), granted)?;
        let is_confirmed = way::is_confirmed(caller, &wish, permit.rule);
        let most = wish.scopes.or_else(|| permit.token_scopes.clone());
        let is_hard = permit.is_the_most;
        let scopes = match most {
            Some(most) if granted.is_empty() || !granted.is_within(&most) => Some(most.common_with(granted)),
            _ => None,
        };
        if scopes.as_ref().is_some_and(Scopes::is_empty) {
            return Err(Error::Denied(
                "this app's grant allows no scope that this connection holds; change the grant in the window, under Apps",
            ));
        }
        let (audience, resource) = (wish.audience, wish.resource);
        // The connection's own token is for the resource of its sign-in.
        let is_own = audience.is_none() && resource == connection.resource;
        let resource = resource.filter(|_| !is_own);
        let to = Narrowing {
            scopes,
            audience,
            resource,
        };
        Ok((to != Narrowing::default()).then_some(Limits {
            to,
            is_hard,
            is_confirmed,
            is_for_app: caller.app().is_some(),
        }))
    }

    /// A token within these limits: one that is kept, or one that is fetched now. A caller that asks for the same
    /// meanwhile waits for the same request.
    pub(super) async fn find_narrowed(
        &self,
        store: &SealedStore,
        id: ConnectionId,
        limits: &Limits,
        min_valid: std::time::Duration,
    ) -> Result<TokenView, Error> {
        let (name, connection) = known(store, id)?;
        let now = self.now();
        let is_active = connection.status == ConnectionStatus::Active;
        let kept = store.get::<Tokens>(id.row())?;
        let kept = kept.as_ref().and_then(|tokens| of(tokens, &limits.to));
        if let Some(kept) = kept.filter(|kept| is_active && is_fresh(kept, min_valid, now)) {
            return limits.hand_out(kept);
        }
        let (way, provider) = self.way(store, &connection)?;
        if own_token_stands_in(way, &connection, &name, limits)? {
            return self.find_token(store, id, min_valid).await.map(TokenView::from);
        }
        request::can_be_handed_out(&connection, &name)?;
        if !limits.is_confirmed {
            way::check_target(&limits.to, way, &provider, &connection, limits.is_for_app)?;
        }
        if way == Way::Exchange {
            // What is exchanged has to be good itself.
            self.find_token(store, id, std::time::Duration::ZERO).await?;
        }
        let refused = match self.may_renew(store, &connection, &name, now) {
            Ok(()) => self
                .refreshed(
                    id,
                    RefreshTrigger::Narrowed(Arc::new(limits.to.clone()), min_valid),
                )
                .await
                .err(),
            Err(error) => Some(error),
        };
        // Whatever became of that: what is there now, if it lives, is good.
        let tokens = store.get::<Tokens>(id.row())?;
        let found = tokens.as_ref().and_then(|tokens| of(tokens, &limits.to));
        if let Some(found) = found.filter(|found| found.expires_at.is_none_or(|end| end > self.now())) {
            return limits.hand_out(found);
        }
        if let Some(error) = refused {
            return Err(error);
        }
        let (_, connection) = known(store, id)?;
        let (way, _) = self.way(store, &connection)?;
        if own_token_stands_in(way, &connection, &name, limits)? {
            return self.find_token(store, id, min_valid).await.map(TokenView::from);
        }
        Err(request::ended_at_once(&name))
    }
}

/// Whether the connection's own token is handed out in place of a narrowed one that its provider does not give.
fn own_token_stands_in(
    way: Way,
    connection: &Connection,
    name: &str,
    limits: &Limits,
) -> Result<bool, Error> {
    let is_hard = limits.is_hard && limits.to.scopes.is_some();
    let has_audience = limits.to.has_audience();
    if let Way::Unavailable(why) = way {
        if has_audience || is_hard {
            let name = name.to_owned();
            return Err(Error::CannotNarrow { name, why, is_hard });
        }
        return Ok(true);
    }
    let gives_less = connection.narrows != Some(false);
    let is_active = connection.status == ConnectionStatus::Active;
    let can_ask = connection.refreshable || !is_active || way == Way::Exchange;
    match (has_audience, is_hard) {
        (false, false) if !gives_less || !can_ask => Ok(true),
        (_, true) if !gives_less => Err(too_much()),
        (false, true) if !can_ask => Err(too_much()),
        (true, _) if !can_ask => Err(Error::Conflict(format!(
            "{name} has no refresh token, so its provider cannot be asked for a token for another audience; connect it with a scope that gives one, often offline_access"
        ))),
        _ => Ok(false),
    }
}

/// What is said when the provider gives the whole or nothing, and the whole was not agreed to.
fn too_much() -> Error {
    Error::Denied(
        "the provider of this connection gives no token with fewer scopes, and the whole was not allowed; ask for a token without limits, or grant the whole scope in the window, under Apps",
    )
}

/// The connection's own token may be handed out under a limit that it fits in. It may not, any more, if a refresh in
/// the meantime brought more than there was.
pub(crate) fn check_own(token: TokenView, permit: &Permit) -> Result<TokenView, Error> {
    let most = permit.token_scopes.as_ref().filter(|_| permit.is_the_most);
    if most.is_none_or(|most| token.scopes.is_within(most)) {
        return Ok(token);
    }
    Err(too_much())
}

impl Limits {
    fn hand_out(&self, token: &NarrowedToken) -> Result<TokenView, Error> {
        let within = |most: &Scopes| token.scopes.is_within(most);
        if self.is_hard && !self.to.scopes.as_ref().is_none_or(within) {
            return Err(too_much());
        }
        let token = token.clone();
        Ok(TokenView {
            access_token: token.access_token,
            token_type: token.token_type,
            expires_at: token.expires_at,
            scopes: token.scopes,
            id_token: None,
        })
    }
}

pub(super) fn known(store: &SealedStore, id: ConnectionId) -> Result<(String, Connection), Error> {
    let index = store.index();
    let connection = index
        .connection(id)
        .ok_or_else(|| resolve::gone(&id.to_string()))?;
    Ok((index.name_of(connection), connection.clone()))
}

/// The kept token with these very limits.
pub(super) fn of<'a>(tokens: &'a Tokens, to: &Narrowing) -> Option<&'a NarrowedToken> {
    tokens.narrowed.iter().find(|kept| kept.of == *to)
}

pub(super) fn is_fresh(kept: &NarrowedToken, min_valid: std::time::Duration, now: Timestamp) -> bool {
    request::is_fresh(kept.obtained_at, kept.expires_at, min_valid, now)
}

/// Keeps one more: in the place of the one before it, without those that have ended, and at most [`MAX_NARROWED`].
pub(super) fn keep(narrowed: &mut Vec<NarrowedToken>, token: NarrowedToken, now: Timestamp) {
    narrowed.retain(|kept| kept.of != token.of && kept.expires_at.is_none_or(|end| end > now));
    narrowed.push(token);
    let surplus = narrowed.len().saturating_sub(MAX_NARROWED);
    narrowed.drain(..surplus);
}

#[cfg(test)]
mod tests;
