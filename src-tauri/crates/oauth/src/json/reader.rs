//! Reads JSON up to the first error, and keeps what is before it.

use super::{Flaw, Object, Value};
use tokenry_core::Secret;

/// The most elements of a list that are kept.
const MAX_ELEMENTS: usize = 500;

/// How deep values are read; what is deeper is skipped.
const MAX_DEPTH: usize = 64;

/// Reads JSON (RFC 8259), and goes on where a stricter reader would stop.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    flaw: Option<Flaw>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            flaw: None,
        }
    }

    /// The first thing that is wrong.
    pub(super) fn flaw(&self) -> Option<Flaw> {
        self.flaw
    }

    /// One value and nothing behind it. `None` when the text does not start as JSON does.
    pub(super) fn document(&mut self) -> Option<Value> {
        self.skip_space();
        let value = match self.peek()? {
            b'{' | b'[' | b'"' => self.value(0)?,
            _ => return None,
        };
        self.skip_space();
        if self.at < self.bytes.len() {
            self.note(Flaw::JunkAround);
        }
        Some(value)
    }

    /// What follows the name of a member, when it is whole.
    pub(super) fn value_of_member(&mut self) -> Option<Value> {
        self.skip_space();
        if self.peek() != Some(b':') {
            return None;
        }
        self.at += 1;
        self.skip_space();
        let value = self.value(0)?;
        (!matches!(self.flaw, Some(Flaw::Truncated | Flaw::Malformed))).then_some(value)
    }

    fn note(&mut self, flaw: Flaw) {
        self.flaw.get_or_insert(flaw);
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The value that starts here; `None` when it does not end.
    fn value(&mut self, depth: usize) -> Option<Value> {
        match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => self.skip_nested().then_some(Value::Other),
            Some(b'{') => Some(Value::Object(self.object(depth))),
            Some(b'[') => Some(Value::List(self.list(depth))),
            Some(b'"') => self.text().map(Value::Text),
            Some(_) => self.scalar(),
            None => {
                self.note(Flaw::Truncated);
                None
            }
        }
    }

    fn object(&mut self, depth: usize) -> Object {
        let mut object = Object::default();
        self.at += 1;
        loop {
            self.skip_space();
            match self.peek() {
                Some(b'"') => {}
                Some(b'}') => {
                    self.at += 1;
                    return object;
                }
                None => {
                    self.note(Flaw::Truncated);
                    return object;
                }
                Some(_) => {
                    self.note(Flaw::Malformed);
                    return object;
                }
            }
            let Some(key) = self.text() else { return object };
            self.skip_space();
            match self.peek() {
                Some(b':') => self.at += 1,
                other => {
                    self.note(other.map_or(Flaw::Truncated, |_| Flaw::Malformed));
                    return object;
                }
            }
            self.skip_space();
            let Some(value) = self.value(depth + 1) else {
                return object;
            };
            if !object.add(key.expose().to_owned(), value) {
                self.note(Flaw::RepeatedKey);
            }
            if !self.separator(b'}') {
                return object;
            }
        }
    }

    fn list(&mut self, depth: usize) -> Vec<Value> {
        let mut list = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return list;
        }
        loop {
            self.skip_space();
            if self.peek() == Some(b']') {
                // Behind a comma.
                self.note(Flaw::Malformed);
                self.at += 1;
                return list;
            }
            let Some(value) = self.value(depth + 1) else {
                return list;
            };
            if list.len() < MAX_ELEMENTS {
                list.push(value);
            }
            if !self.separator(b']') {
                return list;
            }
        }
    }

    /// What stands behind a value: whether another one follows. The end is left for who looks for it, or taken.
    fn separator(&mut self, end: u8) -> bool {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                if end == b'}' && self.peek() == Some(end) {
                    self.note(Flaw::Malformed);
                }
                true
            }
            Some(byte) if byte == end => {
                self.at += 1;
                false
            }
            // A comma is missing.
            Some(b'"') => {
                self.note(Flaw::Malformed);
                true
            }
            None => {
                self.note(Flaw::Truncated);
                false
            }
            Some(_) => {
                self.note(Flaw::Malformed);
                false
            }
        }
    }

    /// A number or a name; anything else is noted and stands for nothing.
    fn scalar(&mut self) -> Option<Value> {
        let start = self.at;
        while self.peek().is_some_and(|byte| {
            !matches!(
                byte,
                b',' | b'}' | b']' | b'"' | b':' | b' ' | b'\t' | b'\r' | b'\n'
            )
        }) {
            self.at += 1;
        }
        if self.at == self.bytes.len() {
            // There may have been more digits.
            self.note(Flaw::Truncated);
            return None;
        }
        let word = &self.bytes[start..self.at];
        if word.is_empty() {
            // Not even a value: stepping over it could hide where the members are.
            self.note(Flaw::Malformed);
            return None;
        }
        Some(match word {
            b"true" => Value::True,
            b"false" | b"null" => Value::Other,
            _ => match std::str::from_utf8(word) {
                Ok(word) if is_number(word) => Value::Number(word.to_owned()),
                _ => {
                    self.note(Flaw::Malformed);
                    Value::Other
                }
            },
        })
    }

    /// A text in quotes. Its end is found first, so that it is decoded into one buffer that never moves.
    fn text(&mut self) -> Option<Secret> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
                None => {
                    self.at = self.bytes.len();
                    self.note(Flaw::Truncated);
                    return None;
                }
            }
        }
        self.at = end + 1;
        let raw = &self.bytes[start..end];
        let mut out = String::with_capacity(raw.len() * 3);
        for chunk in raw.utf8_chunks() {
            self.unescape(chunk.valid(), &mut out);
            if !chunk.invalid().is_empty() {
                self.note(Flaw::NotUtf8);
                out.push(char::REPLACEMENT_CHARACTER);
            }
        }
        Some(Secret::new(out))
    }

    fn unescape(&mut self, text: &str, out: &mut String) {
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                if c < ' ' {
                    self.note(Flaw::Malformed);
                }
                out.push(c);
                continue;
            }
            let unescaped = match chars.next() {
                Some(c @ ('"' | '\\' | '/')) => Some(c),
                Some('b') => Some('\u{8}'),
                Some('f') => Some('\u{c}'),
                Some('n') => Some('\n'),
                Some('r') => Some('\r'),
                Some('t') => Some('\t'),
                Some('u') => escaped(&mut chars),
                _ => None,
            };
            if unescaped.is_none() {
                self.note(Flaw::Malformed);
            }
            out.push(unescaped.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }

    /// Steps over a list or an object without looking into it; says whether it ends.
    fn skip_nested(&mut self) -> bool {
        self.note(Flaw::TooDeep);
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    if self.text().is_none() {
                        return false;
                    }
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return true;
            }
        }
        false
    }
}

/// What follows `\u`: four digits, and four more for what is outside the basic plane.
fn escaped(chars: &mut std::str::Chars<'_>) -> Option<char> {
    let first = four_digits(chars)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    let mut ahead = chars.clone();
    if (ahead.next(), ahead.next()) != (Some('\\'), Some('u')) {
        return None;
    }
    let second = four_digits(&mut ahead).filter(|second| (0xdc00..0xe000).contains(second))?;
    *chars = ahead;
    char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
}

fn four_digits(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    let text = chars.as_str().get(..4)?;
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    *chars = chars.as_str()[4..].chars();
    u32::from_str_radix(text, 16).ok()
}

/// RFC 8259 §6.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}
