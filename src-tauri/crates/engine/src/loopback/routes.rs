use super::guard::{self, Stranger};
use super::page::{self, POLICY, Page};
use super::shared::Shared;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Request, Response, StatusCode};
use std::sync::Arc;
use tokenry_core::Secret;
use tokenry_oauth::redirect::{self, Refused};

type Answer = Response<Full<Bytes>>;

/// Answers one request. The body of a request is never read.
pub(super) async fn answer<B>(shared: &Arc<Shared>, request: &Request<B>) -> Answer {
    if let Err(stranger) = guard::admit(shared, request) {
        return refuse(stranger);
    }
    let path = request.uri().path();
    if path == "/done" {
        return done(shared);
    }
    if let Some(once) = path.strip_prefix("/begin/") {
        return begin(shared, once);
    }
    if path.starts_with("/cb/") {
        return callback(shared, request).await;
    }
    show(StatusCode::NOT_FOUND, &page::plain(StatusCode::NOT_FOUND))
}

fn refuse(stranger: Stranger) -> Answer {
    let status = match stranger {
        Stranger::Method => StatusCode::METHOD_NOT_ALLOWED,
        Stranger::Host => StatusCode::MISDIRECTED_REQUEST,
        Stranger::NotNavigating => StatusCode::FORBIDDEN,
    };
    let mut answer = show(status, &page::plain(status));
    if stranger == Stranger::Method {
        answer
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET"));
    }
    answer
}

/// Gives the browser the flow's cookie and sends it on to the provider.
fn begin(shared: &Shared, once: &str) -> Answer {
    if !tokenry_oauth::same_secret(&shared.once, &Secret::new(once.to_owned())) {
        return show(StatusCode::NOT_FOUND, &page::plain(StatusCode::NOT_FOUND));
    }
    if !shared.is_open() {
        return over();
    }
    let cookie = format!(
        "{}={}; Path=/cb; HttpOnly; SameSite=Lax; Max-Age=600",
        shared.cookie_name(),
        shared.cookie.expose()
    );
    shared.bind();
    let mut answer = send_on(shared.authorization_url.as_str());
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    answer
}

/// Judges an answer of the provider. What is refused here changes nothing, and the flow goes on waiting.
async fn callback<B>(shared: &Arc<Shared>, request: &Request<B>) -> Answer {
    if shared.is_bound() && !guard::has_cookie(shared, request.headers()) {
        let text = "This answer did not come through the browser in which the sign-in was started. Open the link \
                    that Tokenry shows in this browser, and sign in there.";
        return show(StatusCode::FORBIDDEN, &Page::refusal("Another browser", text));
    }
    if !shared.is_open() {
        return over();
    }
    let target = request
        .uri()
        .path_and_query()
        .map_or("", |target| target.as_str());
    let redirected = match redirect::judge_loopback(target) {
        Ok(redirected) if redirected.provider == shared.provider => redirected.at_port(shared.address.port()),
        Ok(_) | Err(Refused::WrongPath) => {
            return show(StatusCode::NOT_FOUND, &page::plain(StatusCode::NOT_FOUND));
        }
        Err(refused) => {
            return show(
                StatusCode::BAD_REQUEST,
                &Page::refusal("Not taken", &refused.to_string()),
            );
        }
    };
    if shared.deliver(redirected).await {
        send_on("/done")
    } else {
        over()
    }
}

/// The result, at an address without a code in it, and once.
fn done(shared: &Shared) -> Answer {
    let page = shared.take_result().unwrap_or_else(|| Page {
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
