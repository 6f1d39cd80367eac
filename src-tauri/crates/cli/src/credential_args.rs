//! The options of `tokenry credential`. A value is never an argument.

use clap::{Args, Subcommand, ValueEnum};
use tokenry_contract::CredentialType;

#[derive(Subcommand)]
pub(crate) enum CredentialCommand {
    /// Add a credential; its secret values are read from standard input, a prompt or a file descriptor
    Add(AddArgs),
    /// List credentials, including connections, without their values
    List,
    /// Show a credential without its values, or print one value
    Show {
        /// A credential's name or id
        name: String,
        /// Print the value of this field, decoded, to standard output
        #[arg(long, value_name = "FIELD")]
        field: Option<String>,
    },
    /// Change the given fields only
    Edit(EditArgs),
    /// Remove a credential
    Remove {
        /// A credential's name or id
        name: String,
    },
}

#[derive(Args)]
pub(crate) struct AddArgs {
    /// The name: lowercase letters, digits and hyphens, unique within the project
    pub(crate) name: String,
    /// raw: one value; basic-auth: a username and a password; default: custom fields
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    pub(crate) kind: Kind,
    /// The project (namespace)
    #[arg(long)]
    pub(crate) project: Option<String>,
    /// The username, for basic-auth
    #[arg(long, required_if_eq("kind", "basic-auth"))]
    pub(crate) username: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
    /// Delete the credential automatically at this time, like 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) expires_at: Option<String>,
}

#[derive(Args)]
pub(crate) struct EditArgs {
    /// A credential's name or id
    pub(crate) credential: String,
    /// A new name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The username, for basic-auth
    #[arg(long)]
    pub(crate) username: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
    /// Remove this field; may be repeated
    #[arg(long = "remove-field", value_name = "FIELD")]
    pub(crate) removed: Vec<String>,
    /// Delete the credential automatically at this time, like 2030-01-31T12:00:00Z, or `never`
    #[arg(long, value_name = "TIME")]
    pub(crate) expires_at: Option<String>,
}

/// What adding and editing have in common.
#[derive(Args)]
pub(crate) struct Common {
    /// Set this field from standard input or a prompt (`NAME=-`), or from file descriptor N (`NAME=fd:N`); may be repeated
    #[arg(long = "field", value_name = "NAME=-", value_parser = field)]
    pub(crate) fields: Vec<(String, From)>,
    /// Make this field write-only; may be repeated
    #[arg(long = "redact", value_name = "FIELD")]
    pub(crate) redacted: Vec<String>,
}

/// The types that are entered by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Default,
    Raw,
    BasicAuth,
}

impl Kind {
    pub(crate) fn of_contract(self) -> CredentialType {
        match self {
            Self::Default => CredentialType::Default,
            Self::Raw => CredentialType::Raw,
            Self::BasicAuth => CredentialType::BasicAuth,
        }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// Standard input; at a terminal a question whose answer is not shown.
    Stdin,
    /// An inherited file descriptor.
    Fd(u32),
}

/// `NAME=-` or `NAME=fd:N`. What stands there instead could be a secret, so it is not repeated; others may have seen
/// it in the list of processes.
fn field(text: &str) -> Result<(String, From), &'static str> {
    let wrong = "expected `NAME=-` or `NAME=fd:N`: a value is never given as an argument";
    let (name, from) = text.rsplit_once('=').ok_or(wrong)?;
    let from = match (from, from.strip_prefix("fd:").map(str::parse)) {
        ("-", _) => From::Stdin,
        (_, Some(Ok(fd))) => From::Fd(fd),
        _ => return Err(wrong),
    };
    if name.is_empty() {
        return Err("the name before `=` is empty");
    }
    Ok((name.to_owned(), from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_says_where_its_value_comes_from_and_never_what_it_is() {
        assert_eq!(field("key=-"), Ok(("key".to_owned(), From::Stdin)));
        assert_eq!(field("a=b=fd:3"), Ok(("a=b".to_owned(), From::Fd(3))));
        for wrong in [
            "key",
            "=-",
            "key=",
            "key=s3cr3t",
            "key=fd:",
            "key=fd:-1",
            "key=fd:x",
        ] {
            let error = field(wrong).unwrap_err();
            assert!(!error.contains("s3cr3t"), "{wrong}: {error}");
        }
    }
}
