//! The HTTP client of all requests to providers.

use crate::clients::Clients;
use crate::outbound::{Network, Outbound, PRIVATE, PUBLIC, Reach, refused};
use crate::proxy::{Proxies, Proxy};
use crate::request::Outgoing;
use crate::response::{Cut, LIMIT, Media, Response, retry_after};
use crate::servers::Servers;
use crate::{Error, Failure, coding};
use oauth2::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, DATE, ETAG, HeaderName, HeaderValue,
    RETRY_AFTER, WWW_AUTHENTICATE,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokenry_core::{Clock, Provider, Random, clean, is_private};
use url::Url;
use zeroize::Zeroizing;

/// The hardened client that every request goes through.
///
/// https with certificates that the system's store vouches for (or `SSL_CERT_FILE` and `SSL_CERT_DIR`, where one of
/// them is set) or the provider's CA file, or http to this machine, and to the user's own network where the provider's
/// settings allow it; no redirects, no cookies, no repeated request; 10 s to connect, 30 s for a
/// whole answer of at most 256 KiB, decompressed or not. The environment's `HTTPS_PROXY` and `NO_PROXY` count for
/// https, by CONNECT, and never for this machine.
#[derive(Debug, Clone)]
pub struct Http(Arc<Inner>, Arc<Servers>);

#[derive(Debug)]
struct Inner {
    clients: Clients,
    proxies: Proxies,
}

impl Http {
    /// A client with the time-outs of the product and the proxy of the environment.
    ///
    /// # Errors
    /// [`Error::Tls`] where no client can be made.
    pub fn new() -> Result<Self, Error> {
        Self::with_timeouts(Duration::from_secs(10), Duration::from_secs(30))
    }

    /// A client with other time-outs: for connecting (DNS and TLS included) and for a whole answer.
    ///
    /// # Errors
    /// [`Error::Tls`] where no client can be made.
    pub fn with_timeouts(connect: Duration, whole: Duration) -> Result<Self, Error> {
        Self::with_proxies(connect, whole, Proxies::from_environment())
    }

    /// The same with other proxies than those of the environment.
    ///
    /// # Errors
    /// [`Error::Tls`] where no client can be made.
    pub fn with_proxies(connect: Duration, whole: Duration, proxies: Proxies) -> Result<Self, Error> {
        let inner = Inner {
            clients: Clients::new(connect, whole),
            proxies,
        };
        Ok(Self(Arc::new(inner), Arc::default()))
    }

    /// The same client with another source of time and randomness for what it signs.
    #[must_use]
    pub fn signing_with(self, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self(self.0, Arc::new(Servers::new(clock, random)))
    }

    pub(crate) fn servers(&self) -> &Servers {
        &self.1
    }

    /// Sends a request of a provider once, to `url` and nowhere else. The address inside `request` is not looked at.
    pub(crate) async fn send(
        &self,
        provider: &Provider,
        url: &Url,
        request: impl Into<Outgoing>,
    ) -> Result<Response, Failure> {
        let network = Network::of(provider);
        let Some(reach) = network.reach(url) else {
            return Err(Failure::NotSent {
                message: not_permitted(url),
            });
        };
        self.send_within(url, request, reach, &network).await
    }

    /// The same to an address that a document names, by the rules of `outbound`. A proxy looks names up by itself:
    /// behind one only the address is judged.
    pub(crate) async fn send_outbound(
        &self,
        outbound: &Outbound,
        url: &Url,
        request: impl Into<Outgoing>,
    ) -> Result<Response, Failure> {
        let reach = outbound.judge(url).map_err(|wrong| refused(url, &wrong))?;
        self.send_within(url, request, reach, outbound.network()).await
    }

    async fn send_within(
        &self,
        url: &Url,
        request: impl Into<Outgoing>,
        reach: Reach,
        network: &Network,
    ) -> Result<Response, Failure> {
        let host = clean(url.host_str().unwrap_or_default());
        let proxy = self.0.proxies.of(url)?;
        let ca_file = network.ca_file.as_deref().filter(|_| url.scheme() == "https");
        let client = self.0.clients.get(proxy, reach, ca_file);
        let client = client.map_err(|message| Failure::NotSent { message })?;
        let Outgoing {
            request,
            secrets,
            paths,
        } = request.into();
        let (mut parts, body) = request.into_parts();
        if let Some(credentials) = parts.headers.get_mut(AUTHORIZATION) {
            credentials.set_sensitive(true);
        }
        // Without this header any coding is as good as none (RFC 9110 §12.5.3).
        parts
            .headers
            .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let sent = client
            .request(parts.method, url.clone())
            .headers(parts.headers)
            .body(body)
            .send()
            .await;
        let answer = sent.map_err(|error| unsent_or_unanswered(&host, proxy, ca_file, &error))?;
        let brought_nonce = self.1.note(url, answer.headers());
        let mut response = read(host, answer, secrets).await;
        response.paths = paths;
        response.brought_nonce = brought_nonce;
        Ok(response)
    }
}

fn not_permitted(url: &Url) -> String {
    let host = clean(url.host_str().unwrap_or_default());
    match url.scheme() == "http" && is_private(url) {
        true => format!(
            "{host} is asked by http, and allow_private_http is off for this provider, so nothing was sent. Use https, or \
             switch it on."
        ),
        false => {
            format!("{host} is neither https nor on this machine, so nothing was sent. Correct the address.")
        }
    }
}

