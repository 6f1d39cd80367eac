//! What each path of the listener answers.

use super::guard::{self, RequestRefusal};
use super::page::{self, POLICY, Page};
use super::port::Port;
use super::shared::Shared;
use super::{Receiver, Rejected};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use std::sync::Arc;
use tokenry_core::{LoopbackHost, Secret, same_secret};

type Answer = Response<Full<Bytes>>;

/// Why a request was not taken.
struct Refusal {
    status: StatusCode,
    page: Page,
    /// Whether those who wait for the flow are told, when the request is about it.
    is_told: bool,
}

impl Refusal {
    fn told(status: StatusCode, title: &str, text: &str) -> Self {
        Self {
            status,
            page: Page::refusal(title, text),
            is_told: true,
        }
    }

    fn silent(status: StatusCode) -> Self {
        Self {
            status,
            page: page::plain(status),
            is_told: false,
        }
    }
}

/// Answers one request. The body of a request is never read.
pub(super) async fn answer<B>(port: &Port, request: &Request<B>) -> Answer {
    let flows = port.flows();
    let refusal = match routed(port, &flows, request).await {
        Ok(answer) => return answer,
        Err(refusal) => refusal,
    };
    if refusal.is_told
        && let Some((shared, receiver)) = addressed(&flows, request)
        && concerns_the_flow(shared, receiver, request)
    {
        receiver.refused(&refusal.page.text);
    }
    let mut answer = show(refusal.status, &refusal.page);
    if refusal.status == StatusCode::METHOD_NOT_ALLOWED {
        answer
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET"));
    }
    answer
}

async fn routed<B>(port: &Port, flows: &[Arc<Shared>], request: &Request<B>) -> Result<Answer, Refusal> {
    guard::admit(&port.authority(), request).map_err(|refusal| refuse(refusal, port.host()))?;
    let path = request.uri().path();
    if let Some(once) = path.strip_prefix("/begin/") {
        return begin(flows, once);
    }
    if flows.iter().all(|flow| flow.receiver.is_none()) {
        return Err(Refusal::silent(StatusCode::NOT_FOUND));
    }
    if path == "/done" {
        return Ok(done(flows));
    }
    match addressed(flows, request) {
        Some((shared, receiver)) => callback(shared, receiver, request).await,
        None => Err(Refusal::silent(StatusCode::NOT_FOUND)),
    }
}

/// The flow that a request answers: by its `state`, else by its cookie, else the newest one.
fn addressed<'a, B>(
    flows: &'a [Arc<Shared>],
    request: &Request<B>,
) -> Option<(&'a Arc<Shared>, &'a dyn Receiver)> {
    let path = request.uri().path();
    // Below `/cb/` are the redirect URIs of all providers: an answer to another one is told to those who wait.
    let is_callback = path.starts_with("/cb/") || flows.iter().any(|flow| flow.receiver_at(path).is_some());
    if !is_callback {
        return None;
    }
    let waiting = || {
        let flows = flows.iter();
        flows.filter_map(|flow| Some((flow, flow.receiver.as_deref()?)))
    };
    waiting()
        .find(|(_, receiver)| receiver.is_about(target(request)))
        .or_else(|| waiting().find(|(flow, _)| guard::has_cookie(flow, request.headers())))
        .or_else(|| waiting().find(|(_, receiver)| receiver.path() == path))
        .or_else(|| waiting().next())
}

/// Whether a request answers this flow, as far as it says: it has the flow's cookie or its state, or is the form of
/// a server that sends neither in the address.
fn concerns_the_flow<B>(shared: &Shared, receiver: &dyn Receiver, request: &Request<B>) -> bool {
    let own = guard::has_cookie(shared, request.headers()) || receiver.is_about(target(request));
    own || request.method() == Method::POST
}

fn refuse(refusal: RequestRefusal, host: LoopbackHost) -> Refusal {
    match refusal {
        RequestRefusal::Post => Refusal::told(
            StatusCode::METHOD_NOT_ALLOWED,
            "Not taken",
            "The provider sent its answer with POST (response_mode=form_post), and Tokenry takes it only in the address. \
             Take response_mode out of the provider's parameters.",
        ),
        RequestRefusal::Method => Refusal::silent(StatusCode::METHOD_NOT_ALLOWED),
        RequestRefusal::Host => Refusal::told(
            StatusCode::MISDIRECTED_REQUEST,
            "Not taken",
            &format!(
                "The answer came to another host name than {}. Nothing was changed.",
                host.as_str()
            ),
        ),
        // The browser throws this away, and asks again when the user follows the link.
        RequestRefusal::Prefetch => Refusal::silent(StatusCode::SERVICE_UNAVAILABLE),
        RequestRefusal::NotNavigating => Refusal::told(
            StatusCode::FORBIDDEN,
            "Not taken",
            "The answer came from a script or a frame, and not from a tab of the browser. Nothing was changed.",
        ),
    }
}

