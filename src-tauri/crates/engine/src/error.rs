//! The errors of the engine, their codes and their texts.

mod texts;

pub(crate) use texts::reason_text;

use crate::access::policy::{Operation, OperationPolicy as _};
use crate::token::narrowing::Unavailable;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use texts::{cannot_narrow, fields_text, next_try, not_allowed, said, what_to_check};
use tokenry_core::{Code, Connection, ReauthReason, Rule, Timestamp, within};
use tokenry_oauth::{Failure, redirect::Refused};

/// What [`Error::NoVault`] begins with.
const NO_VAULT: &str = "there is no vault yet: ";

/// Why the engine did not do what it was asked. The text says what happened, to what, and what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Store(#[from] tokenry_store::Error),
    /// The keys.
    #[error(transparent)]
    Vault(#[from] tokenry_vault::Error),
    /// The OS keyring does not take the key of a first vault.
    #[error(
        "{0}. Or protect the vault with a passphrase instead: `tokenry unlock` in a terminal asks for one"
    )]
    NoKeyring(tokenry_vault::Error),
    /// The vault is not open.
    #[error("the vault is locked; unlock it with `tokenry unlock` or in the window")]
    Locked,
    /// The vault is not open, and it is known why.
    #[error("the vault is locked: {0}")]
    StaysLocked(String),
    /// A part of the vault is gone or was changed.
    #[error("the vault is damaged: {0}")]
    StaysDamaged(String),
    /// The profile's folder held a vault, and there is nothing of it any more.
    #[error("{} held a vault, and its database is gone; nothing was created in its place. Restore a backup of the folder; or, to start over without its contents, run `rm {}`", folder.display(), known_by.display())]
    VaultGone {
        /// The profile's folder.
        folder: std::path::PathBuf,
        /// The file outside of it that says so.
        known_by: std::path::PathBuf,
    },
    /// There is no vault yet.
    #[error("{NO_VAULT}{0}")]
    NoVault(String),
    /// The profile is older than it was, or rows are missing.
    #[error("this profile may only be read: {0}")]
    ReadOnly(String),
    /// Nothing has this name.
    #[error("there is no {what} called {reference:?}; {next}")]
    NotFound {
        /// A noun.
        what: &'static str,
        /// What was asked for, cleaned.
        reference: String,
        /// What to do.
        next: String,
    },
    /// Several have this name.
    #[error("{reference:?} matches several connections: {}; name one of them", candidates.join(", "))]
    Ambiguous {
        /// What was asked for, cleaned.
        reference: String,
        /// What it could be.
        candidates: Vec<String>,
    },
    /// Fields that cannot be right.
    #[error("{}", fields_text(.0))]
    Invalid(BTreeMap<String, String>),
    /// It would clash with what is there.
    #[error("{0}")]
    Conflict(String),
    /// A field that has to be its own is another's already.
    #[error("{}", fields_text(.0))]
    Taken(BTreeMap<String, String>),
    /// The caller may not.
    #[error("{0}")]
    Denied(&'static str),
    /// The person said no, or nothing.
    #[error("{}", not_allowed(*.rule))]
    NotAllowed {
        /// Which kind of no.
        rule: Rule,
        /// How long no prompt appears.
        wait: Option<Duration>,
    },
    /// The user would have to be asked, and cannot be.
    #[error(
        "this needs the user's consent, and no prompt can be shown here; open the Tokenry window, start the engine with `tokenry serve --approve ask` in a terminal, or call with the token of an app that has a grant"
    )]
    CannotAsk,
    /// The user would have to be asked, and does not look: there is no window, or they did not answer in the time that the
    /// caller waits.
    #[error(
        "this needs the user's consent, and no answer came; open the Tokenry window, or run `tokenry approve --wait` in a terminal, and try again (TOKENRY_WAIT=60 has a helper wait for an answer)"
    )]
    UserAbsent,
    /// An app without a grant for this.
    #[error(
        "this app has no grant for that: it needs {needs}; the user can grant it in the window, under Apps, or with `tokenry app grant`"
    )]
    NoGrant {
        /// The scopes, in words.
        needs: String,
    },
    /// Who calls is not known.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// Too many questions are open.
    #[error(
        "too many permission requests are waiting already, so this one was not shown. Try again when they are answered"
    )]
    TooManyQuestions,
    /// Too much of one kind is open or waits already: what, and how long to wait, if that helps by itself.
    #[error("{0}")]
    Busy(String, Option<Duration>),
    /// A question was given up before it was shown.
    #[error(
        "other permission requests were waiting before this one, so it was not shown and is denied. Answer those, then try again"
    )]
    NotShown,
    /// The person has to connect again.
    #[error("{name} needs a new sign-in: {}{}; run `tokenry connect {name}`, or press Sign in again in the window", reason_text(*.reason), said(.words))]
    NeedsReauth {
        /// The connection.
        name: String,
        /// Why.
        reason: ReauthReason,
        /// What the provider said, cleaned.
        words: Option<String>,
    },
    /// A resource rejects the access token, and nothing can bring another one.
    #[error(
        "{0} needs a new sign-in: its access token was rejected, and there is no refresh token; run `tokenry connect {0}`, or press Sign in again in the window"
    )]
    Rejected(String),
    /// The person said no at the provider.
    #[error("the sign-in was denied at the provider{}; nothing was connected and nothing was changed", .0.as_ref().map(|d| format!(" ({d})")).unwrap_or_default())]
    ConsentDenied(Option<String>),
    /// The provider refused the authorization request.
    #[error("the provider answered {error}{}; {}", description.as_ref().map(|d| format!(" ({d})")).unwrap_or_default(), what_to_check(.error))]
    AuthorizationRefused {
        /// Its code, cleaned.
        error: String,
        /// Its words, cleaned.
        description: Option<String>,
    },
    /// The provider's token endpoint.
    #[error("{failure}{}", next_try(*.next_try_at))]
    Provider {
        /// What it did.
        failure: Failure,
        /// When Tokenry tries again.
        next_try_at: Option<Timestamp>,
        /// How long that is from now.
        wait: Option<Duration>,
    },
    /// The provider's token endpoint does not accept our client.
    #[error("{failure} {hint}")]
    ClientRefused {
        /// What it said.
        failure: Failure,
        /// What is most likely the cause, and what to do.
        hint: String,
    },
    /// The provider's token endpoint gives no token with these limits. That says nothing about the connection.
    #[error("the provider gives no token {limits}: {words}. The connection itself is as it was")]
    LimitsRefused {
        /// What was asked for.
        limits: String,
        /// What the provider said.
        words: String,
        /// Its error code.
        provider_error: String,
    },
    /// A refresh is held back, and there is no living token.
    #[error("{message}{}", next_try(*.next_try_at))]
    Unreachable {
        /// What happened.
        message: String,
        /// When Tokenry tries again.
        next_try_at: Option<Timestamp>,
        /// How long that is from now.
        wait: Option<Duration>,
    },
    /// The same, where the last answer was a refusal of the provider itself.
    #[error("{message}{}", next_try(*.next_try_at))]
    HeldBack {
        /// What the provider said.
        message: String,
        /// Its error code.
        provider_error: String,
        /// When Tokenry tries again.
        next_try_at: Option<Timestamp>,
        /// How long that is from now.
        wait: Option<Duration>,
    },
    /// The flow is over.
    #[error("this sign-in has ended: it was used or cancelled, or it expired after ten minutes; start again")]
    FlowExpired,
    /// A redirect that is not ours.
    #[error("the redirect was refused: {}; open sign-ins stay open", within(&.0.to_string()))]
    Redirect(#[from] Refused),
    /// An answer from another account.
    #[error("the redirect was refused: {}; open sign-ins stay open", within(.0))]
    RedirectRefused(String),
    /// Another account than the one to renew.
    #[error(
        "you signed in as {found}, but this connection belongs to {expected}: it was left as it was; sign in as {expected}, or connect {found} as a further connection"
    )]
    OtherAccount {
        /// Whose it is.
        expected: String,
        /// Who came.
        found: String,
    },
    /// The provider did not tell which account signed in at this connection, which is known to be this account's.
    #[error(
        "the provider did not tell which account you signed in with, and {0} belongs to {1}: it was left as it was. If you signed in as {1}, run `tokenry connect {0} --same-account`; else connect the other account with a label of its own"
    )]
    AccountNotTold(String, String),
    /// Something this machine lacks.
    #[error("{0}")]
    Unavailable(String),
    /// The connection is paused.
    #[error("{0} is paused; resume it in the window first")]
    Paused(String),
    /// A token that can do less is wanted, and its provider is not asked for one.
    #[error("the provider of {name} cannot narrow a token: {}. {}", .why.words(), cannot_narrow(*.is_hard))]
    CannotNarrow {
        /// The connection.
        name: String,
        /// Why it is not asked.
        why: Unavailable,
        /// Whether the user allowed no more than what was asked for.
        is_hard: bool,
    },
    /// Work that was cancelled.
    #[error("it was cancelled, so nothing was written and nothing was changed; start it again")]
    Cancelled,
    /// A backup file that cannot be used, or not with what was given.
    #[error("{file} {error}")]
    BackupFile {
        /// Its path, cleaned.
        file: String,
        /// What is wrong with it.
        error: tokenry_backup::Error,
    },
    /// A place that no backup can be written to, or a file that cannot be read.
    #[error(transparent)]
    BackupTarget(#[from] crate::backup::TargetError),
    /// Our own fault.
    #[error("something went wrong in Tokenry: {0}")]
    Internal(String),
    /// The refresh of another caller, which we waited for, ended with this.
    #[error(transparent)]
    Shared(Arc<Error>),
}

