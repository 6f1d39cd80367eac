//! Consent: the queue of prompts, what was allowed for a session, and who is not to be asked again yet.
//!
//! What must never be true of it: that silence allows anything; that something is allowed which is not what was
//! shown; that a decision takes effect before it stands in the activity log.

mod answer;
mod difference;
mod misfit;
mod pause;
mod permit;
mod presence;
mod prompt;
mod queue;
mod session;
mod shown;

pub use answer::{PromptAnswer, Proof};
pub use difference::{ChangeKind, FieldChange};
pub(crate) use difference::{Differences, bounded, fingerprint};
pub(crate) use permit::{AccessRequest, Permit};
pub use prompt::{AuthorizationRequest, Choice, CredentialChoice, Prompt};
pub(crate) use queue::Prompts;
pub(crate) use session::origin;
pub(crate) use shown::offered;
