//! Writes one HTTP request.

use std::fmt::Write;
use zeroize::Zeroizing;

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One request. Its body may hold a secret.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// With its query, encoded.
    pub(crate) target: String,
    /// JSON.
    pub(crate) body: Option<Zeroizing<Vec<u8>>>,
    /// Whether another request follows on this connection.
    pub(crate) is_first: bool,
}

impl Request {
    pub(crate) fn new(method: Method, target: String) -> Self {
        Self {
            method,
            target,
            body: None,
            is_first: false,
        }
    }

    /// The bytes of the request, as the app with this token, which waits so many seconds for the user.
    pub(crate) fn bytes(&self, app_token: Option<&str>, wait: Option<u32>) -> Zeroizing<Vec<u8>> {
        let body = self.body.as_ref().map_or(&[][..], |body| body);
        let mut bytes = Zeroizing::new(Vec::with_capacity(
            self.target.len() + app_token.map_or(0, str::len) + body.len() + 192,
        ));
        bytes.extend_from_slice(self.method.word().as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(self.target.as_bytes());
        bytes.extend_from_slice(b" HTTP/1.1\r\nHost: localhost\r\n");
        if !self.is_first {
            bytes.extend_from_slice(b"Connection: close\r\n");
        }
        if let Some(token) = app_token {
            bytes.extend_from_slice(b"Authorization: Bearer ");
            bytes.extend_from_slice(token.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        if let Some(seconds) = wait {
            bytes.extend_from_slice(b"Prefer: wait=");
            bytes.extend_from_slice(seconds.to_string().as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        if self.body.is_some() {
            bytes.extend_from_slice(b"Content-Type: application/json\r\nContent-Length: ");
            bytes.extend_from_slice(body.len().to_string().as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        bytes
    }
}

/// A path of these segments, each percent-encoded (RFC 3986, 2.1).
pub(crate) fn path(segments: &[&str]) -> String {
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        encode(segment, &mut path);
    }
    path
}

/// A value of the query.
pub(crate) fn encoded(value: &str) -> String {
    let mut text = String::new();
    encode(value, &mut text);
    text
}

fn encode(segment: &str, path: &mut String) {
    // A segment of dots alone would change the path.
    let dots = !segment.is_empty() && segment.bytes().all(|byte| byte == b'.');
    for byte in segment.bytes() {
        if !dots && (byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_segment() {
        assert_eq!(
            path(&["v1", "connections", "github/work", "token"]),
            "/v1/connections/github%2Fwork/token"
        );
        assert_eq!(
            path(&["v1", "a b?x=1#y\r\nHost: evil"]),
            "/v1/a%20b%3Fx%3D1%23y%0D%0AHost%3A%20evil"
        );
        assert_eq!(path(&["v1", ".."]), "/v1/%2E%2E");
        assert_eq!(path(&["ä"]), "/%C3%A4");
    }

    #[test]
    fn a_request_says_how_long_its_body_is_and_that_it_is_the_only_one() {
        let mut request = Request::new(Method::Post, "/v1/lock".into());
        assert_eq!(
            request.bytes(None, None).as_slice(),
            b"POST /v1/lock HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        );
        request.body = Some(Zeroizing::new(b"{}".to_vec()));
        let bytes = request.bytes(None, None);
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(
            text.ends_with("Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"),
            "{text}"
        );
    }
}
