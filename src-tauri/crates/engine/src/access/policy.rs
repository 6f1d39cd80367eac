//! The policy: one pure function that allows, asks or denies.

pub use tokenry_core::Operation;
use tokenry_core::{
    ApiScope, AppId, Caller, ConnectionId, CredentialId, Grant, Peer, Remote, Rule, Scopes, Timestamp,
};

/// What the policy knows of an operation without a caller or a target.
pub trait OperationPolicy: Copy {
    /// What an app needs one of. Empty where no scope helps.
    fn scopes(self) -> &'static [ApiScope];

    /// Whether a yes can be for the program's session. What cannot be taken back, or changes who may do what, is
    /// decided each time.
    fn can_be_for_a_session(self) -> bool;
}

impl OperationPolicy for Operation {
    fn scopes(self) -> &'static [ApiScope] {
        use ApiScope as S;
        match self {
            Self::ReadProviders | Self::CheckProvider => &[S::ProvidersRead],
            Self::WriteProviders | Self::DeleteProvider | Self::MoveEndpoint | Self::Discover => {
                &[S::ProvidersWrite]
            }
            Self::StartFlow | Self::FinishFlow | Self::Refresh | Self::Disconnect => {
                &[S::AuthWrite, S::AuthWriteOwn]
            }
            Self::ReadConnections => &[S::ConnectionsRead],
            Self::WriteConnection => &[S::ConnectionsWrite],
            // Who may have its tokens may ask for more of them; the user decides.
            Self::Token | Self::StepUp => &[S::TokensRead],
            Self::ListCredentials | Self::ReadCredential => &[S::CredentialsRead],
            Self::WriteCredentials | Self::DeleteCredential => &[S::CredentialsWrite],
            Self::ReadActivity => &[S::ActivityRead],
            Self::ReadApps
            | Self::WriteApps
            | Self::DeleteApp
            | Self::ReadSettings
            | Self::Settings
            | Self::AutoLock
            | Self::AuthorizeApp
            | Self::Backup
            | Self::Restore
            | Self::BackupJobs
            | Self::ReadPrompts
            | Self::Answer
            | Self::AcceptOlder
            | Self::WriteSlots
            | Self::CutOff
            | Self::CheckVault
            | Self::SalvageVault
            | Self::Forward
            | Self::Engine
            | Self::HandOver => &[],
        }
    }

    fn can_be_for_a_session(self) -> bool {
        !matches!(
            self,
            Self::DeleteProvider
                | Self::MoveEndpoint
                | Self::Disconnect
                | Self::DeleteCredential
                | Self::WriteApps
                | Self::DeleteApp
                | Self::AuthorizeApp
                | Self::AcceptOlder
                | Self::WriteSlots
                | Self::AutoLock
                | Self::Backup
                | Self::Restore
                | Self::CutOff
                | Self::SalvageVault
                | Self::FinishFlow
                | Self::StepUp
                | Self::HandOver
        )
    }
}

/// Whether the user decides although a grant covers it. A grant says what an app may do, and not that secrets may go
/// elsewhere from now on, that a provider may go with all its connections, or that a connection may do more.
fn is_asked_of_apps(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::MoveEndpoint | Operation::DeleteProvider | Operation::StepUp
    )
}

/// What a program of this user may do without anybody's consent.
fn for_a_program(operation: Operation) -> Without {
    match operation {
        Operation::ReadProviders
        // A program of this user can ask any address itself.
        | Operation::Discover
        | Operation::ReadConnections
        | Operation::ListCredentials
        | Operation::ReadActivity
        | Operation::ReadApps
        | Operation::ReadPrompts
        | Operation::ReadSettings
        | Operation::BackupJobs
        | Operation::CheckVault
        | Operation::CheckProvider
        // It reaches less there than the program itself does here.
        | Operation::Forward
        | Operation::Engine => Without::Allowed,
        Operation::WriteProviders
        | Operation::DeleteProvider
        | Operation::MoveEndpoint
        | Operation::StartFlow
        | Operation::FinishFlow
        | Operation::StepUp
        | Operation::WriteConnection
        | Operation::Token
        | Operation::Refresh
        | Operation::Disconnect
        | Operation::ReadCredential
        | Operation::WriteCredentials
        | Operation::DeleteCredential
        | Operation::WriteApps
        | Operation::DeleteApp
        | Operation::AcceptOlder
        | Operation::WriteSlots
        | Operation::AutoLock
        | Operation::Backup
        | Operation::Restore
        | Operation::CutOff
        | Operation::SalvageVault
        | Operation::HandOver => Without::Asked,
        Operation::Settings | Operation::AuthorizeApp | Operation::Answer => Without::Refused,
    }
}

enum Without {
    Allowed,
    Asked,
    Refused,
}

/// What an operation is done to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// The connection, if it concerns one.
    pub connection: Option<ConnectionId>,
    /// The credential, if it concerns one.
    pub credential: Option<CredentialId>,
    /// The app that made it.
    pub owner: Option<AppId>,
    /// Whether the calling program started it itself: a sign-in, for example.
    pub is_own: bool,
    /// What the token that is wanted may do at its provider; `None` is whatever the connection holds.
    pub scopes: Option<Scopes>,
}

/// How this engine asks for consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConsentMode {
    /// In a window, or through `tokenry approve`.
    #[default]
    Possible,
    /// Never: whatever needs a question is refused.
    Never,
    /// Never: whatever needs a question is allowed.
    AllowAll,
}