async fn read(host: String, mut answer: reqwest::Response, sent: Vec<Zeroizing<String>>) -> Response {
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let date = header(DATE).and_then(crate::response::http_date);
    let mut response = Response {
        host,
        status: answer.status().as_u16(),
        media: header(CONTENT_TYPE).map_or(Media::Other, Media::of),
        retry_after: header(RETRY_AFTER).and_then(|value| retry_after(value, date)),
        date,
        etag: header(ETAG).map(str::to_owned),
        challenges: texts(&answer, WWW_AUTHENTICATE),
        brought_nonce: false,
        body: Zeroizing::default(),
        cut: None,
        sent,
        paths: BTreeMap::new(),
    };
    let codings: Vec<_> = answer
        .headers()
        .get_all(CONTENT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let codings = codings.join(",");
    // A stream of events has no end.
    let is_stream = header(CONTENT_TYPE).is_some_and(|value| value.starts_with("text/event-stream"));
    if is_stream {
        return response;
    }
    let mut body = Zeroizing::new(Vec::with_capacity(LIMIT));
    let cut = bounded(&mut answer, &mut body).await;
    (response.body, response.cut) = coding::decode(&codings, body, cut);
    response
}

fn texts(answer: &reqwest::Response, name: HeaderName) -> Vec<String> {
    let values = answer.headers().get_all(name).iter();
    values
        .filter_map(|value| Some(value.to_str().ok()?.to_owned()))
        .collect()
}

/// Reads the body into one buffer that never moves, so that wiping it wipes every copy of ours. Says why it is not
/// all of it; what came before that is kept.
async fn bounded(answer: &mut reqwest::Response, body: &mut Vec<u8>) -> Option<Cut> {
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => {
                let room = LIMIT - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    return Some(Cut::TooLong);
                }
            }
            Ok(None) => return None,
            Err(error) if error.is_timeout() => return Some(Cut::TimedOut),
            Err(_) => return Some(Cut::Broken),
        }
    }
}

fn unsent_or_unanswered(
    host: &str,
    proxy: Option<&Proxy>,
    ca_file: Option<&str>,
    error: &reqwest::Error,
) -> Failure {
    let cause = root_cause(error);
    if error.is_connect() || error.is_builder() {
        let message = if cause == PRIVATE {
            format!("{host} was not asked: {PRIVATE}, and you did not type that host.")
        } else if cause == PUBLIC {
            format!(
                "{host} was not asked: {PUBLIC}, and http would send secrets there in the clear. Use https."
            )
        } else if cause.contains("certificate") {
            untrusted(host, &cause, ca_file)
        } else if let Some(proxy) = proxy {
            proxy_failed(host, proxy, error, &cause)
        } else if error.is_dns() {
            format!("{host} was not found. Check the address and your network.")
        } else if error.is_timeout() {
            format!("{host} did not accept a connection in time. Check your network.")
        } else {
            format!("{host} could not be reached: {cause}. Check the address and your network.")
        };
        return Failure::NotSent { message };
    }
    let message = if error.is_timeout() {
        format!("{host} took the request and did not answer in time.")
    } else {
        format!("{host} took the request and broke off without an answer.")
    };
    Failure::Unanswered { message }
}

/// A certificate without a trusted issuer: a private CA, a proxy that looks into TLS, or an attacker.
fn untrusted(host: &str, cause: &str, ca_file: Option<&str>) -> String {
    let set = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .into_iter()
        .find(|name| std::env::var_os(name).is_some());
    let private = match (ca_file, set) {
        (Some(file), _) => format!(
            "check that the provider's CA file {} is the right one",
            clean(file)
        ),
        (None, Some(name)) => format!(
            "set ca_file of the provider to the CA's file; or, since {name} is set and only the CAs that it names are \
             trusted, add the CA there, and restart Tokenry"
        ),
        (None, None) => {
            "set ca_file of the provider to the CA's file; or add the CA to the system's store, or name \
             its file in SSL_CERT_FILE, and restart Tokenry"
                .to_owned()
        }
    };
    format!(
        "{host} could not prove that it is {host}, so nothing was sent: {cause}. If it uses a private CA: {private}. \
         Otherwise the connection may be intercepted."
    )
}

fn proxy_failed(host: &str, proxy: &Proxy, error: &reqwest::Error, cause: &str) -> String {
    let variable = proxy.variable;
    let what = if cause.contains("authorization required") {
        let wrong = if proxy.user.is_some() {
            "does not accept the"
        } else {
            "wants a"
        };
        format!("{wrong} user name and password; {variable} has to be like http://user:password@{proxy}")
    } else if error.is_dns() {
        format!("was not found; correct {variable}")
    } else if error.is_timeout() {
        format!("did not connect in time; check {variable}")
    } else {
        format!("did not connect to it ({cause}); check {variable}")
    };
    format!(
        "{host} could not be reached, and nothing was sent: the proxy {proxy}, which {variable} names, {what}, or name \
         {host} in NO_PROXY, and restart Tokenry."
    )
}

/// The innermost reason. The outer ones repeat it, and the outermost names the address.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    clean(&inner.to_string())
}
