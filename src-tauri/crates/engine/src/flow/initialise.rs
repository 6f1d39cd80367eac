//! A consent flow as another service's interface starts it: every choice in one request, and a client secret that is
//! kept as a credential.
//!
//! What must never be true of it: that the code or the secret goes anywhere but to the registered provider's own
//! endpoints; that a parameter of the caller's replaces one of ours.

mod parameters;

use crate::{
    ConnectOptions, Engine, Error, StartedFlow,
    access::{consent::AccessRequest, policy::Operation, resolve},
};
use std::collections::BTreeMap;
use tokenry_core::{Caller, Credential, Provider, Scopes};
use url::Url;

/// The standard scope that asks for a refresh token (OpenID Connect Core §11).
const OFFLINE: &str = "offline_access";

/// What a flow is to be started with.
#[derive(Debug, Clone, Default)]
pub struct Initialise {
    /// The project.
    pub project: String,
    /// The provider, by id or name.
    pub provider: String,
    /// Its authorization endpoint, as the caller knows it.
    pub authorize_url: String,
    /// Our client id there, as the caller knows it.
    pub client_id: String,
    /// The credential that holds the client secret, by id or name.
    pub credential: String,
    /// The project that credential belongs to.
    pub organisation: String,
    /// Further parameters of the authorization request, as a query string.
    pub additional_parameters: String,
    /// Whether `offline_access` is left out.
    pub disable_offline_access: bool,
    /// What the provider is to ask the user; several are joined by `+`.
    pub prompt: String,
    /// Instead of the provider's default scopes.
    pub scopes: Option<Vec<String>>,
}

impl Engine {
    /// Starts a flow. All that is wrong with the request is told at once, field by field.
    ///
    /// # Errors
    /// When the caller may start no flow, the provider is not as the caller believes, the credential cannot be used, or a parameter is not theirs
    /// to set; and as [`Engine::connect`].
    pub async fn initialise(&self, caller: &Caller, request: Initialise) -> Result<StartedFlow, Error> {
        let started = self.initialised(caller, request).await;
        // An app that lacks one of the scopes is told of all that this takes.
        started.map_err(|error| match error {
            Error::NoGrant { .. } => Error::no_grant(&[Operation::StartFlow, Operation::ReadCredential]),
            other => other,
        })
    }

    async fn initialised(&self, caller: &Caller, request: Initialise) -> Result<StartedFlow, Error> {
        // Before anything of the provider is compared with what the caller says of it.
        self.not_denied(caller, &AccessRequest::new(Operation::StartFlow))?;
        let provider = self.connector(&request)?;
        let mut wrong = disagreements(&provider, &request);
        let credential = self.named_secret(caller, &provider, &request, &mut wrong)?;
        let scopes = scopes(&provider, &request);
        let parameters = parameters::read(&request, &provider, &scopes, &mut wrong);
        let (Some(credential), true) = (credential, wrong.is_empty()) else {
            return Err(Error::Invalid(wrong));
        };
        let how = ConnectOptions {
            scopes: Some(scopes),
            parameters,
            client_secret_from: Some(credential.id),
            ..ConnectOptions::default()
        };
        self.connect(caller, &provider.id.to_string(), how).await
    }

    /// The provider, in this very project.
    fn connector(&self, request: &Initialise) -> Result<Provider, Error> {
        let missing = || {
            let reference = format!("{}/{}", request.project, request.provider);
            let next = "`tokenry provider list` shows what there is";
            Error::not_found("provider", &reference, next)
        };
        let store = self.store()?;
        let in_project = format!("{}/{}", request.project, request.provider);
        let found = resolve::provider(&store.index(), &in_project)
            .or_else(|_| resolve::provider(&store.index(), &request.provider));
        let provider = self.provider_by_id(found.map_err(|_| missing())?)?;
        if provider.project.as_str() == request.project {
            Ok(provider)
        } else {
            Err(missing())
        }
    }

    fn named_secret(
        &self,
        caller: &Caller,
        provider: &Provider,
        request: &Initialise,
        wrong: &mut BTreeMap<String, String>,
    ) -> Result<Option<Credential>, Error> {
        if request.organisation != provider.project.as_str() {
            let text = format!(
                "must be {}, the project of {}: a credential of another one is not used here",
                provider.project, provider.name
            );
            wrong.insert("credential.organisationId".to_owned(), text);
            return Ok(None);
        }
        match self.client_secret_credential(caller, &provider.project, &request.credential) {
            Ok(credential) => Ok(Some(credential)),
            Err(Error::Invalid(fields)) => {
                wrong.extend(fields);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Where the caller and the registered provider do not agree. The code and the secret go where the registration says;
/// a caller that believes something else is told so instead.
fn disagreements(provider: &Provider, request: &Initialise) -> BTreeMap<String, String> {
    let mut wrong = BTreeMap::new();
    let given = Url::parse(&request.authorize_url).ok();
    match &provider.authorization_endpoint() {
        Some(endpoint) if given.as_ref() == Some(endpoint) => {}
        Some(endpoint) => {
            let text = format!(
                "must be the authorization endpoint of {}: {}",
                provider.name,
                tokenry_core::clean(endpoint.as_str())
            );
            wrong.insert("authorizeUrl".to_owned(), text);
        }
        None => {
            let text = format!(
                "cannot be compared: {} has no authorization endpoint",
                provider.name
            );
            wrong.insert("authorizeUrl".to_owned(), text);
        }
    }
    if request.client_id != provider.settings.client_id {
        let text = format!("must be the client id that {} is registered with", provider.name);
        wrong.insert("clientId".to_owned(), text);
    }
    wrong
}

fn scopes(provider: &Provider, request: &Initialise) -> Scopes {
    let asked = match &request.scopes {
        Some(scopes) => Scopes::from(scopes.clone()),
        None => provider.default_scopes(),
    };
    let offline = (!request.disable_offline_access).then(|| OFFLINE.to_owned());
    asked.iter().map(str::to_owned).chain(offline).collect()
}
