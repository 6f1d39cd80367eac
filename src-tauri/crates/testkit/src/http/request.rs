//! One HTTP request, as it is sent.

use serde_json::Value;

/// A request to `localhost` by HTTP/1.1, until it says otherwise.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    target: String,
    version: &'static str,
    host: String,
    headers: String,
    body: String,
}

impl Request {
    /// A request without a body. The target is a path with its query, encoded.
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            version: "HTTP/1.1",
            host: "localhost".to_owned(),
            headers: String::new(),
            body: String::new(),
        }
    }

    /// Sets the Host header.
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// Adds a header. A name may be repeated.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    /// Adds a bearer token (RFC 6750, 2.1).
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Asks the server to close the connection after its response.
    pub fn close(self) -> Self {
        self.header("connection", "close")
    }

    /// Uses HTTP/1.0, where a response is never chunked and ends with its connection.
    pub fn http_1_0(mut self) -> Self {
        self.version = "HTTP/1.0";
        self
    }

    /// Sets a body, which need not be what its type says.
    pub fn body(mut self, content_type: &str, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self.header("content-type", content_type)
    }

    /// Sets a JSON body; `Null` is a request with the content type and an empty body.
    pub fn json(self, body: &Value) -> Self {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.body("application/json", &text)
    }

    /// Sets a form as the body.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let form = form.extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", &form)
    }

    /// The bytes that are sent.
    pub fn bytes(&self) -> Vec<u8> {
        format!(
            "{} {} {}\r\nhost: {}\r\n{}content-length: {}\r\n\r\n{}",
            self.method,
            self.target,
            self.version,
            self.host,
            self.headers,
            self.body.len(),
            self.body
        )
        .into_bytes()
    }
}
