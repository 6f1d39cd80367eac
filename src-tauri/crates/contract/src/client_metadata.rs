//! The document that describes Tokenry to servers that take its address as a client id: a client id metadata document
//! (draft-ietf-oauth-client-id-metadata-document).

use serde_json::{Value, json};

/// Where `docs/client-metadata.json` is to be published. Its copy at another address needs that address as `client_id`.
pub const CLIENT_METADATA_URL: &str = "https://tokenry.github.io/client-metadata.json";

/// The path of the redirects that it names. It is one document for all providers, so this is one path; each sign-in has
/// a port of its own (RFC 8252 §7.3).
pub const CLIENT_METADATA_REDIRECT_PATH: &str = "/cb";

/// The document for this address. It names no secret and no key: anyone can read it (draft-02 §4, §8.7).
pub fn client_metadata(url: &str) -> Value {
    let loopback = ["127.0.0.1", "localhost", "[::1]"];
    let loopback = loopback.map(|host| format!("http://{host}{CLIENT_METADATA_REDIRECT_PATH}"));
    json!({
        "client_id": url,
        "client_name": "Tokenry",
        "client_uri": "https://tokenry.github.io/",
        "application_type": "native",
        "redirect_uris": loopback,
        "grant_types": [
            "authorization_code",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "software_id": crate::profile::APP_ID,
    })
}

/// Whether an address can be such a client id (draft-02 §3): https, with a path, and nothing that two programs could
/// read in two ways.
pub fn is_client_metadata_url(url: &str) -> bool {
    let Some((host, path)) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains(['#', '@', '\\']);
    let is_dot = |segment: &str| {
        matches!(
            segment.to_ascii_lowercase().as_str(),
            "." | ".." | "%2e" | "%2e%2e" | ".%2e" | "%2e."
        )
    };
    is_plain && !host.is_empty() && !path.is_empty() && !path.split(['/', '?']).any(is_dot)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checklist A6.11.
    #[test]
    fn the_document_names_its_address_its_redirects_and_no_secret() {
        let document = client_metadata(CLIENT_METADATA_URL);
        assert_eq!(document["client_id"], CLIENT_METADATA_URL);
        assert_eq!(document["token_endpoint_auth_method"], "none");
        let members: Vec<_> = document.as_object().unwrap().keys().collect();
        assert!(
            members
                .iter()
                .all(|name| !name.contains("secret") && *name != "jwks"),
            "{members:?}"
        );
        for uri in document["redirect_uris"].as_array().unwrap() {
            assert!(uri.as_str().unwrap().ends_with(CLIENT_METADATA_REDIRECT_PATH));
        }
        assert!(document.to_string().len() < 5 * 1024);
        assert!(is_client_metadata_url(CLIENT_METADATA_URL));
    }

    #[test]
    fn an_address_that_could_be_read_in_two_ways_is_no_client_id() {
        assert!(is_client_metadata_url("https://a.example/x?y=1"));
        for url in [
            "http://a.example/x",
            "https://a.example",
            "https://a.example/",
            "https:///x",
            "https://me@a.example/x",
            "https://a.example/x#y",
            "https://a.example/../x",
            "https://a.example/%2E%2e/x",
            "https://a.example/x y",
            "https://a.example\\x/y",
            "a.example/x",
            "",
        ] {
            assert!(!is_client_metadata_url(url), "{url}");
        }
    }
}
