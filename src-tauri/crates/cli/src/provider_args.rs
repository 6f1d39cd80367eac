//! A provider's fields as flags.

use crate::args::word;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tokenry_contract::{
    GrantType, NarrowingMethod, Redirect, Rotation, TokenEndpointAuthMethod, UpdateProvider,
};

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
    /// The space of names it is in
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

/// The fields that adding and editing have in common.
#[derive(Args)]
pub(crate) struct Fields {
    /// The name a person sees
    #[arg(long)]
    display_name: Option<String>,
    /// authorization_code (when not given) or client_credentials
    #[arg(long, value_parser = word::<GrantType>)]
    grant_type: Option<GrantType>,
    /// The authorization server's issuer identifier
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// What else the server may call itself; may be repeated
    #[arg(long = "issuer-alias", value_name = "NAME")]
    issuer_aliases: Option<Vec<String>>,
    /// Where the browser is sent
    #[arg(long, value_name = "URL")]
    authorization_endpoint: Option<String>,
    /// Where tokens come from
    #[arg(long, value_name = "URL")]
    token_endpoint: Option<String>,
    /// Where tokens are refreshed, when that is elsewhere
    #[arg(long, value_name = "URL")]
    refresh_endpoint: Option<String>,
    /// Where tokens are revoked
    #[arg(long, value_name = "URL")]
    revocation_endpoint: Option<String>,
    /// What says whose account it is
    #[arg(long, value_name = "URL")]
    userinfo_endpoint: Option<String>,
    /// client_secret_basic, client_secret_post or none
    #[arg(long, value_name = "METHOD", value_parser = word::<TokenEndpointAuthMethod>)]
    token_endpoint_auth_method: Option<TokenEndpointAuthMethod>,
    /// A scope to ask for by default; may be repeated
    #[arg(long = "default-scope", visible_alias = "scope", value_name = "SCOPE")]
    default_scopes: Option<Vec<String>>,
    /// What stands between scopes, when that is no space
    #[arg(long, value_name = "TEXT")]
    scope_separator: Option<String>,
    /// Whether to use PKCE
    #[arg(long, value_name = "true|false")]
    use_pkce: Option<bool>,
    /// A parameter to add to the authorization request; may be repeated
    #[arg(long = "authorize-param", value_name = "NAME=VALUE", value_parser = pair)]
    authorize_params: Option<Vec<(String, String)>>,
    /// How the browser's answer comes back: loopback (when not given), deep-link or paste
    #[arg(long, value_parser = word::<Redirect>)]
    redirect: Option<Redirect>,
    /// Whether the provider puts `iss` into its answers (RFC 9207)
    #[arg(long, value_name = "true|false")]
    authorization_response_iss_parameter_supported: Option<bool>,
    /// What becomes of a refresh token that was used: none, strict, unknown, or grace:SECONDS
    #[arg(long, value_parser = rotation)]
    rotation: Option<Rotation>,
    /// How the provider gives a token with fewer scopes or for one audience: refresh (only where the grant stays
    /// whole), exchange (RFC 8693), none or unknown
    #[arg(long, value_parser = word::<NarrowingMethod>)]
    narrowing: Option<NarrowingMethod>,
}

/// What is to be sent: only what was given.
#[derive(Serialize)]
pub(crate) struct Given {
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(flatten)]
    fields: UpdateProvider,
}

impl AddArgs {
    pub(crate) fn given(&self) -> Given {
        let fields = UpdateProvider {
            name: self.name.clone(),
            client_id: self.client_id.clone(),
            ..self.fields.given()
        };
        Given {
            project: self.project.clone(),
            fields,
        }
    }
}

impl EditArgs {
    pub(crate) fn given(&self) -> Given {
        let fields = UpdateProvider {
            name: self.name.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.clear_client_secret.then(String::new),
            ..self.fields.given()
        };
        Given {
            project: None,
            fields,
        }
    }
}

impl Fields {
    fn given(&self) -> UpdateProvider {
        UpdateProvider {
            display_name: self.display_name.clone(),
            grant_type: self.grant_type,
            issuer: self.issuer.clone(),
            issuer_aliases: self.issuer_aliases.clone(),
            authorization_endpoint: self.authorization_endpoint.clone(),
            token_endpoint: self.token_endpoint.clone(),
            refresh_endpoint: self.refresh_endpoint.clone(),
            revocation_endpoint: self.revocation_endpoint.clone(),
            userinfo_endpoint: self.userinfo_endpoint.clone(),
            token_endpoint_auth_method: self.token_endpoint_auth_method,
            default_scopes: self.default_scopes.clone(),
            scope_separator: self.scope_separator.clone(),
            use_pkce: self.use_pkce,
            authorize_params: self.authorize_params.clone().map(BTreeMap::from_iter),
            redirect: self.redirect,
            authorization_response_iss_parameter_supported: self
                .authorization_response_iss_parameter_supported,
            rotation: self.rotation,
            narrowing: self.narrowing,
            ..UpdateProvider::default()
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("there is no `=` in it")?;
    if name.is_empty() {
        return Err("there is no name before the `=`".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn rotation(text: &str) -> Result<Rotation, String> {
    match (text, text.strip_prefix("grace:")) {
        ("none", _) => Ok(Rotation::None),
        ("strict", _) => Ok(Rotation::Strict),
        ("unknown", _) => Ok(Rotation::Unknown),
        (_, Some(seconds)) => seconds
            .parse()
            .map(|seconds| Rotation::Grace { seconds })
            .map_err(|_| "after `grace:` comes a number of seconds".to_owned()),
        _ => Err("it is one of none, strict, unknown, grace:SECONDS".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_is_a_word_or_a_grace_with_its_seconds() {
        assert_eq!(rotation("strict"), Ok(Rotation::Strict));
        assert_eq!(rotation("grace:30"), Ok(Rotation::Grace { seconds: 30 }));
        for wrong in ["grace", "grace:", "grace:-1", "grace:99999999999", "Strict", ""] {
            assert!(rotation(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_parameter_is_cut_at_its_first_equals_sign() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(pair("a").is_err() && pair("=b").is_err());
    }
}
