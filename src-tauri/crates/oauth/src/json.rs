//! JSON as providers write it. Everything that can be read is read, and what is wrong with the rest is noted: after a
//! rotation, an answer that is thrown away is a grant that is thrown away.

mod reader;

use reader::Reader;
use std::collections::{BTreeMap, BTreeSet};
use tokenry_core::Secret;
use zeroize::Zeroizing;

/// The members of a JSON object or of a form. Every text is kept as a secret, since any may be one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object {
    members: BTreeMap<String, Value>,
    /// The names that came more than once with different values; the last value is the one that is kept.
    ambiguous: BTreeSet<String>,
}

/// What one member holds, as far as anybody here asks.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(Secret),
    /// As it was written, so that no digit of an id is lost.
    Number(String),
    List(Vec<Value>),
    Object(Object),
    True,
    /// `null`, `false`, or something that is no JSON value.
    Other,
}

/// What is wrong with a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    Truncated,
    Malformed,
    RepeatedKey,
    NotUtf8,
    TooDeep,
    JunkAround,
}

impl Flaw {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Truncated => "its JSON ends too early",
            Self::Malformed => "it is not valid JSON",
            Self::RepeatedKey => "its JSON repeats a key",
            Self::NotUtf8 => "its text is not UTF-8",
            Self::TooDeep => "its JSON is nested too deeply",
            Self::JunkAround => "there is something else around its JSON",
        }
    }
}

/// A JSON text as far as it could be read, and the first thing that is wrong with it.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) value: Value,
    pub(crate) flaw: Option<Flaw>,
}

/// Reads as much as can be read of a text that starts as JSON.
pub(crate) fn read(bytes: &[u8]) -> Option<Read> {
    let transcoded = from_utf16(bytes);
    let bytes = transcoded.as_ref().map_or(bytes, |text| text.as_bytes());
    let mut reader = Reader::new(without_mark(bytes));
    let value = reader.document()?;
    let flaw = reader.flaw();
    Some(Read { value, flaw })
}

/// Reads a JSON object and nothing behind it. A name that comes twice is refused, at any depth: readers of the same
/// bytes could otherwise disagree about what they say.
pub(crate) fn object(bytes: &[u8]) -> Result<Object, &'static str> {
    match read(bytes) {
        Some(Read { flaw: Some(flaw), .. }) => Err(flaw.words()),
        Some(Read {
            value: Value::Object(object),
            ..
        }) => Ok(object),
        _ => Err("it is not a JSON object"),
    }
}

/// The members of a token answer (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
const TOKEN_MEMBERS: [&str; 7] = [
    "access_token",
    "token_type",
    "expires_in",
    "expires_at",
    "refresh_token",
    "scope",
    "id_token",
];

/// Searches a text that is not JSON, or not all of it, for the members of a token answer that are whole. The last
/// resort where a refresh token would be lost. `written` is the name that a provider writes for a standard one.
pub(crate) fn salvage<'a>(bytes: &[u8], written: impl Fn(&'static str) -> &'a str) -> Object {
    let transcoded = from_utf16(bytes);
    let bytes = transcoded.as_ref().map_or(bytes, |text| text.as_bytes());
    let mut object = Object::default();
    for name in TOKEN_MEMBERS {
        let quoted = format!("\"{}\"", written(name));
        for (at, _) in bytes
            .windows(quoted.len())
            .enumerate()
            .filter(|(_, window)| *window == quoted.as_bytes())
        {
            let is_in_a_text = at > 0 && bytes[at - 1] == b'\\';
            let value = Reader::new(&bytes[at + quoted.len()..]).value_of_member();
            if let (false, Some(value)) = (is_in_a_text, value) {
                object.add(name.to_owned(), value);
            }
        }
    }
    object
}

/// Reads an answer in `application/x-www-form-urlencoded`, as GitHub and others send it. Where the answer does not
/// say that it is a form, it has to look like an answer of a token endpoint.
pub(crate) fn form(bytes: &[u8], is_called_form: bool) -> Option<Object> {
    let mut object = Object::default();
    for (key, value) in url::form_urlencoded::parse(bytes.trim_ascii()) {
        object.add(key.into_owned(), Value::Text(Secret::new(value.into_owned())));
    }
    let has = |key: &str| object.has_text(key);
    let is_form = has("access_token")
        || has("refresh_token")
        || has("error")
        || (is_called_form && object.members.values().any(|value| !value.is_empty_text()));
    is_form.then_some(object)
}

