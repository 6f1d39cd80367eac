//! A browser that keeps cookies, for the tests.

use crate::StartedFlow;
use tokenry_testkit::http::{self, Response};
use url::Url;

/// The address the browser ends at when the person agrees, or whatever else the server is told to answer.
pub(crate) fn answer_of(flow: &StartedFlow) -> String {
    let reply = http::get(&flow.authorization_url, &[]).unwrap();
    reply.location().expect("the server redirects").to_owned()
}

/// A browser that keeps its cookies and goes where it is sent, one step at a time.
#[derive(Default)]
pub(crate) struct Browser {
    cookies: Vec<String>,
}

impl Browser {
    /// The engine answers on the threads of the test, so the wait is elsewhere.
    pub(crate) async fn get(&mut self, url: &str) -> Response {
        let cookies = self.cookies.join("; ");
        let url = Url::parse(url).unwrap();
        let getting = tokio::task::spawn_blocking(move || http::get(&url, &[("cookie", &cookies)]));
        let reply = getting.await.unwrap().unwrap();
        if let Some(cookie) = reply.header("set-cookie") {
            self.cookies.push(cookie.split(';').next().unwrap().to_owned());
        }
        reply
    }

    /// From `/begin` through the provider to the address with the answer, which is not fetched yet.
    pub(crate) async fn sign_in(&mut self, flow: &StartedFlow) -> String {
        let begun = self.get(flow.browser_url.as_str()).await;
        let reply = self
            .get(begun.location().expect("passed on to the provider"))
            .await;
        reply.location().expect("the provider redirects").to_owned()
    }
}
