//! How a provider is asked for a token that can do less.
//!
//! Most servers that replace refresh tokens keep the narrower scope for good, and many revoke the access token that was
//! there before. So a refresh token goes out with limits only where that is known to leave the grant whole.

use crate::{
    Engine, Error,
    records::{index::Index, sealed_store::SealedStore},
    token::request::TokenRequest,
};
use tokenry_core::{
    Caller, Connection, GrantType, KnownTargets, Narrowing, NarrowingMethod, Provider, ProviderId, Rotation,
    Rule,
};

/// How a limited token is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By a refresh request.
    Refresh {
        /// Whether a refusal may have used the refresh token up.
        may_consume: bool,
    },
    /// By token exchange.
    Exchange,
    /// By another request of the client itself: there is no grant that could be harmed.
    Client,
    /// There is none, or none that is known to be harmless.
    Unavailable(Unavailable),
}

/// Why a provider is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// The provider's settings say so.
    Set,
    /// Refresh tokens rotate there.
    Rotates,
    /// It is not known yet whether they do.
    NotKnown,
    /// It was done before, and scopes of the grant were lost.
    LosesScopes,
}

impl Unavailable {
    /// Why, and what to do about it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Set => "`narrowing` of the provider is set to none",
            Self::Rotates => {
                "it replaces refresh tokens, and most such providers would keep the narrower scope for good. If it is known to keep the grant whole, set `narrowing` of the provider to refresh; if it offers token exchange, to exchange"
            }
            Self::NotKnown => {
                "it is not known yet whether it replaces refresh tokens, and then it could keep the narrower scope for good. The first refresh shows that (`tokenry refresh`), or set `narrowing` of the provider"
            }
            Self::LosesScopes => "an earlier request for a narrower token cost scopes of the sign-in",
        }
    }
}

/// How a limited token of this connection is fetched.
pub(crate) fn way(index: &Index, provider: &Provider, connection: &Connection) -> Way {
    if provider.settings.grant_type == GrantType::ClientCredentials {
        return Way::Client;
    }
    let seen = Seen::at(index, provider.id, connection);
    let stays = seen.rotates == Some(false)
        || (provider.settings.rotation == Rotation::None && seen.rotates.is_none());
    match provider.settings.narrowing {
        NarrowingMethod::Refresh => Way::Refresh { may_consume: !stays },
        NarrowingMethod::Exchange => Way::Exchange,
        NarrowingMethod::None => Way::Unavailable(Unavailable::Set),
        NarrowingMethod::Unknown if seen.loses_scopes => Way::Unavailable(Unavailable::LosesScopes),
        NarrowingMethod::Unknown => match provider.settings.rotation {
            Rotation::Grace { .. } | Rotation::Strict => Way::Unavailable(Unavailable::Rotates),
            _ if stays => Way::Refresh { may_consume: false },
            _ if seen.rotates == Some(true) => Way::Unavailable(Unavailable::Rotates),
            _ => Way::Unavailable(Unavailable::NotKnown),
        },
    }
}

/// What the answers to any connection of a provider have shown.
struct Seen {
    rotates: Option<bool>,
    loses_scopes: bool,
}

impl Seen {
    fn at(index: &Index, provider: ProviderId, connection: &Connection) -> Self {
        let all = || index.of_provider(provider).chain(std::iter::once(connection));
        let rotates = all().filter_map(|connection| connection.rotates).max();
        Self {
            rotates,
            loses_scopes: all().any(|connection| connection.loses_scopes),
        }
    }
}

/// The audiences and resources that the provider's settings or an earlier sign-in had, or that were served before.
fn known_targets(provider: &Provider, connection: &Connection) -> KnownTargets {
    let mut known = connection.targets.clone();
    known.extend(KnownTargets::among(&provider.settings.authorize_params));
    let resource = provider.settings.resource.iter();
    known.extend(KnownTargets::among(
        resource.map(|resource| ("resource", resource)),
    ));
    let endpoints = [provider.authorization_endpoint(), provider.token_endpoint()];
    for endpoint in endpoints.into_iter().flatten() {
        known.extend(KnownTargets::among(endpoint.query_pairs()));
    }
    known
}