/// All that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who.
    pub caller: &'a Caller,
    /// Wants to do what.
    pub operation: Operation,
    /// To what.
    pub target: &'a Target,
    /// The grants of the calling app.
    pub grants: &'a [&'a Grant],
    /// Whether the user has allowed just this for the session.
    pub session: bool,
    /// How consent is asked for.
    pub asking: ConsentMode,
    /// When.
    pub now: Timestamp,
}

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allow(Rule),
    /// The user decides.
    Ask,
    /// No.
    Deny(Rule),
}

/// The only function that decides. Other users never get here: the servers close their connections.
pub fn decide(question: &Question<'_>) -> Decision {
    match question.caller {
        Caller::Ui => for_the_window(question.operation),
        Caller::Consent => match question.operation {
            Operation::Answer | Operation::ReadPrompts => Decision::Allow(Rule::Window),
            _ => Decision::Deny(Rule::NotForThisCaller),
        },
        Caller::Engine => match question.operation {
            Operation::ReadConnections | Operation::Refresh | Operation::FinishFlow => {
                Decision::Allow(Rule::Engine)
            }
            _ => Decision::Deny(Rule::NotForThisCaller),
        },
        Caller::Program(Peer {
            remote: Some(remote), ..
        }) => for_a_host(question, remote),
        Caller::Program(_) => match for_a_program(question.operation) {
            Without::Allowed => Decision::Allow(Rule::SameUser),
            Without::Refused => Decision::Deny(Rule::NotForThisCaller),
            Without::Asked if question.target.is_own => Decision::Allow(Rule::SameUser),
            Without::Asked => ask(question),
        },
        Caller::App(caller) => {
            if question.operation == Operation::Engine {
                return Decision::Allow(Rule::SameUser);
            }
            if question.operation.scopes().is_empty() {
                return Decision::Deny(Rule::NotForThisCaller);
            }
            let counts =
                |grant: &&&Grant| grant.app == caller.app && caller.grant.is_none_or(|only| only == grant.id);
            // What limits a token least: the others are there for other things.
            let best = question
                .grants
                .iter()
                .filter(counts)
                .filter(|grant| covers(grant, question))
                .min_by_key(|grant| grant.token_scopes.is_some());
            match best {
                None => Decision::Deny(Rule::NoGrant),
                Some(_) if is_asked_of_apps(question.operation) => ask(question),
                Some(grant) => Decision::Allow(Rule::Grant(grant.id)),
            }
        }
    }
}

/// The programs of another host request tokens of the connections that their socket is for.
fn for_a_host(question: &Question<'_>, remote: &Remote) -> Decision {
    let connection = question.target.connection;
    if connection.is_some_and(|id| !remote.connections.contains(&id)) {
        return Decision::Deny(Rule::NoGrant);
    }
    match question.operation {
        Operation::ReadConnections => Decision::Allow(Rule::SameUser),
        Operation::Token if connection.is_some() => ask(question),
        _ => Decision::Deny(Rule::NotForThisCaller),
    }
}

/// The main window is the person, and still cannot answer for them: that is done in a window of its own.
fn for_the_window(operation: Operation) -> Decision {
    match operation {
        Operation::Answer | Operation::AuthorizeApp | Operation::HandOver => {
            Decision::Deny(Rule::NotForThisCaller)
        }
        _ => Decision::Allow(Rule::Window),
    }
}

fn ask(question: &Question<'_>) -> Decision {
    match question.asking {
        _ if question.session => Decision::Allow(Rule::Session),
        ConsentMode::Possible => Decision::Ask,
        ConsentMode::Never => Decision::Deny(Rule::CannotAsk),
        ConsentMode::AllowAll => Decision::Allow(Rule::ApproveAll),
    }
}

fn covers(grant: &Grant, question: &Question<'_>) -> bool {
    let target = question.target;
    let own = target.owner == Some(grant.app);
    let connection = || own || target.connection.is_none_or(|id| grant.connections.contains(&id));
    let credential = || own || target.credential.is_none_or(|id| grant.credentials.contains(&id));
    let within_limit = || match (&grant.token_scopes, &target.scopes) {
        (Some(most), Some(wanted)) => wanted.missing_from(most).is_empty(),
        _ => true,
    };
    let reaches = |scope: &ApiScope| match scope {
        ApiScope::AuthWriteOwn => {
            own || (question.operation == Operation::StartFlow && target.connection.is_none())
        }
        ApiScope::AuthWrite => {
            // A flow that another app started is that app's, however it is called.
            connection() && (question.operation != Operation::FinishFlow || own)
        }
        ApiScope::TokensRead => connection() && within_limit(),
        ApiScope::ConnectionsRead | ApiScope::ConnectionsWrite => connection(),
        ApiScope::CredentialsRead | ApiScope::CredentialsWrite => credential(),
        ApiScope::ProvidersRead | ApiScope::ProvidersWrite | ApiScope::ActivityRead => true,
    };
    // A token may have been asked for with less than the grant allows.
    let in_token = |scope: &ApiScope| match question.caller {
        Caller::App(caller) => caller.scopes.as_ref().is_none_or(|only| only.contains(scope)),
        _ => true,
    };
    grant.is_alive(question.now)
        && question
            .operation
            .scopes()
            .iter()
            .any(|scope| grant.scopes.contains(scope) && in_token(scope) && reaches(scope))
}

#[cfg(test)]
mod tests;
