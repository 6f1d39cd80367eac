//! Gets documents of servers that are not trusted yet.

use super::{Cache, Problem, unusable};
use crate::json::{self, Object};
use crate::outbound::Outbound;
use crate::response::{Cut, Media, Response};
use crate::{Failure, Http};
use oauth2::HttpRequest;
use oauth2::http::header::{ACCEPT, CONTENT_TYPE, IF_NONE_MATCH};
use oauth2::http::{HeaderValue, Method, Request};
use serde_json::json;
use tokenry_core::{Timestamp, clean};
use url::Url;

/// How documents are got.
pub(super) struct Fetch<'a> {
    pub(super) http: &'a Http,
    pub(super) cache: &'a Cache,
    pub(super) outbound: Outbound,
    pub(super) now: Timestamp,
}

impl Fetch<'_> {
    /// Asks an address without credentials. Many MCP servers take nothing but a POST, and only its answer says where to
    /// get a token: where a GET finds nothing, they get the first message of the protocol.
    pub(super) async fn probe(&self, url: &Url) -> Result<Response, Failure> {
        let request = get("application/json, text/event-stream;q=0.9, */*;q=0.1");
        let response = self.http.send_outbound(&self.outbound, url, request).await?;
        if !matches!(response.status, 404 | 405) || !response.challenges.is_empty() {
            return Ok(response);
        }
        self.http.send_outbound(&self.outbound, url, initialize()).await
    }

    /// The JSON object at an address; `None` where nothing is, or something else.
    ///
    /// # Errors
    /// When the server cannot be asked, or its JSON is not one that everybody reads in the same way.
    pub(super) async fn object(&self, url: &Url) -> Result<Option<Object>, Problem> {
        let mut request = get("application/json");
        let kept = self.cache.get(url, self.now);
        if let Some(etag) = kept
            .as_ref()
            .and_then(|(etag, _)| HeaderValue::from_str(etag).ok())
        {
            request.headers_mut().insert(IF_NONE_MATCH, etag);
        }
        let response = self.http.send_outbound(&self.outbound, url, request).await?;
        match (response.status, kept) {
            (304, Some((_, body))) => read(url, &body).map(Some),
            (200, _) => self.fresh(url, &response),
            (300..=399, _) => Ok(None),
            (408 | 425 | 429 | 500.., _) => Err(Problem::Failure(Failure::Interfered {
                status: response.status,
                message: format!(
                    "{} answered {} at {}. Try again later.",
                    response.host,
                    response.status,
                    clean(url.path())
                ),
                retry_after: response.retry_after,
            })),
            _ => Ok(None),
        }
    }

    fn fresh(&self, url: &Url, response: &Response) -> Result<Option<Object>, Problem> {
        let is_json = response.media == Media::Json || json::starts_as_json(&response.body);
        match response.cut {
            // A web page that stands at every address of a site.
            _ if !is_json => return Ok(None),
            Some(Cut::TooLong) => return not_accepted(url, "it is longer than 256 KiB"),
            Some(_) => {
                let message = format!(
                    "{} broke off while it sent its metadata. Try again.",
                    response.host
                );
                return Err(Problem::Failure(Failure::Unanswered { message }));
            }
            None => {}
        }
        let object = read(url, &response.body)?;
        if let Some(etag) = &response.etag {
            self.cache.put(url, etag, &response.body, self.now);
        }
        Ok(Some(object))
    }
}

/// The first message to an MCP server (its Lifecycle, and Streamable HTTP).
fn initialize() -> HttpRequest {
    let message = json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "Tokenry", "version": env!("CARGO_PKG_VERSION")},
        },
    });
    let mut request = get("application/json, text/event-stream");
    *request.method_mut() = Method::POST;
    *request.body_mut() = message.to_string().into_bytes();
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(CONTENT_TYPE, json);
    request
}

fn get(accept: &'static str) -> HttpRequest {
    let mut request = Request::new(Vec::new());
    request
        .headers_mut()
        .insert(ACCEPT, HeaderValue::from_static(accept));
    request
}

fn read(url: &Url, body: &[u8]) -> Result<Object, Problem> {
    json::object(body).or_else(|wrong| not_accepted(url, wrong))
}

fn not_accepted<T>(url: &Url, wrong: &str) -> Result<T, Problem> {
    unusable(format!(
        "The metadata at {} is not accepted: {wrong}. Only its operator can correct it.",
        clean(url.as_str())
    ))
}
