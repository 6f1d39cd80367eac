use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use tokenry_core::{Secret, clean};

/// The members of a JSON object or of a form, each name once. Every text is kept as a secret, since any may be one.
#[derive(Debug, Default)]
pub(crate) struct Object(BTreeMap<String, Value>);

/// What one member holds, as far as anybody here asks.
#[derive(Debug)]
enum Value {
    Text(Secret),
    Number(serde_json::Number),
    List(Vec<Secret>),
    Object(Object),
    /// `null`, `true`, `false`.
    Other,
}

/// The most elements of a list that are kept.
const LIST: usize = 500;

/// Reads a JSON object and nothing behind it. A name that comes twice is refused, at any depth: readers of the same
/// bytes could otherwise disagree about what they say.
pub(crate) fn object(bytes: &[u8]) -> Result<Object, &'static str> {
    serde_json::from_slice(without_mark(bytes)).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => "its JSON ends too early",
        serde_json::error::Category::Data => "its JSON is no object, or repeats a key",
        _ => "it is no JSON",
    })
}

/// Reads an answer in `application/x-www-form-urlencoded`, as GitHub and others send it.
pub(crate) fn form(bytes: &[u8]) -> Result<Object, &'static str> {
    let mut members = BTreeMap::new();
    for (key, value) in url::form_urlencoded::parse(bytes.trim_ascii()) {
        let value = Value::Text(Secret::new(value.into_owned()));
        if members.insert(key.into_owned(), value).is_some() {
            return Err("it repeats a key");
        }
    }
    if members.contains_key("access_token") || members.contains_key("error") {
        Ok(Object(members))
    } else {
        Err("it is neither JSON nor a form")
    }
}

pub(crate) fn starts_an_object(bytes: &[u8]) -> bool {
    without_mark(bytes).trim_ascii_start().first() == Some(&b'{')
}

pub(crate) fn looks_like_html(bytes: &[u8]) -> bool {
    without_mark(bytes).trim_ascii_start().first() == Some(&b'<')
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

impl Object {
    /// A text that is not empty.
    pub(crate) fn text(&self, key: &str) -> Option<&Secret> {
        match self.0.get(key) {
            Some(Value::Text(text)) if !text.expose().is_empty() => Some(text),
            _ => None,
        }
    }

    pub(crate) fn has_text(&self, key: &str) -> bool {
        self.text(key).is_some()
    }

    /// A text, or a number as text: ids come as either.
    pub(crate) fn text_or_number(&self, key: &str) -> Option<String> {
        match self.0.get(key) {
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => self.text(key).map(|text| text.expose().to_owned()),
        }
    }

    /// A number, or a text that is one.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        match self.0.get(key)? {
            Value::Number(number) => number.as_f64(),
            Value::Text(text) => text.expose().trim().parse().ok(),
            _ => None,
        }
    }

    /// The texts of a list, or the one text that stands for it.
    pub(crate) fn list(&self, key: &str) -> Vec<&str> {
        match self.0.get(key) {
            Some(Value::Text(text)) => vec![text.expose()],
            Some(Value::List(texts)) => texts.iter().map(Secret::expose).collect(),
            _ => Vec::new(),
        }
    }

    /// The error and its description (RFC 6749 §5.2), cleaned. Some servers put an object there; then its type or
    /// code, and its message.
    pub(crate) fn error(&self) -> Option<(String, Option<String>)> {
        let shown = |object: &Self, key: &str| object.text_or_number(key).map(|text| clean(&text));
        match self.0.get("error")? {
            Value::Text(code) if code.expose().is_empty() => None,
            Value::Text(code) => Some((clean(code.expose()), shown(self, "error_description"))),
            Value::Object(inner) => {
                let code = ["type", "status", "code"]
                    .iter()
                    .find_map(|key| shown(inner, key));
                Some((
                    code.unwrap_or_else(|| "error".to_owned()),
                    shown(inner, "message"),
                ))
            }
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object, A::Error> {
                members(map)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

fn members<'de, A: MapAccess<'de>>(mut map: A) -> Result<Object, A::Error> {
    let mut members = BTreeMap::new();
    while let Some(key) = map.next_key::<String>()? {
        if members.insert(key, map.next_value()?).is_some() {
            return Err(A::Error::custom("a repeated key"));
        }
    }
    Ok(Object(members))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(Secret::new(text.to_owned())))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
                Ok(Value::Number(number.into()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
                Ok(Value::Number(number.into()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
                Ok(serde_json::Number::from_f64(number).map_or(Value::Other, Value::Number))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
                Ok(Value::Other)
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Other)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut texts = Vec::new();
                while let Some(element) = seq.next_element()? {
                    if let (Value::Text(text), true) = (element, texts.len() < LIST) {
                        texts.push(text);
                    }
                }
                Ok(Value::List(texts))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
                members(map).map(Value::Object)
            }
        }
        deserializer.deserialize_any(Any)
    }
}
