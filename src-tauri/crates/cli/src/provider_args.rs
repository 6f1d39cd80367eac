//! A provider's fields as flags.

use crate::args::word;
use crate::assignment::{Assignment, assignment};
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};
use std::path::PathBuf;
use tokenry_contract::{GrantType, Redirect, TokenEndpointAuthMethod};

#[derive(Args)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Kebab-case, unique within the project
    #[arg(long, required_unless_present = "from")]
    pub(crate) name: Option<String>,
    /// The id under which you registered at the provider
    #[arg(long, required_unless_present = "from")]
    pub(crate) client_id: Option<String>,
    /// The project (namespace) it belongs to
    #[arg(long)]
    pub(crate) project: Option<String>,
    #[command(flatten)]
    pub(crate) fields: Fields,
}

#[derive(Args)]
pub(crate) struct EditArgs {
    /// A provider's name or id
    pub(crate) provider: String,
    #[command(flatten)]
    pub(crate) source: Source,
    /// A new name, kebab-case
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The id under which you registered at the provider
    #[arg(long)]
    pub(crate) client_id: Option<String>,
    /// Forget the client secret
    #[arg(long, conflicts_with_all = ["client_secret_stdin", "client_secret_fd"])]
    pub(crate) clear_client_secret: bool,
    #[command(flatten)]
    pub(crate) fields: Fields,
}

/// Where more than flags comes from.
#[derive(Args)]
pub(crate) struct Source {
    /// Take the fields from this JSON file; `-` is standard input. What `provider show --json` prints, and Google's
    /// client_secret.json, are understood too
    #[arg(long, value_name = "FILE.json")]
    pub(crate) from: Option<PathBuf>,
    /// Read the client secret from standard input; at a terminal, ask for it without showing it
    #[arg(long)]
    pub(crate) client_secret_stdin: bool,
    /// Read the client secret from this file descriptor
    #[arg(long, value_name = "N", conflicts_with = "client_secret_stdin")]
    pub(crate) client_secret_fd: Option<u32>,
}

/// The settings that have a flag of their own. Any other is given with `--set`.
#[derive(Args, Serialize)]
pub(crate) struct Fields {
    /// The name that people see
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    /// authorization_code (the default) or client_credentials
    #[arg(long, value_parser = word::<GrantType>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_type: Option<GrantType>,
    /// The authorization server's issuer identifier
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    /// Where the browser is sent
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_endpoint: Option<String>,
    /// Where tokens are fetched
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint: Option<String>,
    /// Where Tokenry asks which account it is
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    userinfo_endpoint: Option<String>,
    /// client_secret_basic, client_secret_post or none
    #[arg(long, value_name = "METHOD", value_parser = word::<TokenEndpointAuthMethod>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_method: Option<TokenEndpointAuthMethod>,
    /// A scope of each sign-in that names none; may be repeated
    #[arg(long = "default-scope", visible_alias = "scope", value_name = "SCOPE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    default_scopes: Option<Vec<String>>,
    /// How the provider's response comes back: loopback (the default), deep-link or paste
    #[arg(long, value_parser = word::<Redirect>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect: Option<Redirect>,
    /// Any setting, under the name that `provider show --json` gives it; may be repeated. A list takes commas, NAME.KEY
    /// is one member of a map, and nothing after the `=` sets the default
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    #[serde(skip)]
    assignments: Vec<Assignment>,
}

impl AddArgs {
    /// Only what was given.
    pub(crate) fn given(&self, into: &mut Map<String, Value>) {
        insert(into, "name", self.name.as_ref());
        insert(into, "client_id", self.client_id.as_ref());
        insert(into, "project", self.project.as_ref());
        self.fields.given(into);
    }
}

impl EditArgs {
    /// Only what was given.
    pub(crate) fn given(&self, into: &mut Map<String, Value>) {
        insert(into, "name", self.name.as_ref());
        insert(into, "client_id", self.client_id.as_ref());
        if self.clear_client_secret {
            into.insert("client_secret".to_owned(), Value::Null);
        }
        self.fields.given(into);
    }
}

impl Fields {
    fn given(&self, into: &mut Map<String, Value>) {
        if let Ok(Value::Object(flags)) = serde_json::to_value(self) {
            into.extend(flags);
        }
        for assignment in &self.assignments {
            assignment.apply(into);
        }
    }
}

fn insert(into: &mut Map<String, Value>, name: &str, value: Option<&String>) {
    if let Some(value) = value {
        into.insert(name.to_owned(), value.clone().into());
    }
}
