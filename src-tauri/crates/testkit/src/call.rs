//! A request that the server received.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;

/// A request as it came: its path and everything it carries.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Header names are in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The parameters of the query, then those of the body.
    pub(crate) parameters: Vec<(String, String)>,
}

impl Call {
    pub(crate) fn new(
        method: &str,
        path: &str,
        query: &str,
        headers: Vec<(String, String)>,
        body: &[u8],
    ) -> Self {
        let pairs = |text: &[u8]| url::form_urlencoded::parse(text).into_owned().collect::<Vec<_>>();
        let mut parameters = pairs(query.as_bytes());
        let is_json =
            |(name, value): &(String, String)| name == "content-type" && value == "application/json";
        parameters.extend(if headers.iter().any(is_json) {
            json_members(body)
        } else {
            pairs(body)
        });
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            parameters,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// No parameter may come twice (RFC 6749 §3.2).
    pub(crate) fn repeats_a_parameter(&self) -> bool {
        let mut seen = BTreeMap::new();
        self.parameters
            .iter()
            .any(|(key, _)| seen.insert(key, ()).is_some())
    }

    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// Id and secret of HTTP Basic, whose parts are form-encoded (RFC 6749 §2.3.1).
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        let encoded = self.header("authorization")?.strip_prefix("Basic ")?;
        let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (id, secret) = text.split_once(':')?;
        Some((form_decode(id), form_decode(secret)))
    }
}

/// The texts of a JSON object.
fn json_members(body: &[u8]) -> Vec<(String, String)> {
    let members: BTreeMap<String, String> = serde_json::from_slice(body).unwrap_or_default();
    members.into_iter().collect()
}

/// The last segment of a path: the server has its endpoints in every folder.
pub(crate) fn endpoint(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn form_decode(text: &str) -> String {
    let pair = format!("x={text}");
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_basic_are_form_decoded() {
        let header = format!("Basic {}", STANDARD.encode("a%3Ab+c:s%25"));
        let call = Call::new("POST", "/", "", vec![("authorization".into(), header)], b"");
        assert_eq!(call.basic(), Some(("a:b c".to_owned(), "s%".to_owned())));
    }

    #[test]
    fn a_repeated_parameter_is_seen_across_query_and_body() {
        assert!(Call::new("POST", "/", "a=1", vec![], b"a=2").repeats_a_parameter());
        assert!(!Call::new("POST", "/", "a=1", vec![], b"b=2").repeats_a_parameter());
    }
}