impl Error {
    /// The code of the contract.
    pub fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Vault(error) | Self::NoKeyring(error) => error.code(),
            Self::Locked | Self::StaysLocked(_) | Self::StaysDamaged(_) | Self::NoVault(_) => {
                Code::VaultLocked
            }
            Self::ReadOnly(_)
            | Self::Ambiguous { .. }
            | Self::Conflict(_)
            | Self::Taken(_)
            | Self::OtherAccount { .. }
            | Self::AccountNotTold(..)
            | Self::CannotNarrow { is_hard: false, .. }
            | Self::Paused(_) => Code::Conflict,
            Self::NotFound { .. } => Code::NotFound,
            Self::Redirect(refused) => refused.code(),
            Self::Invalid(_) | Self::RedirectRefused(_) => Code::ValidationError,
            Self::Denied(_) | Self::NoGrant { .. } | Self::CannotNarrow { is_hard: true, .. } => {
                Code::PermissionDenied
            }
            Self::NotAllowed { .. } => Code::ConsentDenied,
            Self::CannotAsk | Self::UserAbsent => Code::InteractionRequired,
            Self::Unauthorized(_) => Code::Unauthorized,
            Self::TooManyQuestions | Self::NotShown | Self::Busy(..) => Code::RateLimited,
            Self::NeedsReauth { .. } | Self::Rejected(_) => Code::NeedsReauth,
            Self::ConsentDenied(_) => Code::ConsentDenied,
            Self::AuthorizationRefused { .. } => Code::ProviderError,
            Self::Provider { failure, .. } | Self::ClientRefused { failure, .. } => failure.code(),
            Self::LimitsRefused { .. } | Self::HeldBack { .. } => Code::ProviderError,
            Self::Unreachable { .. } => Code::ProviderUnreachable,
            Self::FlowExpired => Code::FlowExpired,
            Self::Cancelled => Code::Conflict,
            Self::BackupFile { error, .. } => backup_code(error),
            Self::BackupTarget(error) => error.code(),
            Self::Unavailable(_) => Code::OauthUnavailable,
            Self::Internal(_) | Self::VaultGone { .. } => Code::Internal,
            Self::Shared(error) => error.code(),
        }
    }

    /// Whether an answer was refused because no open flow is known that it belongs to, or none can be looked for.
    pub(crate) fn is_of_no_flow(&self) -> bool {
        matches!(
            self,
            Self::FlowExpired
                | Self::Redirect(_)
                | Self::RedirectRefused(_)
                | Self::Locked
                | Self::StaysLocked(_)
                | Self::StaysDamaged(_)
                | Self::NoVault(_)
        )
    }

    /// Whether the files of the profile are at fault, and a backup mends them.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Store(error) => error.is_damage(),
            Self::Vault(error) => error.is_damage(),
            Self::VaultGone { .. } => true,
            _ => false,
        }
    }

    /// From each field to what is wrong with it.
    pub fn fields(&self) -> Option<&BTreeMap<String, String>> {
        match self {
            Self::Invalid(fields) | Self::Taken(fields) => Some(fields),
            Self::Shared(error) => error.fields(),
            _ => None,
        }
    }

    /// The provider's own error code, cleaned.
    pub fn provider_error(&self) -> Option<&str> {
        match self {
            Self::AuthorizationRefused { error, .. } => Some(error),
            Self::Provider { failure, .. } | Self::ClientRefused { failure, .. } => failure.provider_error(),
            Self::LimitsRefused { provider_error, .. } | Self::HeldBack { provider_error, .. } => {
                Some(provider_error)
            }
            Self::ConsentDenied(_) => Some("access_denied"),
            Self::Shared(error) => error.provider_error(),
            _ => None,
        }
    }

    /// How long to wait before another try makes sense.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Provider { wait, .. }
            | Self::Unreachable { wait, .. }
            | Self::HeldBack { wait, .. }
            | Self::NotAllowed { wait, .. }
            | Self::Busy(_, wait) => *wait,
            Self::Shared(error) => error.retry_after(),
            _ => None,
        }
    }

    /// The rule by which it was refused, where a rule did.
    pub fn rule(&self) -> Option<Rule> {
        match self {
            Self::NotAllowed { rule, .. } => Some(*rule),
            Self::CannotAsk | Self::UserAbsent => Some(Rule::CannotAsk),
            Self::NoGrant { .. } => Some(Rule::NoGrant),
            Self::NotShown => Some(Rule::Unanswered),
            Self::Denied(_) | Self::CannotNarrow { is_hard: true, .. } => Some(Rule::NotForThisCaller),
            _ => None,
        }
    }

    /// That a connection has to be connected again, in the words that its record holds.
    pub(crate) fn needs_reauth(name: String, reason: ReauthReason, connection: &Connection) -> Self {
        let words = connection.provider_words.clone();
        Self::NeedsReauth { name, reason, words }
    }

    /// One field that cannot be right.
    pub fn field(field: &str, wrong: impl Into<String>) -> Self {
        Self::Invalid(BTreeMap::from([(field.to_owned(), wrong.into())]))
    }

    /// An app lacks what these operations take.
    pub(crate) fn no_grant(operations: &[Operation]) -> Self {
        let of_one = |operation: &Operation| {
            let scopes: Vec<_> = operation.scopes().iter().map(|scope| scope.as_str()).collect();
            scopes.join(" or ")
        };
        let all: Vec<_> = operations.iter().map(of_one).collect();
        Self::NoGrant {
            needs: all.join(", and "),
        }
    }

    /// That there is no vault yet. What is to be done may come from a message that says so already.
    pub(crate) fn no_vault(next: &str) -> Self {
        Self::NoVault(next.strip_prefix(NO_VAULT).unwrap_or(next).to_owned())
    }

    pub(crate) fn not_found(what: &'static str, reference: &str, next: impl Into<String>) -> Self {
        Self::NotFound {
            what,
            reference: tokenry_core::clean(reference),
            next: next.into(),
        }
    }
}

fn backup_code(error: &tokenry_backup::Error) -> Code {
    match error {
        tokenry_backup::Error::TooLarge => Code::PayloadTooLarge,
        tokenry_backup::Error::Io(_) => Code::Internal,
        _ => Code::ValidationError,
    }
}

#[cfg(test)]
mod tests;