/// The field and the value of a target that is not known.
fn unknown_target<'a>(
    audience: Option<&'a String>,
    resource: Option<&'a String>,
    known: &KnownTargets,
) -> Option<(&'static str, &'a str)> {
    let unknown_audience = audience.filter(|target| !known.audiences.contains(*target));
    let unknown_resource = resource.filter(|target| !known.resources.contains(*target));
    unknown_audience
        .map(|target| ("audience", target.as_str()))
        .or(unknown_resource.map(|target| ("resource", target.as_str())))
}

/// What is added to a question about a target that is not known.
fn warning(field: &str, target: &str) -> String {
    format!(
        "The {field} {} was never used with this connection. If it is wrong, the provider may end the sign-in.",
        tokenry_core::clean(target)
    )
}

/// What is said in a question where the provider is not asked for less.
const WHOLE: &str = "The provider cannot narrow this token: it can do everything that the connection can.";

/// Whether the user agreed to a target that is not known.
pub(super) fn is_confirmed(caller: &Caller, wish: &TokenRequest, rule: Rule) -> bool {
    match caller {
        // An app cannot put the sign-in at risk by itself.
        Caller::App(_) => false,
        // The question said so.
        Caller::Program(_) if matches!(rule, Rule::Once | Rule::Session) => true,
        _ => wish.allow_unknown_target,
    }
}

/// Refuses a target that is not known, where a refusal of the provider may cost the sign-in.
pub(super) fn check_target(
    to: &Narrowing,
    way: Way,
    provider: &Provider,
    connection: &Connection,
    is_app: bool,
) -> Result<(), Error> {
    if way != (Way::Refresh { may_consume: true }) {
        return Ok(());
    }
    let known = known_targets(provider, connection);
    let Some((field, target)) = unknown_target(to.audience.as_ref(), to.resource.as_ref(), &known) else {
        return Ok(());
    };
    let target = tokenry_core::clean(target);
    Err(Error::field(
        field,
        if is_app {
            format!(
                "{target} was never used with this connection, so nothing was sent: if it is wrong, the provider may end the sign-in. The user can ask for it once with `tokenry token --{field} {target} --allow-unknown-target`"
            )
        } else {
            format!(
                "{target} was never used with this connection, so nothing was sent: if it is wrong, the provider may end the sign-in. Check its spelling, then repeat with --allow-unknown-target (`allow_unknown_target` in the API)"
            )
        },
    ))
}

impl Engine {
    /// How a limited token of this connection is fetched, and from whom.
    pub(crate) fn way(&self, store: &SealedStore, connection: &Connection) -> Result<(Way, Provider), Error> {
        let provider = store
            .get::<Provider>(connection.provider.row())?
            .ok_or_else(|| Error::Internal("a connection has no provider".to_owned()))?;
        let way = way(&store.index(), &provider, connection);
        Ok((way, provider))
    }

    /// What the user has to know about this wish before agreeing to it.
    pub(super) fn warnings(
        &self,
        store: &SealedStore,
        connection: &Connection,
        wish: &TokenRequest,
    ) -> Result<Vec<String>, Error> {
        let (way, provider) = self.way(store, connection)?;
        let mut warnings = Vec::new();
        let is_unavailable = matches!(way, Way::Unavailable(_)) || connection.narrows == Some(false);
        if is_unavailable && wish.scopes.is_some() {
            warnings.push(WHOLE.to_owned());
        }
        let known = known_targets(&provider, connection);
        if way == (Way::Refresh { may_consume: true })
            && let Some((field, target)) =
                unknown_target(wish.audience.as_ref(), wish.resource.as_ref(), &known)
        {
            warnings.push(warning(field, target));
        }
        Ok(warnings)
    }
}