fn target<B>(request: &Request<B>) -> &str {
    let target = request.uri().path_and_query();
    target.map_or("", |target| target.as_str())
}

/// Gives the browser the flow's cookie and sends it on to the provider.
fn begin(flows: &[Arc<Shared>], once: &str) -> Result<Answer, Refusal> {
    let once = Secret::new(once.to_owned());
    let flow = flows.iter().find(|flow| same_secret(&flow.once, &once));
    let shared = flow.ok_or_else(|| Refusal::silent(StatusCode::NOT_FOUND))?;
    if !shared.is_open() {
        return Ok(over());
    }
    if !shared.destination.is_known() {
        let text = "The provider has forgotten this sign-in, because it was opened too late. Start it again from Tokenry.";
        return Ok(show(StatusCode::GONE, &Page::refusal("Too late", text)));
    }
    let Some(receiver) = shared.receiver.as_deref() else {
        return Ok(send_on(shared.destination.url.as_str()));
    };
    // Those below `/cb` are told when an answer came to the path of another provider.
    let path = match receiver.path() {
        path if path.starts_with("/cb/") => "/cb",
        path => path,
    };
    let cookie = format!(
        "{}={}; Path={path}; HttpOnly; SameSite=Lax; Max-Age=600",
        shared.cookie_name(),
        shared.cookie.expose()
    );
    shared.bind();
    let mut answer = send_on(shared.destination.url.as_str());
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// Judges an answer of the provider. What is refused here changes nothing, and the flow goes on waiting.
async fn callback<B>(
    shared: &Arc<Shared>,
    receiver: &dyn Receiver,
    request: &Request<B>,
) -> Result<Answer, Refusal> {
    if shared.is_bound() && !guard::has_cookie(shared, request.headers()) {
        let text = "This answer did not come through the browser in which the sign-in was started. Open the link \
                    that Tokenry shows in this browser, and sign in there.";
        return Err(Refusal::told(StatusCode::FORBIDDEN, "Another browser", text));
    }
    let target = target(request);
    let response = match receiver.judge(target) {
        Ok(response) => response,
        Err(_) if !shared.is_open() => return Ok(over()),
        Err(Rejected::OtherAddress) => {
            let text = "The answer came to another address than the one this sign-in was started with.";
            return Err(Refusal::told(StatusCode::NOT_FOUND, "Nothing here", text));
        }
        Err(Rejected::Malformed(text)) => {
            return Err(Refusal::told(StatusCode::BAD_REQUEST, "Not taken", &text));
        }
    };
    let taken = shared.deliver(Secret::new(target.to_owned()), response).await;
    Ok(if taken { send_on("/done") } else { over() })
}

/// The result, at an address without a code in it, and once.
fn done(flows: &[Arc<Shared>]) -> Answer {
    let result = flows.iter().find_map(|flow| flow.take_result());
    let page = result.unwrap_or_else(|| Page {
        ok: true,
        title: "All done".to_owned(),
        text: "You can close this page.".to_owned(),
    });
    show(StatusCode::OK, &page)
}

fn over() -> Answer {
    let text = "This sign-in is over. If it did not work, start again from Tokenry.";
    show(StatusCode::GONE, &Page::refusal("Already over", text))
}

/// 303: whatever the request was, the next one is a GET (OAuth 2.1 §7.5.4).
fn send_on(target: &str) -> Answer {
    match HeaderValue::from_str(target) {
        Ok(location) => {
            let mut answer = hardened(StatusCode::SEE_OTHER, Bytes::new());
            answer.headers_mut().insert(LOCATION, location);
            answer
        }
        Err(_) => show(StatusCode::NOT_FOUND, &page::plain(StatusCode::NOT_FOUND)),
    }
}

fn show(status: StatusCode, page: &Page) -> Answer {
    hardened(status, Bytes::from(page.html()))
}

fn hardened(status: StatusCode, body: Bytes) -> Answer {
    let headers: [(HeaderName, &'static str); 8] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    for (name, value) in headers {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
