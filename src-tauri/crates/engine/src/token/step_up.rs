//! Step-up: a resource wants more than a token can do (RFC 6750 §3.1), or another sign-in (RFC 9470). The user is asked,
//! and signs in once more with the scopes of before and the new ones.

use crate::{
    ConnectOptions, Engine, Error, StartedFlow,
    access::{
        consent::{AccessRequest, Differences},
        policy::Operation,
    },
    locks,
    token::{
        rejected::{Fingerprint, Reported, reported},
        request::can_be_handed_out,
    },
};
use std::{collections::HashMap, sync::Mutex};
use tokenry_core::{Caller, Connection, ConnectionId, FlowId, GrantType, Scopes};

/// How many different challenges of one connection lead to a sign-in, until the engine ends.
const MAX_CHALLENGES: usize = 8;
/// The longest list of authentication contexts, in bytes.
const MAX_ACR_BYTES: usize = 1024;

/// What a resource wants, from its `WWW-Authenticate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The resource that wants it.
    pub resource: Option<String>,
    /// What it wants.
    pub wants: Wants,
}

/// What a resource wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wants {
    /// `insufficient_scope`: these scopes, too.
    Scopes(Scopes),
    /// `insufficient_user_authentication`: a sign-in of this kind.
    Authentication {
        /// The acceptable authentication contexts, separated by spaces.
        acr_values: Option<String>,
        /// How long ago the user may have signed in, in seconds.
        max_age: Option<u32>,
    },
}

/// The challenges that led to a sign-in, by connection.
#[derive(Default)]
pub(crate) struct Challenges(Mutex<HashMap<ConnectionId, Seen>>);

/// The challenges of one connection, each with the sign-in that it led to.
type Seen = Vec<(Challenge, Option<FlowId>)>;

/// What was done about a challenge before.
enum Before {
    Nothing,
    /// The user was asked, or is being asked.
    Asked(Option<FlowId>),
}

impl Challenges {
    /// Notes that the user is asked about a challenge, or says what came of it before.
    fn begin(&self, id: ConnectionId, challenge: &Challenge) -> Result<Before, Error> {
        let mut all = locks::lock(&self.0);
        let seen = all.entry(id).or_default();
        if let Some((_, flow)) = seen.iter().find(|(seen, _)| seen == challenge) {
            return Ok(Before::Asked(*flow));
        }
        if seen.len() >= MAX_CHALLENGES {
            let text = format!(
                "{MAX_CHALLENGES} resources wanted more of this connection already; sign in to it yourself"
            );
            return Err(Error::Busy(text, None));
        }
        seen.push((challenge.clone(), None));
        Ok(Before::Nothing)
    }

    fn started(&self, id: ConnectionId, challenge: &Challenge, flow: FlowId) {
        let mut all = locks::lock(&self.0);
        let seen = all.entry(id).or_default().iter_mut();
        seen.filter(|(seen, _)| seen == challenge)
            .for_each(|(_, started)| *started = Some(flow));
    }

    /// Forgets one that the user was not asked about.
    fn forget(&self, id: ConnectionId, challenge: &Challenge) {
        locks::lock(&self.0)
            .entry(id)
            .or_default()
            .retain(|(seen, _)| seen != challenge);
    }
}

/// What became of a challenge.
#[derive(Debug, Clone)]
pub enum StepUp {
    /// The token is not the current one: the current one may do.
    Newer,
    /// The user agreed, and a sign-in waits for them.
    SignIn {
        /// The sign-in.
        flow: FlowId,
        /// Whether the browser was opened for it.
        is_open: bool,
    },
}

impl Engine {
    /// Asks the user for a sign-in that gives what a resource wants: once for each connection, resource and wish.
    ///
    /// # Errors
    /// When the caller may have no token of the connection, the wish is wrong or was had before, or the user says no
    /// or cannot be asked.
    pub async fn step_up(
        &self,
        caller: &Caller,
        reference: &str,
        token: Fingerprint,
        challenge: Challenge,
    ) -> Result<StepUp, Error> {
        let connection = self.connection_meant(caller, Operation::StepUp, reference)?;
        let store = self.store()?;
        let name = store.index().name_of(&connection);
        can_be_handed_out(&connection, &name)?;
        check(&challenge)?;
        let wanted = step_up_request(&connection, &challenge);
        let reported = reported(&store, connection.id, token)?;
        if reported == Reported::Unknown {
            self.not_denied(caller, &wanted)?;
            return Ok(StepUp::Newer);
        }
        check_against(&connection, &name, &challenge, reported)?;
        self.not_denied(caller, &wanted)?;
        let challenges = &self.inner.refreshes.challenges;
        if let Before::Asked(flow) = challenges.begin(connection.id, &challenge)? {
            let waiting = flow.filter(|flow| self.started(*flow).is_some());
            return match waiting {
                Some(flow) => Ok(StepUp::SignIn { flow, is_open: false }),
                None => Err(Error::Conflict(format!(
                    "the user was asked for this before, and the resource still wants it; sign in with `tokenry connect {name}`"
                ))),
            };
        }
        match self.sign_in_for(caller, &connection, wanted, &challenge).await {
            Ok(started) => {
                challenges.started(connection.id, &challenge, started.flow);
                let is_open = self.inner.window && self.open_browser(started.flow).await.is_ok();
                Ok(StepUp::SignIn {
                    flow: started.flow,
                    is_open,
                })
            }
            Err(error) => {
                // A no counts, and what never reached the user does not.
                if error.rule() != Some(tokenry_core::Rule::Denied) {
                    challenges.forget(connection.id, &challenge);
                }
                Err(error)
            }
        }
    }

