//! The response of the server, before it is bytes.

use hyper::body::{Body, Bytes, Frame, SizeHint};
use serde_json::{Map, Value, json};
use std::pin::Pin;
use std::task::{Context, Poll};

/// What goes back to the client, as far as it goes back at all.
pub(crate) enum Delivery {
    Send(Answer),
    Close,
}

/// An HTTP answer before it is bytes, so that a fault can get at its members.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content: Content,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Empty,
    Object(Map<String, Value>),
    /// Called JSON, whatever it is.
    Json(String),
    Html(String),
    Form(String),
    Jwt(String),
    Cut(String),
    /// The connection ends after so many bytes.
    CutAt(String, usize),
    /// Called JSON, whatever it is.
    Bytes(Vec<u8>),
    Huge,
}

impl Content {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Object(members) => Value::Object(members.clone()).to_string(),
            Self::Json(text)
            | Self::Html(text)
            | Self::Form(text)
            | Self::Jwt(text)
            | Self::Cut(text)
            | Self::CutAt(text, _) => text.clone(),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Empty | Self::Huge => String::new(),
        }
    }

    fn media_type(&self) -> &'static str {
        match self {
            Self::Object(_)
            | Self::Json(_)
            | Self::Cut(_)
            | Self::CutAt(..)
            | Self::Bytes(_)
            | Self::Huge => "application/json",
            Self::Html(_) => "text/html; charset=utf-8",
            Self::Form(_) => "application/x-www-form-urlencoded",
            Self::Jwt(_) => "application/jwt",
            Self::Empty => "text/plain",
        }
    }
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Empty,
        }
    }

    pub(crate) fn html(status: u16, page: &str) -> Self {
        Self {
            content: Content::Html(page.to_owned()),
            ..Self::empty(status)
        }
    }

    pub(crate) fn json(status: u16, body: Value) -> Self {
        let members = body.as_object().cloned().unwrap_or_default();
        Self {
            content: Content::Object(members),
            ..Self::empty(status)
        }
        .header("cache-control", "no-store")
    }

    /// RFC 6749 §5.2.
    pub(crate) fn error(status: u16, error: &str) -> Self {
        Self::json(
            status,
            json!({"error": error, "error_description": "testkit says no"}),
        )
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        match &self.content {
            Content::Object(members) => members.get(name),
            _ => None,
        }
    }

    /// Sets or takes away a member of a token answer; an error answer stays as it is.
    pub(crate) fn member(&mut self, name: &str, value: Option<Value>) {
        if let Content::Object(members) = &mut self.content
            && members.contains_key("access_token")
        {
            match value {
                Some(value) => members.insert(name.to_owned(), value),
                None => members.remove(name),
            };
        }
    }

    pub(crate) fn form_encode(&mut self) {
        if let Content::Object(members) = &self.content {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in members {
                form.append_pair(
                    name,
                    &value.as_str().map_or_else(|| value.to_string(), str::to_owned),
                );
            }
            self.content = Content::Form(form.finish());
        }
    }

    pub(crate) fn into_response(self) -> hyper::Response<AnswerBody> {
        let mut builder = hyper::Response::builder()
            .status(self.status)
            .header("content-type", self.content.media_type());
        for (name, value) in &self.headers {
            builder = builder.header(*name, value);
        }
        let body = AnswerBody::of(&self.content);
        builder
            .body(body)
            .unwrap_or_else(|_| hyper::Response::new(AnswerBody::of(&Content::Empty)))
    }
}

/// The bytes of an answer, some of which may never come.
pub(crate) struct AnswerBody {
    chunk: Bytes,
    times: usize,
    cut: bool,
    /// How often it is asked for more before the cut: in between what came before goes on its way.
    pauses: u8,
    promised: u64,
}

/// Ends a connection without an answer, or in the middle of one.
#[derive(Debug)]
pub(crate) struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is closed on purpose")
    }
}

impl std::error::Error for Gone {}

impl AnswerBody {
    fn of(content: &Content) -> Self {
        let text = content.text();
        let promised = text.len() as u64;
        match content {
            Content::Huge => {
                let chunk = Bytes::from(" ".repeat(64 * 1024));
                Self {
                    chunk,
                    times: 128,
                    cut: false,
                    pauses: 0,
                    promised: 8 * 1024 * 1024,
                }
            }
            Content::Bytes(bytes) => Self {
                times: 1,
                cut: false,
                promised: bytes.len() as u64,
                chunk: Bytes::from(bytes.clone()),
                pauses: 0,
            },
            Content::Cut(_) | Content::CutAt(..) => {
                let end = match content {
                    Content::CutAt(_, end) => *end,
                    _ => text.len() / 2,
                };
                let chunk = Bytes::from(text[..end].to_owned());
                Self {
                    chunk,
                    times: 1,
                    cut: true,
                    pauses: if matches!(content, Content::CutAt(..)) {
                        3
                    } else {
                        0
                    },
                    promised,
                }
            }
            _ => Self {
                times: usize::from(!text.is_empty()),
                chunk: Bytes::from(text),
                cut: false,
                pauses: 0,
                promised,
            },
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Gone;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Gone>>> {
        if self.times > 0 {
            self.times -= 1;
            return Poll::Ready(Some(Ok(Frame::data(self.chunk.clone()))));
        }
        if self.pauses > 0 {
            self.pauses -= 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.cut.then_some(Err(Gone)))
    }

    fn is_end_stream(&self) -> bool {
        self.times == 0 && !self.cut
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