/// Whether a text starts as JSON does that could be an answer.
pub(crate) fn starts_as_json(bytes: &[u8]) -> bool {
    let start = |bytes: &[u8]| {
        let first = without_mark(bytes).trim_ascii_start().first().copied();
        matches!(first, Some(b'{' | b'[' | b'"'))
    };
    match from_utf16(bytes) {
        Some(text) => start(text.as_bytes()),
        None => start(bytes),
    }
}

pub(crate) fn looks_like_html(bytes: &[u8]) -> bool {
    without_mark(bytes).trim_ascii_start().first() == Some(&b'<')
}

pub(crate) fn is_blank(bytes: &[u8]) -> bool {
    without_mark(bytes)
        .iter()
        .all(|byte| byte.is_ascii_whitespace() || *byte == 0)
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// A text in UTF-16, known by its mark or by how JSON starts in it (RFC 4627 §3).
fn from_utf16(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let (little, rest) = match bytes {
        [0xff, 0xfe, rest @ ..] => (true, rest),
        [0xfe, 0xff, rest @ ..] => (false, rest),
        [b'{' | b'[', 0, ..] => (true, bytes),
        [0, b'{' | b'[', ..] => (false, bytes),
        _ => return None,
    };
    let units = rest.chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if little {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        }
    });
    // Room for all of it, so that no half-built copy is left behind.
    let mut text = Zeroizing::new(String::with_capacity(rest.len() / 2 * 3));
    text.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
    Some(text)
}

impl Value {
    /// The object that it is, or an empty one.
    pub(crate) fn into_object(self) -> Object {
        match self {
            Self::Object(object) => object,
            _ => Object::default(),
        }
    }

    fn is_empty_text(&self) -> bool {
        matches!(self, Self::Text(text) if text.expose().trim().is_empty())
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.expose() == b.expose(),
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::True, Self::True) | (Self::Other, Self::Other) => true,
            _ => false,
        }
    }
}

impl Object {
    /// Adds a member, and says whether its name is new. The last value of a name is the one that counts.
    fn add(&mut self, key: String, value: Value) -> bool {
        match self.members.get_mut(&key) {
            Some(before) => {
                if !before.is_same(&value) {
                    self.ambiguous.insert(key);
                }
                *before = value;
                false
            }
            None => {
                self.members.insert(key, value);
                true
            }
        }
    }

    /// Puts a value in the place of whatever had this name.
    pub(crate) fn set(&mut self, key: &str, value: Value, is_ambiguous: bool) {
        self.remove(key);
        if is_ambiguous {
            self.ambiguous.insert(key.to_owned());
        }
        self.members.insert(key.to_owned(), value);
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.members.remove(key);
        self.ambiguous.remove(key);
    }

    /// Whether this name came with different values.
    pub(crate) fn is_ambiguous(&self, key: &str) -> bool {
        self.ambiguous.contains(key)
    }

    pub(crate) fn repeats_with_other_values(&self) -> bool {
        !self.ambiguous.is_empty()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.members.get(key)
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.members.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, key: &str) -> Option<&Secret> {
        match self.members.get(key) {
            Some(Value::Text(text)) if !text.expose().is_empty() => Some(text),
            _ => None,
        }
    }

    pub(crate) fn has_text(&self, key: &str) -> bool {
        self.text(key).is_some()
    }

    /// A number, or a text that is one.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        match self.members.get(key)? {
            Value::Number(number) => number.parse().ok(),
            Value::Text(text) => text.expose().trim().parse().ok(),
            _ => None,
        }
    }

    /// The texts of a list, or the one text that stands for it.
    pub(crate) fn list(&self, key: &str) -> Vec<&str> {
        fn text(value: &Value) -> Option<&str> {
            match value {
                Value::Text(text) => Some(text.expose()),
                _ => None,
            }
        }
        match self.members.get(key) {
            Some(Value::List(values)) => values.iter().filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
