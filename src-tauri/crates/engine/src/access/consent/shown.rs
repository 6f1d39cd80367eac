//! What a question shows, as it is made and as it is looked at again before its answer counts.

use super::{
    difference::bounded,
    permit::AccessRequest,
    prompt::{Choice, CredentialChoice, Prompt},
};
use crate::{
    Engine, Error,
    access::policy::{Operation, OperationPolicy as _},
    locks,
    records::{index::Index, sealed_store::SealedStore},
    settings::asks_passphrase,
};
use std::{collections::BTreeSet, sync::RwLock};
use tokenry_core::{ApiScope, Caller, Connection, ConnectionStatus, Peer, PromptId, Secret, Timestamp};
use tokenry_peer::Script;

impl Engine {
    pub(super) fn prompt(
        &self,
        caller: &Caller,
        wanted: &AccessRequest,
        for_session: bool,
        now: Timestamp,
        ends_at: Timestamp,
    ) -> Result<Prompt, Error> {
        let store = self.store_to_ask(wanted.operation)?;
        // Of a vault that does not open, nothing is known.
        let nothing = RwLock::<Index>::default();
        let index = || {
            store
                .as_ref()
                .map_or_else(|| locks::read(&nothing), |store| store.index())
        };
        let peer = caller.peer();
        let around = peer.map(tokenry_peer::surroundings).unwrap_or_default();
        let mut bytes = [0; 16];
        self.inner.random.fill(&mut bytes);
        let number = tokenry_core::hex(&bytes).to_string();
        let shown = self.shown_on_a_prompt(&index(), wanted);
        let app = caller
            .app()
            .or(wanted.authorization.as_ref().map(|request| request.app));
        Ok(Prompt {
            id: PromptId::new(&*self.inner.clock, &*self.inner.random),
            number: Secret::new(number),
            operation: wanted.operation,
            pid: peer.map(|peer| peer.pid).filter(|pid| *pid != 0),
            program: peer.and_then(|peer| peer.program.clone()),
            arguments: around.arguments,
            parent: around.parent,
            helper: peer.and_then(|peer| Some(peer.helper.as_ref()?.command.clone())),
            terminal: around.terminal,
            app: app.and_then(|app| index().app(app).map(|app| app.name.to_string())),
            app_proved: caller.app().is_some(),
            provider: shown.provider,
            connection: shown.connection,
            account: shown.account,
            credential: shown.credential,
            requested_scopes: scopes(wanted.target.scopes.as_ref()),
            token_scopes: shown.token_scopes,
            notes: notes(wanted, peer, for_session),
            changes: wanted.differences.shown(),
            api_scopes: wanted
                .authorization
                .as_ref()
                .map(|request| request.scopes.iter().copied().collect())
                .unwrap_or_default(),
            choices: shown.choices,
            credential_choices: shown.credential_choices,
            authorization: wanted.authorization.clone(),
            for_session: for_session && wanted.can_be_for_a_session(),
            passphrase: !wanted.can_be_for_a_session()
                && store.as_ref().is_some_and(|store| asks_passphrase(store)),
            asked_at: now,
            is_shown: false,
            ends_at,
            disconnects: shown.disconnects,
            disconnecting: shown.disconnecting,
            ahead: 0,
            waiting: 0,
        })
    }

    pub(super) fn differs(&self, store: &SealedStore, prompt: &Prompt, wanted: &AccessRequest) -> bool {
        let now = self.shown_on_a_prompt(&store.index(), wanted);
        let then = Shown {
            provider: prompt.provider.clone(),
            connection: prompt.connection.clone(),
            account: prompt.account.clone(),
            credential: prompt.credential.clone(),
            token_scopes: prompt.token_scopes.clone(),
            choices: prompt.choices.clone(),
            credential_choices: prompt.credential_choices.clone(),
            disconnects: prompt.disconnects,
            disconnecting: prompt.disconnecting.clone(),
        };
        now != then
    }

    fn shown_on_a_prompt(&self, index: &Index, wanted: &AccessRequest) -> Shown {
        let connection = wanted.target.connection.and_then(|id| index.connection(id));
        let request = wanted.authorization.as_ref();
        let (choices, credential_choices) = request
            .map(|request| offered(index, &request.scopes, self.now()))
            .unwrap_or_default();
        let token_scopes = match (wanted.operation, connection) {
            (Operation::Token, Some(connection)) => {
                let narrowed = wanted
                    .target
                    .scopes
                    .as_ref()
                    .filter(|_| connection.narrows == Some(true));
                scopes(Some(narrowed.unwrap_or(&connection.granted_scopes)))
            }
            _ => Vec::new(),
        };
        let mut going: Vec<_> = match (wanted.operation, wanted.provider) {
            (Operation::DeleteProvider, Some(provider)) => index
                .standing_of_provider(provider)
                .map(|c| index.name_of(c))
                .collect(),
            _ => Vec::new(),
        };
        going.sort();
        Shown {
            provider: wanted
                .provider
                .and_then(|id| index.provider_name(id))
                .map(ToString::to_string),
            connection: connection.map(|c| index.name_of(c)),
            account: connection.and_then(account),
            credential: wanted
                .target
                .credential
                .and_then(|id| index.credential(id))
                .map(|credential| credential.name.to_string()),
            token_scopes,
            choices,
            credential_choices,
            disconnects: going.len(),
            disconnecting: bounded(going),
        }
    }
}

