//! The verbs of Tokenry: connect, callback, token, refresh, disconnect; the scheduler, the policy and the activity
//! log behind them.
//!
//! What must never be true of this crate: that a token is seen by anybody before it is committed; that anything but
//! a well-formed `invalid_grant` for the very token we hold ends a grant; that one caller's going away cancels what
//! others wait for; that a secret is logged.
#![deny(missing_docs)]

mod access;
mod activity;
mod authorization_server;
mod backup;
mod connections;
mod credentials;
mod cut_off;
mod discovery;
mod doctor;
mod engine;
mod error;
mod fault_points;
mod flow;
mod forwards;
mod host;
mod lifecycle;
mod locks;
mod provider_check;
mod providers;
mod records;
mod request_context;
mod requested_sockets;
mod salvage;
mod settings;
#[cfg(test)]
mod tests;
mod token;
mod vault_check;
mod views;

pub use access::apps::AppView;
pub use access::consent::{
    AuthorizationRequest, ChangeKind, Choice, CredentialChoice, FieldChange, Prompt, PromptAnswer, Proof,
};
pub use access::grants::NewGrant;
pub use access::installed::is_our_helper;
pub use access::policy::{ConsentMode, Decision, Operation, OperationPolicy, Question, Target, decide};
pub use activity::{audit::AuditFilter, read::EventFilter};
pub use authorization_server::{
    ConsentDecision, Introspection, IssuedTokens, OAuthError, OAuthErrorCode, Redirect, Unredirectable,
};
pub use backup::{
    BackupCounts, BackupKey, BackupMade, BackupSeal, DailyBackup, DailyBackupChange, DailyFailure, JobEnd,
    JobKind, JobResult, JobView, NewBackup, RestoreItem, RestoreKind, RestorePreview, RestoreState, Restored,
    TargetError,
};
pub use connections::{ConnectionChange, disconnect::Revoked};
pub use credentials::{AnyCredential, CredentialChange, CredentialView, NewCredential};
pub use cut_off::CutOff;
pub use engine::Engine;
pub use error::Error;
pub use flow::initialise::Initialise;
pub use flow::start::{ConnectOptions, StartedFlow};
pub use forwards::Forward;
pub use host::{Host, HostError, NoWindowHost, SchemeState};
pub use lifecycle::options::{Options, VaultChoice};
pub use lifecycle::residue;
pub use lifecycle::slots::{SlotChange, SlotProof};
pub use lifecycle::vault_handle::{VaultReport, VaultState};
pub use providers::presets::newer_preset;
pub use request_context::{in_request, request_id};
pub use requested_sockets::{SocketReport, SocketRequests};
pub use settings::{AutoLockChange, SettingsChange};
pub use token::ProofRequest;
pub use token::narrowing::Unavailable;
pub use token::rejected::{Fingerprint, RejectedOutcome};
pub use token::request::TokenRequest;
pub use token::step_up::{Challenge, StepUp, Wants};
pub use tokenry_oauth::Network;
pub use tokenry_oauth::discovery::{Found as FoundAddress, Query as AddressQuery};
pub use tokenry_session::Sources as AutoLockSources;
pub use views::{Change, ConnectionView, FlowState, FlowView, Refusal, Status, TokenView};
