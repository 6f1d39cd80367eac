//! Adding a provider by registering Tokenry there (RFC 7591).

use super::{error, provider_error};
use crate::{
    Engine, Error,
    access::{consent::AccessRequest, policy::Operation},
    engine::detached,
    providers::{difference, unencrypted},
};
use std::time::Duration;
use tokenry_core::{
    Caller, EventKind, LoopbackHost, Problems, Provider, ProviderId, ProviderPatch, ProviderSettings,
    Redirect, Scopes, Secret, Timestamp, TokenEndpointAuthMethod as AuthMethod, clean,
};
use tokenry_oauth::{
    discovery::{Found, Query},
    registration::{self, Granted, Problem, Wish},
};

/// Removing a provider does not wait longer for its server.
const DELETE_TIMEOUT: Duration = Duration::from_secs(10);

/// The settings that decide where a user and their secrets go. They have to be those that were shown. The resource is not
/// among them: the user may choose another one.
const SHOWN: [&str; 4] = [
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "registration_endpoint",
];

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

impl Engine {
    /// Registers Tokenry at the provider of an address, and keeps the provider. `new` has its name and the settings that
    /// were shown, with the changes of the user.
    ///
    /// # Errors
    /// When the metadata has changed since it was shown, the user does not agree, or the provider does not register it.
    pub async fn register_at(
        &self,
        caller: &Caller,
        query: Query,
        new: ProviderPatch,
        initial_access_token: Option<Secret>,
    ) -> Result<Provider, Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::WriteProviders))?;
        let found = self.look_up(&query).await.map_err(error)?;
        let id = ProviderId::new(&*self.inner.clock, &*self.inner.random);
        // A client id is what the provider is about to give.
        let new = new.with("client_id", "-").with("client_secret", "");
        let (provider, problems) = Provider::create(id, new, self.now())
            .map_err(|_| Error::Internal("the default project has no valid name".into()))?;
        is_as_shown(&found.settings, &provider.settings)?;
        if !found.offered.registration {
            let wrong = "offers no registration: register a client by hand, and give its client id";
            return Err(Error::field("address", wrong));
        }
        self.can_be_kept(&provider, problems, None)?;
        let provider = self.ready_to_register(&self.store()?, provider, true).await?;
        let at = provider.registration_endpoint();
        let at = at.map(|url| clean(&url.origin().ascii_serialization()));
        let mut wanted = AccessRequest::new(Operation::WriteProviders)
            .note(format!(
                "It registers Tokenry at {} and adds the provider {}.",
                at.unwrap_or_default(),
                provider.name
            ))
            .changing(difference::of_new(self.store()?.vault(), &provider));
        wanted.notes.extend(unencrypted(&provider));
        self.permit(caller, wanted).await?;
        let (engine, caller) = (self.clone(), caller.clone());
        // The engine's own task: a caller that goes away leaves no registration behind that is not kept.
        detached(async move {
            let provider = engine.registered(provider, &found, initial_access_token).await?;
            let (problems, kind) = (Problems::new(), EventKind::ProviderAdded);
            let kept = engine
                .keep_provider(&caller, provider.clone(), problems, kind, None)
                .await;
            if kept.is_err() {
                let _ = engine.unregister(&provider).await;
            }
            kept
        })
        .await
    }

    /// The provider with the client that its server registered.
    async fn registered(
        &self,
        provider: Provider,
        found: &Found,
        initial_access_token: Option<Secret>,
    ) -> Result<Provider, Error> {
        let mut refused = None;
        for mut provider in forms(provider) {
            let mut wish = wish(&provider, found)?;
            wish.initial_access_token.clone_from(&initial_access_token);
            match registration::register(&self.inner.http, &found.typed, &provider, &wish).await {
                Ok(granted) => {
                    apply(&mut provider, granted);
                    return Ok(provider);
                }
                Err(Problem::RedirectUri(failure)) => refused = refused.or(Some(failure)),
                Err(Problem::Failure(failure)) => return Err(provider_error(failure)),
            }
        }
        Err(match refused {
            Some(failure) => provider_error(failure),
            None => Error::Internal("no redirect can be registered".into()),
        })
    }

    /// Deletes the registration at the provider, as far as it can be. The text is for the activity log.
    pub(crate) async fn unregister(&self, provider: &Provider) -> Option<String> {
        let registration = provider.own_registration()?;
        let deleted = registration::delete(&self.inner.http, provider, registration);
        Some(match tokio::time::timeout(DELETE_TIMEOUT, deleted).await {
            Ok(Ok(true)) => "its registration was deleted at the provider".to_owned(),
            Ok(Ok(false)) => {
                "its registration stays at the provider, which has no way to delete it".to_owned()
            }
            Ok(Err(failure)) => format!("its registration stays at the provider: {failure}"),
            Err(_) => "its registration stays at the provider, which did not answer in time".to_owned(),
        })
    }
}