/// What has to be known first. A yes for the session that cannot be for one script says so.
fn notes(wanted: &AccessRequest, peer: Option<&Peer>, for_session: bool) -> Vec<String> {
    let mut notes = wanted.notes.clone();
    if for_session
        && wanted.operation.can_be_for_a_session()
        && let Some(peer) = peer.filter(|peer| tokenry_peer::script(peer) == Script::Any)
    {
        notes.push(format!(
            "A yes for this session is one for everything that {} runs there, not only for this command.",
            peer.program.as_deref().unwrap_or("this interpreter")
        ));
    }
    notes
}

/// Whose account it is.
fn account(connection: &Connection) -> Option<String> {
    connection
        .account
        .as_ref()
        .map(|account| account.display_name().to_owned())
}

/// What an app that wants these scopes can be given.
pub(crate) fn offered(
    index: &Index,
    scopes: &BTreeSet<ApiScope>,
    now: Timestamp,
) -> (Vec<Choice>, Vec<CredentialChoice>) {
    let any = |concerns: fn(ApiScope) -> bool| scopes.iter().copied().any(concerns);
    let connections = any(ApiScope::concerns_connections).then(|| connections(index));
    let credentials = any(ApiScope::concerns_credentials).then(|| credentials(index, now));
    (connections.unwrap_or_default(), credentials.unwrap_or_default())
}

/// Those that are there, by name.
fn connections(index: &Index) -> Vec<Choice> {
    let there = index.connections().filter(|c| {
        !matches!(
            c.status,
            ConnectionStatus::Pending | ConnectionStatus::Disconnecting
        )
    });
    let mut choices: Vec<_> = there
        .map(|c| Choice {
            connection: c.id,
            name: index.name_of(c),
            account: account(c),
        })
        .collect();
    choices.sort_by(|a, b| a.name.cmp(&b.name));
    choices
}

/// Those that have not expired, by name.
fn credentials(index: &Index, now: Timestamp) -> Vec<CredentialChoice> {
    let there = index.credentials().filter(|(_, known)| known.is_alive(now));
    let mut choices: Vec<_> = there
        .map(|(id, known)| CredentialChoice {
            credential: id,
            name: known.name.to_string(),
        })
        .collect();
    // Two of different projects may have one name, and an order that changes would be another question.
    choices.sort_by(|a, b| (&a.name, a.credential).cmp(&(&b.name, b.credential)));
    choices
}

/// What of a question can change while it is open.
#[derive(PartialEq)]
struct Shown {
    provider: Option<String>,
    connection: Option<String>,
    account: Option<String>,
    credential: Option<String>,
    token_scopes: Vec<String>,
    choices: Vec<Choice>,
    credential_choices: Vec<CredentialChoice>,
    disconnects: usize,
    disconnecting: Vec<String>,
}

fn scopes(scopes: Option<&tokenry_core::Scopes>) -> Vec<String> {
    scopes
        .map(|scopes| scopes.iter().map(str::to_owned).collect())
        .unwrap_or_default()
}

/// What is wanted, in the activity log's words.
pub(super) fn operation_words(operation: Operation) -> &'static str {
    match operation {
        Operation::Token => "a token",
        Operation::StartFlow => "to start a sign-in",
        Operation::StepUp => "to sign in again for more scopes",
        Operation::FinishFlow => "to finish a sign-in of another program",
        Operation::HandOver => "to end the engine",
        Operation::Refresh => "to refresh",
        Operation::Disconnect => "to disconnect",
        Operation::WriteConnection => "to change a connection",
        Operation::WriteProviders => "to change providers",
        Operation::DeleteProvider => "to delete a provider",
        Operation::MoveEndpoint => "to change where a provider's secrets go or how they are protected",
        Operation::ReadCredential => "a credential",
        Operation::WriteCredentials => "to change credentials",
        Operation::DeleteCredential => "to delete a credential",
        Operation::WriteApps => "to change what apps may do",
        Operation::DeleteApp => "to remove an app",
        Operation::AcceptOlder => "to go on with an older copy of the vault",
        Operation::WriteSlots => "to change how the vault is unlocked",
        Operation::AutoLock => "to change when the vault locks",
        Operation::CutOff => "to cut off access",
        Operation::SalvageVault => "to copy what still opens of the vault into a new one",
        Operation::AuthorizeApp => "to be an authorized app",
        Operation::Backup => "to write a backup",
        Operation::Restore => "to restore a backup",
        _ => "something else",
    }
}
