//! Who may do what: the policy, consent, apps and their grants, and what a caller can find.

pub(crate) mod apps;
pub(crate) mod consent;
pub(crate) mod grants;
pub(crate) mod installed;
pub(crate) mod policy;
pub(crate) mod resolve;
pub(crate) mod visibility;
