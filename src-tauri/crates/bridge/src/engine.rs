//! Requests to the engine over its socket, also across its restarts.

use crate::failure::Failure;
use crate::{hidden, socket, start};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokenry_contract::{ErrorCode, ErrorEnvelope, wait_of_the_environment};
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

/// A request waits 60 s for the vault to be unlocked. Its permission request waits 240 s for others and is shown for 60 s;
/// then a provider has 30 s, perhaps after another refresh.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(435);
/// The longest response that is read.
const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;
/// An engine that restarts, or that hands over to the desktop app, listens again within the sum of these.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];
/// The longest file of an app token.
const MAX_TOKEN_BYTES: u64 = 4096;
/// Names the file of an app token, as for `tokenry`.
const APP_TOKEN_VARIABLE: &str = "TOKENRY_APP_TOKEN_FILE";

/// The one engine of this profile.
pub(crate) struct Engine {
    app_token: Option<header::HeaderValue>,
    /// How many seconds the engine waits for the user, also where it knows of no window and no terminal.
    wait: Option<u32>,
}

impl Engine {
    /// Acts as the app whose token is in this file, or in the one that the environment variable names.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub(crate) fn new(app_token_file: Option<&Path>) -> Result<Self, Failure> {
        let variable = || std::env::var_os(APP_TOKEN_VARIABLE).filter(|value| !value.is_empty());
        let file = app_token_file
            .map(Path::to_owned)
            .or_else(|| variable().map(PathBuf::from));
        let app_token = file.map(|file| app_token(&file)).transpose()?;
        let wait = wait_of_the_environment().map_err(Failure::usage)?;
        Ok(Self { app_token, wait })
    }

    /// Has the engine wait so many seconds for the user, instead of what the environment says.
    pub(crate) fn waiting(mut self, seconds: Option<u32>) -> Self {
        self.wait = seconds.or(self.wait);
        self
    }

    /// The same where the environment says nothing.
    pub(crate) fn usually_waiting(mut self, seconds: Option<u32>) -> Self {
        self.wait = self.wait.or(seconds);
        self
    }

    /// Sends GET, and once more where the engine ends before it answers.
    ///
    /// # Errors
    /// Those of the engine, and when there is none.
    pub(crate) async fn get<T: DeserializeOwned>(&self, target: &str) -> Result<T, Failure> {
        self.repeated(&Method::GET, target, None).await
    }

    /// Sends POST with a body that may be sent twice without harm.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) async fn post_again<T: DeserializeOwned>(
        &self,
        target: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.repeated(&Method::POST, target, Some(body_of(body)?)).await
    }

    /// Sends POST, once.
    ///
    /// # Errors
    /// As [`Self::get`], and when the engine ends before it answers.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        target: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        Ok(self.once(&Method::POST, target, Some(body_of(body)?)).await?)
    }

    /// Sends PATCH, once.
    ///
    /// # Errors
    /// As [`Self::post`].
    pub(crate) async fn patch<T: DeserializeOwned>(
        &self,
        target: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        Ok(self.once(&Method::PATCH, target, Some(body_of(body)?)).await?)
    }

    async fn repeated<T: DeserializeOwned>(
        &self,
        method: &Method,
        target: &str,
        body: Option<Bytes>,
    ) -> Result<T, Failure> {
        match self.once(method, target, body.clone()).await {
            Err(Unanswered::Closed(_)) => {}
            other => return other.map_err(Failure::from),
        }
        Ok(self.once(method, target, body).await?)
    }

    async fn once<T: DeserializeOwned>(
        &self,
        method: &Method,
        target: &str,
        body: Option<Bytes>,
    ) -> Result<T, Unanswered> {
        let _shown = hidden::not_for_a_request();
        let stream = reached().await.map_err(Unanswered::Failed)?;
        let request = self.request(method, target, body).map_err(Unanswered::Failed)?;
        let exchanged = timeout(RESPONSE_TIMEOUT, exchange(stream, request)).await;
        let (status, body) = exchanged.map_err(|_| {
            Unanswered::Failed(Failure::internal(format!(
                "The engine did not answer within {} s.",
                RESPONSE_TIMEOUT.as_secs()
            )))
        })??;
        read(status, &body).map_err(Unanswered::Failed)
    }

    fn request(
        &self,
        method: &Method,
        target: &str,
        body: Option<Bytes>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, "tokenry");
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(seconds) = self.wait {
            request = request.header("prefer", format!("wait={seconds}"));
        }
        if let Some(token) = &self.app_token {
            request = request.header(header::AUTHORIZATION, token);
        }
        request
            .body(Full::new(body.unwrap_or_default()))
            .map_err(|error| Failure::internal(format!("Cannot ask the engine: {error}.")))
    }
}

/// Why there is no response.
enum Unanswered {
    /// The engine ended while it worked on the request.
    Closed(String),
    Failed(Failure),
}

