//! What is wrong with how requests and responses of a provider differ from RFC 6749.

use super::{Add, Problems, is_refused, parameter_name};
use crate::clean;
use crate::provider::Provider;
use std::collections::{BTreeMap, BTreeSet};
use tokenry_contract::{AccountSource, RevocationMethod, TokenEndpointAuthMethod};

const MAX_PARAMETERS: usize = 32;
const MAX_NAME_BYTES: usize = 128;
const MAX_VALUE_BYTES: usize = 4096;
const MAX_FRAGMENT_BYTES: usize = 512;
const MAX_SEGMENTS: usize = 8;

/// The parameters of ours that can have another name. `state` is not one of them: the response has it, too.
const RENAMABLE: [&str; 16] = [
    "audience",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "nonce",
    "redirect_uri",
    "refresh_token",
    "resource",
    "response_type",
    "scope",
    "token",
    "token_type_hint",
];

/// The parameters that only Tokenry sets in a request to the token endpoint (RFC 6749 §4.1.3, §6; RFC 7521 §4.2;
/// RFC 8693 §2.1).
const TOKEN_PARAMETERS: [&str; 13] = [
    "actor_token",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "grant_type",
    "redirect_uri",
    "refresh_token",
    "requested_token_type",
    "subject_token",
    "subject_token_type",
];

/// The same for a revocation (RFC 7009 §2.1).
const REVOCATION_PARAMETERS: [&str; 6] = [
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "token",
    "token_type_hint",
];

/// The headers that decide where a request goes, how it is read or who sends it.
const RESERVED_HEADERS: [&str; 17] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "dpop",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The members of a token response that can be elsewhere.
const RESPONSE_MEMBERS: [&str; 9] = [
    "access_token",
    "error",
    "error_description",
    "expires_at",
    "expires_in",
    "id_token",
    "refresh_token",
    "scope",
    "token_type",
];

const ACCOUNT_MEMBERS: [&str; 4] = ["email", "id", "name", "picture"];

/// The parameters of a redirect that have a meaning of their own.
const CALLBACK_PARAMETERS: [&str; 4] = ["error", "error_description", "iss", "state"];

impl Provider {
    /// Whether one of our parameters has this name at the provider.
    pub fn is_renamed_to(&self, name: &str) -> bool {
        let name = parameter_name(name);
        self.settings
            .param_names
            .values()
            .any(|own| parameter_name(own) == name)
    }

    pub(super) fn check_requests(&self, problems: &mut Problems) {
        let settings = &self.settings;
        problems.add_some("param_names", names_problem(&settings.param_names));
        let ours = |name: &str, list: &[&str]| {
            list.contains(&parameter_name(name).as_str()) || self.is_renamed_to(name)
        };
        for (field, params) in [
            ("token_params", &settings.token_params),
            ("refresh_params", &settings.refresh_params),
        ] {
            // Instagram's refresh has a grant type of its own.
            let is_grant = |name: &str| field == "refresh_params" && name == "grant_type";
            let wrong = params_problem(params, |name| !is_grant(name) && ours(name, &TOKEN_PARAMETERS));
            problems.add_some(field, wrong);
        }
        let is_free = settings.revocation_method == RevocationMethod::Parameters;
        problems.add_some(
            "revocation_params",
            params_problem(&settings.revocation_params, |name| {
                !is_free && ours(name, &REVOCATION_PARAMETERS)
            }),
        );
        problems.add_some("token_headers", headers_problem(&settings.token_headers));
        if let Some(fragment) = &settings.authorize_fragment {
            let is_plain = fragment.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_plain || fragment.contains(['#', '?']) || fragment.len() > MAX_FRAGMENT_BYTES {
                problems.add(
                    "authorize_fragment",
                    "must be like /path: printable, without # and ?",
                );
            }
        }
        if let Some(name) = &settings.code_param
            && (!is_parameter(name) || CALLBACK_PARAMETERS.contains(&name.as_str()))
        {
            problems.add(
                "code_param",
                "must be the name of the parameter that brings the code",
            );
        }
        if settings.token_endpoint_auth_method == TokenEndpointAuthMethod::SecretAsUserName
            && settings.param_names.contains_key("client_secret")
        {
            problems.add(
                "param_names",
                "client_secret: the client secret is the user name of HTTP Basic here, and no parameter",
            );
        }
    }

    pub(super) fn check_responses(&self, problems: &mut Problems) {
        let settings = &self.settings;
        problems.add_some(
            "token_response_paths",
            paths_problem(&settings.token_response_paths, &RESPONSE_MEMBERS, |name| {
                name != "access_token"
            }),
        );
        problems.add_some(
            "account_paths",
            paths_problem(&settings.account_paths, &ACCOUNT_MEMBERS, |_| false),
        );
        if settings.default_expires_in == Some(0) {
            problems.add("default_expires_in", "must be at least 1 second");
        }
    }

