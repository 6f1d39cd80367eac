//! Token requests of clients: by the name of an account or by an issuer.

use std::time::Duration;
use tokenry_core::{Caller, ConnectionStatus, Provider, Scopes, clean, issuer_matches};
use tokenry_engine::{ConnectionView, Engine, Error, TokenRequest, TokenView};

/// A program, and the engine that it requests something of.
pub(super) struct Requester {
    pub(super) engine: Engine,
    pub(super) caller: Caller,
}

/// Which connection is meant.
pub(super) enum Account<'a> {
    /// The one of this name: a connection's, a provider's, or a label.
    Named(&'a str),
    /// The only one at this issuer.
    AtIssuer(&'a str),
}

/// What is requested of a token.
#[derive(Default)]
pub(super) struct Wish {
    pub(super) min_valid: Duration,
    /// Whether it must be a new one.
    pub(super) renew: bool,
    pub(super) scope: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) id_token: bool,
}

/// A token, and the issuer of its connection if that is known.
pub(super) struct IssuedToken {
    pub(super) token: TokenView,
    pub(super) issuer: Option<String>,
}

impl Requester {
    /// A token, as at the engine's own socket: with the same consent, log and refresh.
    ///
    /// # Errors
    /// Those of a token request, and for a token that is bound to a key, with which these clients can do nothing.
    pub(super) async fn token(&self, account: Account<'_>, wish: Wish) -> Result<IssuedToken, Error> {
        self.unlocked().await?;
        let reference = match account {
            Account::Named(name) => name.to_owned(),
            Account::AtIssuer(issuer) => self.at_issuer(issuer).await?,
        };
        let scope = wish.scope.filter(|scope| !scope.trim().is_empty());
        let request = TokenRequest {
            min_valid: wish.min_valid,
            renew: wish.renew,
            scopes: scope.map(|scope| {
                scope
                    .split_ascii_whitespace()
                    .map(str::to_owned)
                    .collect::<Scopes>()
            }),
            audience: wish.audience.filter(|audience| !audience.is_empty()),
            id_token: wish.id_token,
            ..TokenRequest::default()
        };
        let token = self.engine.token(&self.caller, &reference, request).await?;
        if token.token_type.eq_ignore_ascii_case("DPoP") {
            let name = clean(&reference);
            return Err(Error::Conflict(format!(
                "the token of {name} is bound to a key, so each request with it needs a proof; use `tokenry token \
                 {name}` and `tokenry dpop`"
            )));
        }
        let issuer = self.issuer_of(&reference).await;
        Ok(IssuedToken { token, issuer })
    }

    /// The names of all connections that give tokens.
    ///
    /// # Errors
    /// While locked.
    pub(super) async fn accounts(&self) -> Result<Vec<String>, Error> {
        self.unlocked().await?;
        let views = self.engine.connections(&self.caller).await?;
        let mut names: Vec<_> = views
            .into_iter()
            .filter(is_usable)
            .map(|view| view.name)
            .collect();
        names.sort();
        Ok(names)
    }

    async fn unlocked(&self) -> Result<(), Error> {
        self.engine.wait_for_unlock(self.caller.peer()).await
    }

    async fn at_issuer(&self, issuer: &str) -> Result<String, Error> {
        let providers = self.engine.providers(&self.caller).await?;
        let views = self.engine.connections(&self.caller).await?;
        let is_there = |view: &ConnectionView| {
            let mut providers = providers.iter();
            let provider = providers.find(|provider| provider.id == view.connection.provider);
            is_usable(view) && provider.is_some_and(|provider| is_issuer_of(provider, issuer))
        };
        let mut found: Vec<_> = views.iter().filter(|view| is_there(view)).collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        match found.as_slice() {
            [one] => Ok(one.connection.id.to_string()),
            [] => Err(Error::Conflict(format!(
                "no connection has the issuer {}; `tokenry connect` makes one, and `tokenry list` shows all",
                clean(issuer)
            ))),
            several => Err(Error::Ambiguous {
                reference: clean(issuer),
                candidates: several.iter().map(|view| view.name.clone()).collect(),
            }),
        }
    }

    async fn issuer_of(&self, reference: &str) -> Option<String> {
        let view = self.engine.connection(&self.caller, reference).await.ok()?;
        let provider = view.connection.provider.to_string();
        let provider = self.engine.provider(&self.caller, &provider).await.ok()?;
        provider.settings.issuer
    }
}

fn is_usable(view: &ConnectionView) -> bool {
    !matches!(
        view.connection.status,
        ConnectionStatus::Pending | ConnectionStatus::Disconnecting
    )
}

/// Clients often differ in the last slash.
fn is_issuer_of(provider: &Provider, issuer: &str) -> bool {
    let settings = &provider.settings;
    let without_slash = |text: &str| text.trim_end_matches('/').to_owned();
    settings.issuer.as_deref().is_some_and(|known| {
        issuer_matches(known, &settings.issuer_aliases, issuer, None)
            || without_slash(known) == without_slash(issuer)
    })
}
