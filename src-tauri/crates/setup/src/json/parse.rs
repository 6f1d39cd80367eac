//! Reads JSON with comments and trailing commas, as editors write it, and keeps where each value is in the text.

use serde_json::{Map, Value};

/// The most values inside one another.
const MAX_DEPTH: usize = 128;

/// A value and its place in the text.
pub(super) struct Node {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) content: Content,
}

pub(super) enum Content {
    Object(Vec<Member>),
    Array(Vec<Node>),
    Scalar(Value),
}

/// A member of an object.
pub(super) struct Member {
    pub(super) key: String,
    /// Where its key begins.
    pub(super) start: usize,
    pub(super) value: Node,
    /// Where the comma after it ends.
    pub(super) comma: Option<usize>,
}

impl Node {
    /// The value without its place.
    pub(super) fn value(&self) -> Value {
        match &self.content {
            Content::Object(members) => {
                let members = members.iter().map(|one| (one.key.clone(), one.value.value()));
                Value::Object(members.collect::<Map<_, _>>())
            }
            Content::Array(items) => Value::Array(items.iter().map(Node::value).collect()),
            Content::Scalar(value) => value.clone(),
        }
    }
}

/// Reads a whole text. The error says what is wrong in which line.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut reader = Reader {
        text,
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
    };
    let node = reader.value(0)?;
    reader.skip()?;
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.wrong("more than one value")),
    }
}

/// Where the comments in a part of the text end that holds no value: the end of the last one.
pub(super) fn end_of_comments(text: &str, from: usize) -> usize {
    let mut reader = Reader { text, at: from };
    let mut end = from;
    loop {
        reader.skip_blanks();
        match reader.comment() {
            Ok(true) => end = reader.at,
            _ => return end,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn wrong(&self, what: &str) -> String {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        format!("{what} in line {}", before.matches('\n').count() + 1)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Skips a comment, and says whether there was one. The end of the line is not part of it.
    fn comment(&mut self) -> Result<bool, String> {
        let rest = &self.text[self.at..];
        if rest.starts_with("//") {
            self.at += rest.find('\n').unwrap_or(rest.len());
            return Ok(true);
        }
        if let Some(inside) = rest.strip_prefix("/*") {
            let end = inside.find("*/");
            let end = end.ok_or_else(|| self.wrong("a comment without an end"))?;
            self.at += end + 4;
            return Ok(true);
        }
        Ok(false)
    }

    fn skip(&mut self) -> Result<(), String> {
        loop {
            self.skip_blanks();
            if !self.comment()? {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, String> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("too many values inside one another"));
        }
        self.skip()?;
        let start = self.at;
        let content = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Content::Scalar(Value::String(self.string()?)),
            Some(_) => self.literal()?,
            None => return Err(self.wrong("the text ends too early")),
        };
        Ok(Node {
            start,
            end: self.at,
            content,
        })
    }

    fn object(&mut self, depth: usize) -> Result<Content, String> {
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.skip()?;
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(Content::Object(members));
            }
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a name without quotes, or an object without an end,"));
            }
            let start = self.at;
            let key = self.string()?;
            self.skip()?;
            if self.peek() != Some(b':') {
                return Err(self.wrong("a missing colon"));
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            let comma = self.separator(b'}')?;
            members.push(Member {
                key,
                start,
                value,
                comma,
            });
        }
    }

    fn array(&mut self, depth: usize) -> Result<Content, String> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip()?;
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(Content::Array(items));
            }
            items.push(self.value(depth + 1)?);
            self.separator(b']')?;
        }
    }

    /// The comma after a value, unless its object or array ends here. Where nothing follows, the place stays at the end
    /// of the value.
    fn separator(&mut self, close: u8) -> Result<Option<usize>, String> {
        let end = self.at;
        self.skip()?;
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(Some(self.at))
            }
            Some(byte) if byte == close => {
                self.at = end;
                Ok(None)
            }
            _ => Err(self.wrong("a missing comma")),
        }
    }

    fn string(&mut self) -> Result<String, String> {
        let rest = &self.text.as_bytes()[self.at..];
        let mut end = 1;
        loop {
            match rest.get(end) {
                Some(b'\\') => end += 2,
                Some(b'"') => break,
                Some(_) => end += 1,
                None => return Err(self.wrong("a string without an end")),
            }
        }
        let token = self.text.get(self.at..=self.at + end);
        let read = token.and_then(|token| serde_json::from_str(token).ok());
        let read = read.ok_or_else(|| self.wrong("an invalid string"))?;
        self.at += end + 1;
        Ok(read)
    }

    fn literal(&mut self) -> Result<Content, String> {
        let rest = &self.text[self.at..];
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let read = serde_json::from_str(&rest[..end]);
        let read = read.map_err(|_| self.wrong("an invalid value"))?;
        self.at += end;
        Ok(Content::Scalar(read))
    }
}