    /// What is wrong with a second exchange, a revocation, or the source of the account.
    pub(super) fn check_ends(&self, problems: &mut Problems) {
        let settings = &self.settings;
        if let Some(step) = &settings.exchange_step {
            problems.add_some("exchange_step", params_problem(&step.params, |_| false));
        }
        if settings.revocation_method == RevocationMethod::Parameters && settings.revocation_params.is_empty()
        {
            problems.add(
                "revocation_params",
                "are required for parameters: in one of them {token} stands for the token",
            );
        }
        let (field, is_missing) = match settings.account_source {
            AccountSource::Userinfo => ("userinfo_endpoint", settings.userinfo_endpoint.is_none()),
            AccountSource::Introspection => (
                "introspection_endpoint",
                settings.introspection_endpoint.is_none(),
            ),
            AccountSource::TokenResponse => ("account_paths", !settings.account_paths.contains_key("id")),
            AccountSource::Automatic => return,
        };
        if is_missing {
            problems.add(
                field,
                "is required: account_source says that it tells the account",
            );
        }
    }
}

fn names_problem(names: &BTreeMap<String, String>) -> Option<String> {
    let mut seen = BTreeSet::new();
    names.iter().find_map(|(name, own)| {
        let own_name = parameter_name(own);
        // A revocation sends no other token, so `token` may have the name of one.
        let is_token = name == "token" && own_name == "refresh_token";
        let wrong = if !RENAMABLE.contains(&name.as_str()) {
            "cannot have another name"
        } else if !is_parameter(own) {
            "must have a name of 1 to 128 printable characters"
        } else if (is_refused(own) || RENAMABLE.contains(&own_name.as_str())) && !is_token {
            "cannot have the name of another parameter"
        } else if !seen.insert(own_name) {
            "has the same name as another parameter"
        } else {
            return None;
        };
        Some(format!("{}: {wrong}", clean(name)))
    })
}

fn params_problem(params: &BTreeMap<String, String>, is_ours: impl Fn(&str) -> bool) -> Option<String> {
    if params.len() > MAX_PARAMETERS {
        return Some(format!("must be at most {MAX_PARAMETERS}"));
    }
    params.iter().find_map(|(name, value)| {
        if is_ours(name) {
            return Some(format!("must not set {}, which Tokenry sets itself", clean(name)));
        }
        let is_fit = is_parameter(name) && value.len() <= MAX_VALUE_BYTES && !value.chars().any(char::is_control);
        (!is_fit).then(|| {
            format!(
                "{}: must be a printable name and a value of at most {MAX_VALUE_BYTES} bytes without control characters",
                clean(name)
            )
        })
    })
}

fn headers_problem(headers: &BTreeMap<String, String>) -> Option<String> {
    let mut seen = BTreeSet::new();
    headers.iter().find_map(|(name, value)| {
        let lower = name.to_ascii_lowercase();
        // RFC 9110 §5.6.2 and §5.5.
        let is_name = !name.is_empty()
            && name.len() <= MAX_NAME_BYTES
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        let is_value = !value.is_empty()
            && value.len() <= MAX_VALUE_BYTES
            && value.trim() == value
            && value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let wrong = if !is_name {
            "is not the name of a header"
        } else if RESERVED_HEADERS.contains(&lower.as_str()) || lower.starts_with("proxy-") {
            "is a header that Tokenry sets itself"
        } else if !is_value {
            "must have a value of printable ASCII characters"
        } else if !seen.insert(lower) {
            "is there twice"
        } else {
            return None;
        };
        Some(format!("{}: {wrong}", clean(name)))
    })
}

fn paths_problem(
    paths: &BTreeMap<String, String>,
    members: &[&str],
    may_be_empty: impl Fn(&str) -> bool,
) -> Option<String> {
    paths.iter().find_map(|(name, path)| {
        if !members.contains(&name.as_str()) {
            return Some(format!("{} is none of {}", clean(name), members.join(", ")));
        }
        let is_fit = is_path(path) || (path.is_empty() && may_be_empty(name));
        (!is_fit).then(|| {
            format!("{name}: must be up to {MAX_SEGMENTS} names joined by dots, such as data.0.{name}")
        })
    })
}

/// Whether this can be the name of a parameter.
pub(super) fn is_parameter(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether this can be the path of a member.
pub(super) fn is_path(path: &str) -> bool {
    let segments: Vec<_> = path.split('.').collect();
    segments.len() <= MAX_SEGMENTS
        && segments.iter().all(|segment| {
            (1..=MAX_NAME_BYTES).contains(&segment.len()) && !segment.chars().any(char::is_control)
        })
}
