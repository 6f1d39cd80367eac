//! A browser as far as a sign-in needs one: cookies, redirects, forms, and the headers that say where a
//! navigation came from.

use std::collections::BTreeMap;
use tokenry_testkit::http::{self, Response};
use url::Url;

/// Where a navigation ended.
#[derive(Debug, Clone)]
pub enum Landing {
    /// At a page.
    Page {
        /// Its address.
        url: Url,
        /// The HTTP status.
        status: u16,
        /// Its text.
        body: String,
    },
    /// At an address that is not http: the operating system gets it, exactly as the server wrote it.
    HandedOver(String),
    /// No server answered: a browser then shows an error page, at the requested URL.
    Nowhere {
        /// The address.
        url: Url,
        /// Why.
        error: String,
    },
}

impl Landing {
    /// The page's address and text.
    #[track_caller]
    pub fn page(&self) -> (&Url, &str) {
        match self {
            Self::Page { url, body, .. } => (url, body),
            Self::HandedOver(address) => panic!("no page but {address}"),
            Self::Nowhere { url, error } => panic!("no page at {url}: {error}"),
        }
    }

    /// The address for the operating system.
    #[track_caller]
    pub fn handed_over(&self) -> &str {
        match self {
            Self::HandedOver(address) => address,
            Self::Page { url, body, .. } => {
                panic!("nothing was handed over, the browser is at {url}: {body}")
            }
            Self::Nowhere { url, error } => {
                panic!("nothing was handed over, and no server is at {url}: {error}")
            }
        }
    }
}

/// A browser with its cookies.
#[derive(Debug, Default)]
pub struct Browser {
    /// By host and name, as browsers do: a port is no border to a cookie.
    cookies: BTreeMap<(String, String), Cookie>,
    /// Every address that was asked for.
    pub visited: Vec<String>,
}

#[derive(Debug)]
struct Cookie {
    value: String,
    path: String,
}

impl Browser {
    /// A browser that was never anywhere.
    pub fn new() -> Self {
        Self::default()
    }

    /// A person types or clicks an address.
    pub fn open(&mut self, address: &str) -> Landing {
        self.navigate(address.to_owned(), None, None)
    }

    /// A person sends a form of the page they are looking at.
    pub fn submit(&mut self, page: &Url, action: &str, fields: &[(&str, &str)]) -> Landing {
        let target = page.join(action).unwrap();
        self.navigate(target.into(), Some(page), Some(fields))
    }

    fn navigate(&mut self, address: String, from: Option<&Url>, form: Option<&[(&str, &str)]>) -> Landing {
        let (mut address, mut form) = (address, form);
        let mut chain: Vec<Url> = Vec::new();
        for _ in 0..20 {
            self.visited.push(address.clone());
            let url = Url::parse(&address).unwrap_or_else(|e| panic!("{address:?}: {e}"));
            if url.scheme() != "http" {
                return Landing::HandedOver(address);
            }
            chain.push(url.clone());
            let reply = match self.fetch(&url, site(from, &chain), form.take()) {
                Ok(reply) => reply,
                Err(error) => return Landing::Nowhere { url, error },
            };
            self.remember(&url, &reply);
            match reply.location() {
                Some(location) if (300..400).contains(&reply.status) => {
                    address = match Url::parse(location) {
                        Ok(_) => location.to_owned(),
                        Err(_) => url.join(location).unwrap().into(),
                    };
                }
                _ => {
                    return Landing::Page {
                        url,
                        status: reply.status,
                        body: reply.body,
                    };
                }
            }
        }
        panic!("too many redirects: {:?}", self.visited);
    }

    fn fetch(&self, url: &Url, site: &str, form: Option<&[(&str, &str)]>) -> Result<Response, String> {
        let cookies = self.cookies_for(url);
        let mut headers = vec![
            ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) test"),
            ("accept", "text/html,application/xhtml+xml"),
            ("sec-fetch-site", site),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        if !cookies.is_empty() {
            headers.push(("cookie", &cookies));
        }
        let reply = match form {
            Some(fields) => http::post(url, &headers, fields),
            None => http::get(url, &headers),
        };
        reply.map_err(|error| error.to_string())
    }

    fn cookies_for(&self, url: &Url) -> String {
        let host = url.host_str().unwrap_or_default();
        let here = |((at, _), cookie): &(&(String, String), &Cookie)| {
            let path = cookie.path.trim_end_matches('/');
            at == host
                && url
                    .path()
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let pairs = self
            .cookies
            .iter()
            .filter(here)
            .map(|((_, name), cookie)| format!("{name}={}", cookie.value));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn remember(&mut self, url: &Url, reply: &Response) {
        for line in reply.headers("set-cookie") {
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            let attribute = |wanted: &str| {
                let matching = |part: &str| {
                    let (key, value) = part.split_once('=')?;
                    key.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
                };
                line.split(';').map(str::trim).skip(1).find_map(matching)
            };
            let key = (url.host_str().unwrap_or_default().to_owned(), name.to_owned());
            let over = attribute("max-age").is_some_and(|age| age.starts_with(['0', '-']))
                || attribute("expires").is_some_and(|date| date.contains(" 1970 "));
            if over {
                self.cookies.remove(&key);
            } else {
                let path = attribute("path").unwrap_or_else(|| "/".to_owned());
                self.cookies.insert(
                    key,
                    Cookie {
                        value: value.to_owned(),
                        path,
                    },
                );
            }
        }
    }
}

/// `Sec-Fetch-Site`: how far the navigation's start is from everything it passed.
fn site(from: Option<&Url>, chain: &[Url]) -> &'static str {
    let Some(from) = from else { return "none" };
    if chain.iter().any(|url| url.host() != from.host()) {
        "cross-site"
    } else if chain.iter().any(|url| url.origin() != from.origin()) {
        "same-site"
    } else {
        "same-origin"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(cookie: &str) -> Response {
        Response {
            status: 200,
            head: format!("HTTP/1.0 200 OK\r\nset-cookie: {cookie}"),
            body: String::new(),
        }
    }

    #[test]
    fn cookies_follow_host_and_path_and_not_the_port() {
        let mut browser = Browser::new();
        let url = |text: &str| Url::parse(text).unwrap();
        browser.remember(&url("http://127.0.0.1:1/x"), &reply("a=1; Path=/cb; HttpOnly"));
        assert_eq!(browser.cookies_for(&url("http://127.0.0.1:2/cb/y")), "a=1");
        assert_eq!(browser.cookies_for(&url("http://127.0.0.1:1/cbx")), "");
        assert_eq!(browser.cookies_for(&url("http://localhost:1/cb")), "");
        browser.remember(&url("http://127.0.0.1:1/x"), &reply("a=; path=/cb; Max-Age=0"));
        assert_eq!(browser.cookies_for(&url("http://127.0.0.1:1/cb")), "");
    }

    #[test]
    fn a_navigation_says_where_it_came_from() {
        let url = |text: &str| Url::parse(text).unwrap();
        let page = url("http://127.0.0.1:1/consent");
        let chain = [url("http://127.0.0.1:1/agree"), url("http://127.0.0.1:2/cb/x")];
        assert_eq!(site(None, &chain), "none");
        assert_eq!(site(Some(&page), &chain[..1]), "same-origin");
        assert_eq!(site(Some(&page), &chain), "same-site");
        assert_eq!(site(Some(&url("http://localhost:1/")), &chain), "cross-site");
    }
}
