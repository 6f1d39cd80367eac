//! How the server differs from RFC 6749, as real providers do.

use crate::answer::{Answer, Content};
use crate::call::Call;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The differences of a server. None by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quirks {
    /// Takes requests to the token endpoint as JSON and in no other form.
    pub json_bodies: bool,
    /// Its own names of parameters, by their standard names. The standard names mean nothing to it then.
    pub names: BTreeMap<String, String>,
    /// What a request must have beside, by its grant type: a parameter and its value.
    pub demands: BTreeMap<String, (String, String)>,
    /// The headers that every request to the token and userinfo endpoints must have; names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The name of the parameter that brings the code back.
    pub code_param: Option<String>,
    /// Where it puts the members of a token response, by their standard names.
    pub paths: BTreeMap<String, String>,
    /// Members that are added to a token response.
    pub members: Map<String, Value>,
    /// Where it puts the members of userinfo.
    pub account_paths: BTreeMap<String, String>,
    /// Takes only this method at the userinfo endpoint.
    pub userinfo_method: Option<String>,
    /// Says that its userinfo is a JWT.
    pub userinfo_is_jwt: bool,
    /// How it takes revocations.
    pub revocation: Revocation,
}

/// How a server takes revocations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// RFC 7009.
    #[default]
    Rfc7009,
    /// A POST with the access token as the bearer; the grant ends.
    Bearer,
    /// A DELETE with HTTP Basic and the access token in JSON; the grant ends.
    Delete,
}

impl Quirks {
    /// A request whose parameters have their standard names again.
    pub(crate) fn understood(&self, mut call: Call) -> Call {
        for (name, _) in &mut call.parameters {
            let standard = self.names.iter().find(|(_, own)| *own == name);
            match standard {
                Some((standard, _)) => name.clone_from(standard),
                None if self.names.contains_key(name) => name.insert_str(0, "not-"),
                None => {}
            }
        }
        call
    }

    /// Whether a request to the token endpoint is as this server wants it.
    pub(crate) fn accepts(&self, call: &Call) -> bool {
        let media = call.header("content-type").unwrap_or_default();
        let wanted = if self.json_bodies {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        let demand = call.get("grant_type").and_then(|grant| self.demands.get(grant));
        let has = demand.is_none_or(|(name, value)| call.get(name) == Some(value));
        media == wanted && has && self.accepts_headers(call)
    }

    pub(crate) fn accepts_headers(&self, call: &Call) -> bool {
        self.headers
            .iter()
            .all(|(name, value)| call.header(name) == Some(value))
    }

    /// A token response as this server writes it.
    pub(crate) fn written(&self, mut answer: Answer) -> Answer {
        if let Content::Object(members) = &mut answer.content
            && members.contains_key("access_token")
        {
            *members = moved(std::mem::take(members), &self.paths);
            members.extend(self.members.clone());
        }
        answer
    }
}

/// An object whose members are where these paths say.
pub(crate) fn moved(members: Map<String, Value>, paths: &BTreeMap<String, String>) -> Map<String, Value> {
    let mut whole = Value::Object(Map::new());
    for (name, value) in members {
        let path = paths.get(&name).unwrap_or(&name);
        let mut place = &mut whole;
        for segment in path.split('.') {
            place = &mut place[segment];
        }
        *place = value;
    }
    whole.as_object().cloned().unwrap_or_default()
}
