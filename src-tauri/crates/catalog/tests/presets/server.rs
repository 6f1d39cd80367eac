//! A server that keeps each request as it came, and answers all with the same tokens.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use tokenry_contract::BodyFormat;
use url::{Url, form_urlencoded};

/// A token response, a pushed authorization request's and a revocation's in one.
const ANSWER: &str =
    r#"{"access_token":"a","token_type":"Bearer","request_uri":"urn:example:1","expires_in":60}"#;

/// A request as it came.
pub(crate) struct Received {
    pub(crate) method: String,
    /// The path and query.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The parameters of the body in this format.
    pub(crate) fn body(&self, format: BodyFormat) -> Vec<(String, String)> {
        match format {
            BodyFormat::Form => pairs(&self.body),
            BodyFormat::Json => {
                let members: std::collections::BTreeMap<String, String> =
                    serde_json::from_str(&self.body).unwrap();
                members.into_iter().collect()
            }
        }
    }

    /// The parameters of the query.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        pairs(self.target.split_once('?').map_or("", |(_, query)| query))
    }

    /// Everything that was sent, as text.
    pub(crate) fn whole(&self) -> String {
        format!("{} {} {:?} {}", self.method, self.target, self.headers, self.body)
    }
}

pub(crate) fn pairs(form: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

/// The server. It ends with the test.
pub(crate) struct Server {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream);
                if let Some(request) = read(&mut reader) {
                    kept.lock().unwrap().push(request);
                    answer(&mut reader.into_inner());
                }
            }
        });
        Self { port, received }
    }

    /// The same address at this server.
    pub(crate) fn in_place_of(&self, address: &str) -> String {
        let mut url: Url = address.parse().unwrap();
        url.set_scheme("http").unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.port)).unwrap();
        url.into()
    }

    /// The only request since the last call.
    pub(crate) fn request(&self) -> Received {
        let mut received = std::mem::take(&mut *self.received.lock().unwrap());
        assert_eq!(received.len(), 1, "a request is sent once");
        received.remove(0)
    }
}

fn read(reader: &mut impl BufRead) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(Ok(0), |(_, value)| value.parse()).ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    Some(Received {
        method,
        target,
        headers,
        body,
    })
}

fn answer(stream: &mut TcpStream) {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let length = ANSWER.len();
    // A client that is gone needs no answer.
    let _ = write!(stream, "{head}Content-Length: {length}\r\n\r\n{ANSWER}");
}