impl From<Unanswered> for Failure {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Closed(why) => Self::new(
                ErrorCode::Internal,
                format!("The engine closed the connection without responding ({why})."),
                "Check `tokenry status`, then try again.",
            ),
            Unanswered::Failed(failure) => failure,
        }
    }
}

fn body_of(body: &impl Serialize) -> Result<Bytes, Failure> {
    let bytes = serde_json::to_vec(body);
    bytes
        .map(Bytes::from)
        .map_err(|_| Failure::internal("Cannot write a request to the engine."))
}

/// A connection to the engine, which is started where none runs.
async fn reached() -> Result<UnixStream, Failure> {
    if let Some(stream) = socket::connect().await? {
        return Ok(stream);
    }
    if let Err(failure) = start::engine().await {
        // Another process may have started one meanwhile.
        return socket::connect().await?.ok_or(failure);
    }
    for pause in PAUSES {
        if let Some(stream) = socket::connect().await? {
            return Ok(stream);
        }
        sleep(pause).await;
    }
    let stream = socket::connect().await?;
    stream.ok_or_else(|| Failure::no_engine("An engine was started but does not respond."))
}

async fn exchange(stream: UnixStream, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), Unanswered> {
    let closed = |error: hyper::Error| Unanswered::Closed(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(closed)?;
    let driver = tokio::spawn(connection);
    let answered = async {
        let response = sender.send_request(request).await.map_err(closed)?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MAX_RESPONSE_BYTES);
        let body = body.collect().await;
        let body = body.map_err(|error| Unanswered::Closed(error.to_string()))?;
        Ok((status, body.to_bytes()))
    };
    let answered = answered.await;
    driver.abort();
    answered
}

fn read<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<T, Failure> {
    if status >= 400 {
        return Err(match serde_json::from_slice::<ErrorEnvelope>(body) {
            Ok(envelope) => envelope.error.into(),
            Err(_) => Failure::invalid_response(format_args!("status {status} without an error")),
        });
    }
    // An error of serde_json could quote what it read, so only its position is shown.
    serde_json::from_slice(body).map_err(|error| {
        Failure::invalid_response(format_args!("column {} is not as expected", error.column()))
    })
}

/// The target of a request: `/` before each segment, with everything but letters and digits escaped.
pub(crate) fn path(segments: &[&str]) -> String {
    segments
        .iter()
        .map(|segment| format!("/{}", encoded(segment)))
        .collect()
}

/// A value of a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => encoded.push(byte.into()),
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

fn app_token(file: &Path) -> Result<header::HeaderValue, Failure> {
    let wrong = |what: &str| {
        Failure::new(
            ErrorCode::ValidationError,
            format!("Cannot use the app token in {}: {what}.", file.display()),
            "Name the file that holds the output of `tokenry app add NAME`, readable only by you.",
        )
    };
    let read = || {
        let file = std::fs::File::open(file)?;
        let about = file.metadata()?;
        let mut text = Zeroizing::new(String::new());
        file.take(MAX_TOKEN_BYTES).read_to_string(&mut text)?;
        Ok((about, text))
    };
    let (about, text) = read().map_err(|error: std::io::Error| wrong(&error.to_string()))?;
    if about.is_file() && about.mode() & 0o077 != 0 {
        return Err(wrong("other users can read this file"));
    }
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("it is not a token"));
    }
    let value = Zeroizing::new(format!("Bearer {token}"));
    let mut value = header::HeaderValue::from_str(&value).map_err(|_| wrong("it is not a token"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_name_with_a_slash_is_one_segment() {
        assert_eq!(
            path(&["v1", "connections", "a/b c%"]),
            "/v1/connections/a%2Fb%20c%25"
        );
        assert_eq!(
            encoded("http://[::1]/ä?"),
            "http%3A%2F%2F%5B%3A%3A1%5D%2F%C3%A4%3F"
        );
    }

    #[test]
    fn an_app_token_is_read_from_a_file_that_others_cannot_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        for (text, mode, works) in [
            ("tokenry_abc\n", 0o600, true),
            ("tokenry_abc\n", 0o640, false),
            ("", 0o600, false),
            ("a b", 0o600, false),
            ("a\nb", 0o600, false),
            ("ä", 0o600, false),
        ] {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
            let read = app_token(&file);
            assert_eq!(read.is_ok(), works, "{text:?}");
            let said = format!("{read:?}");
            assert!(!said.contains("tokenry_abc"), "{said}");
        }
        assert!(app_token(&folder.path().join("none")).is_err());
    }

    #[test]
    fn an_answer_that_is_none_is_an_error_that_does_not_repeat_it() {
        for (status, body) in [
            (200, &b"{\"access_token\": 5, \"x\": \"c4n4ry\"}"[..]),
            (200, b""),
            (500, b"c4n4ry"),
            (403, b"{\"error\": {\"code\": \"c4n4ry\"}}"),
        ] {
            let failure = read::<tokenry_contract::TokenAnswer>(status, body).unwrap_err();
            assert!(!failure.to_string().contains("c4n4ry"), "{failure}");
        }
    }
}