    async fn sign_in_for(
        &self,
        caller: &Caller,
        connection: &Connection,
        wanted: AccessRequest,
        challenge: &Challenge,
    ) -> Result<StartedFlow, Error> {
        let provider = self.provider_by_id(connection.provider)?;
        if provider.settings.grant_type == GrantType::ClientCredentials {
            let name = &provider.name;
            return Err(Error::Conflict(format!(
                "the resource wants more than this token can do, and {name} has no sign-in: add the scopes with `tokenry provider edit {name} --scope SCOPE`, then run `tokenry connect {name}`"
            )));
        }
        let mut how = ConnectOptions {
            renew: Some(connection.id.to_string()),
            scopes: Some(connection.requested_scopes.clone()),
            device: provider.has_only_device_sign_in(),
            ..ConnectOptions::default()
        };
        match &challenge.wants {
            Wants::Scopes(scopes) => {
                let before = connection.requested_scopes.iter();
                how.scopes = Some(before.chain(scopes.iter()).map(str::to_owned).collect());
            }
            Wants::Authentication { acr_values, max_age } => {
                let acr = acr_values.clone().map(|values| ("acr_values".to_owned(), values));
                let age = max_age.map(|seconds| ("max_age".to_owned(), seconds.to_string()));
                how.parameters = acr.into_iter().chain(age).collect();
            }
        }
        self.check_flow(caller, &provider, &how, &wanted).await?;
        let rule = self.permit(caller, wanted).await?.rule;
        self.begin_flow(caller, provider, how, rule).await
    }
}

/// The question: which connection, what is new, and who wants it.
fn step_up_request(connection: &Connection, challenge: &Challenge) -> AccessRequest {
    let mut differences = Differences::default();
    let mut wanted = AccessRequest::new(Operation::StepUp)
        .at(connection.provider)
        .of(connection.id, connection.started_by);
    match &challenge.wants {
        Wants::Scopes(scopes) => wanted = wanted.limited_to(Some(scopes.clone())),
        Wants::Authentication { acr_values, max_age } => {
            differences.decisive("acr_values", None, acr_values.clone());
            differences.decisive("max_age", None, max_age.map(|seconds| seconds.to_string()));
        }
    }
    if let Some(resource) = &challenge.resource {
        wanted = wanted.note(format!("{} wants it.", tokenry_core::clean(resource)));
    }
    if connection.account.is_none() {
        wanted =
            wanted.note("The provider does not report the account: any account that signs in replaces it.");
    }
    wanted.changing(differences)
}

fn check(challenge: &Challenge) -> Result<(), Error> {
    let resource = challenge.resource.as_deref();
    if resource.is_some_and(|resource| !tokenry_core::is_resource(resource)) {
        return Err(Error::field(
            "challenge.resource",
            "must be an absolute URI without a fragment",
        ));
    }
    match &challenge.wants {
        Wants::Scopes(scopes) if scopes.is_empty() => Err(Error::field(
            "challenge.scope",
            "must name the scopes that the resource wants",
        )),
        Wants::Scopes(scopes) => match scopes.iter().find(|scope| !Scopes::is_token(scope)) {
            Some(bad) => {
                let text = format!("has {:?}, which cannot be a scope", tokenry_core::clean(bad));
                Err(Error::field("challenge.scope", text))
            }
            None => Ok(()),
        },
        Wants::Authentication {
            acr_values: None,
            max_age: None,
        } => Err(Error::field(
            "challenge",
            "must say acr_values or max_age (RFC 9470, 3)",
        )),
        Wants::Authentication { acr_values, .. } => {
            let is_good = |text: &str| {
                let is_short = (1..=MAX_ACR_BYTES).contains(&text.len());
                is_short && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
            };
            match acr_values.as_deref().is_none_or(is_good) {
                true => Ok(()),
                false => Err(Error::field(
                    "challenge.acr_values",
                    "must be at most 1024 characters of ASCII",
                )),
            }
        }
    }
}

/// What another sign-in would not change.
fn check_against(
    connection: &Connection,
    name: &str,
    challenge: &Challenge,
    reported: Reported,
) -> Result<(), Error> {
    let Wants::Scopes(scopes) = &challenge.wants else {
        return Ok(());
    };
    if !scopes.is_within(&connection.granted_scopes) {
        return Ok(());
    }
    Err(Error::Conflict(match reported {
        Reported::Narrowed => {
            format!("{name} holds these scopes: ask for a token without the limit of this one")
        }
        _ => format!("{name} holds these scopes already: the resource refuses for another reason"),
    }))
}