/// Whether a sign-in can still prove which client it is.
///
/// # Errors
/// When the secret that the provider gave has ended.
pub(crate) fn check_client_secret(provider: &Provider, now: Timestamp) -> Result<(), Error> {
    let Some(ended) = provider.client_secret_ended(now) else {
        return Ok(());
    };
    Err(Error::Conflict(format!(
        "the client secret that {0} gave Tokenry ended at {ended}; remove {0} and add it again by its address, so that Tokenry registers once more",
        provider.name
    )))
}

/// Loopback first, with the address, then with the name; a deep link never for a resource (checklist A2.2).
fn forms(provider: Provider) -> Vec<Provider> {
    let other = |change: fn(&mut ProviderSettings)| {
        let mut provider = provider.clone();
        change(&mut provider.settings);
        provider
    };
    let mut forms = Vec::new();
    if provider.settings.redirect == Redirect::Loopback {
        forms.push(other(|settings| settings.loopback_host = LoopbackHost::Localhost));
        if provider.settings.resource.is_none() {
            forms.push(other(|settings| settings.redirect = Redirect::DeepLink));
        }
    }
    forms.insert(0, provider);
    forms
}

fn wish(provider: &Provider, found: &Found) -> Result<Wish, Error> {
    let named = &found.grant_types;
    let supported = |grant: &str| named.is_empty() || named.iter().any(|own| own == grant);
    let mut grant_types = vec!["authorization_code".to_owned()];
    if supported("refresh_token") {
        grant_types.push("refresh_token".to_owned());
    }
    let settings = &provider.settings;
    if settings.device_authorization_endpoint.is_some() && supported(DEVICE_CODE) {
        grant_types.push(DEVICE_CODE.to_owned());
    }
    let methods = [
        AuthMethod::None,
        // Checklist A4.3. MCP servers of the Python SDK take no other without a `client_id` in the body.
        AuthMethod::ClientSecretPost,
        AuthMethod::ClientSecretBasic,
    ];
    let auth_method = methods
        .into_iter()
        .find(|method| found.auth_methods.contains(method));
    let Some(auth_method) = auth_method else {
        let wrong =
            "registers only clients with a key of their own: register one by hand, and give its client id";
        return Err(Error::field("address", wrong));
    };
    let scopes = settings.default_scopes.iter().chain(&settings.offline_scope);
    Ok(Wish {
        redirect_uris: provider.redirect_uris(),
        auth_method,
        grant_types,
        scopes: scopes.cloned().collect::<Scopes>(),
        as_app: found.registers_apps,
        initial_access_token: None,
    })
}

fn apply(provider: &mut Provider, granted: Granted) {
    let settings = &mut provider.settings;
    settings.client_id.clone_from(&granted.registration.client_id);
    settings.token_endpoint_auth_method = granted.auth_method;
    if let Some(scopes) = granted.scopes {
        let is_granted = |scope: &String| scopes.iter().any(|granted| granted == scope);
        settings.default_scopes.retain(is_granted);
        settings.offline_scope = settings.offline_scope.take().filter(is_granted);
    }
    provider.client_secret = granted.client_secret;
    provider.registration = Some(granted.registration);
}

/// Nothing is kept that the user has not seen.
fn is_as_shown(found: &ProviderSettings, shown: &ProviderSettings) -> Result<(), Error> {
    let (found, shown) = (found.to_map(), shown.to_map());
    match SHOWN.iter().find(|name| found.get(**name) != shown.get(**name)) {
        None => Ok(()),
        Some(name) => Err(Error::Conflict(format!(
            "the metadata of the provider has changed since it was shown ({}); look it up again",
            name.replace('_', " ")
        ))),
    }
}
