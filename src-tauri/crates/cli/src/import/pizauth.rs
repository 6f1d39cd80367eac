//! pizauth: the accounts in `pizauth.conf`. Its tokens are in memory only.

use super::{Found, Item, What, has_control, put, put_redirect};
use crate::secret_input::SecretText;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// Longer than any setting.
const MAX_TEXT: usize = 8 * 1024;

/// Reads `pizauth.conf`. Reading ends at the first text that its grammar does not know.
pub(super) fn read(text: &str, file: &str, found: &mut Found) {
    let mut reader = Reader {
        tokens: Tokens { rest: text, line: 1 },
        file,
    };
    while let Some((token, line)) = reader.tokens.next_token() {
        let result = match token {
            Token::Word("account") => reader.account(line, found),
            // An option of the program: `name = value;`.
            Token::Word(_) => reader.skip_value(),
            _ => Err((line, "an account or an option is expected")),
        };
        if let Err((line, text)) = result {
            found.unread(
                &format!("{file}:{line}"),
                format!("{text}; nothing after it was read"),
            );
            return;
        }
    }
}

type Wrong = (usize, &'static str);

struct Reader<'a> {
    tokens: Tokens<'a>,
    file: &'a str,
}

impl Reader<'_> {
    /// `account "name" { fields }`
    fn account(&mut self, line: usize, found: &mut Found) -> Result<(), Wrong> {
        let name = self.text()?;
        self.expect(Token::Sign('{'))?;
        let mut fields: Vec<(String, Field, usize)> = Vec::new();
        loop {
            match self.tokens.next_token() {
                Some((Token::Sign('}'), _)) => break,
                Some((Token::Word(field), line)) => {
                    let field = field.to_owned();
                    self.expect(Token::Sign('='))?;
                    let value = self.value()?;
                    self.expect(Token::Sign(';'))?;
                    if fields.iter().any(|(other, ..)| *other == field) {
                        return Err((line, "a field is given twice"));
                    }
                    fields.push((field, value, line));
                }
                Some((_, line)) => return Err((line, "a field is expected")),
                None => return Err((line, "the account does not end")),
            }
        }
        let place = format!("{}:{line}", self.file);
        match provider(&name, &fields, &place, found) {
            Ok(item) => found.items.push(item),
            Err(text) => found.unread(&place, text),
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Field, Wrong> {
        match self.tokens.next_token() {
            Some((Token::Text(text), _)) => Ok(Field::Text(text)),
            Some((Token::Sign('['), _)) => self.list().map(Field::List),
            Some((Token::Sign('{'), _)) => self.map().map(Field::Map),
            Some((Token::Word(_), _)) => Ok(Field::Other),
            Some((_, line)) => Err((line, "a value is expected")),
            None => Err((self.tokens.line, "the file ends inside an account")),
        }
    }

    fn list(&mut self) -> Result<Vec<SecretText>, Wrong> {
        let mut list = Vec::new();
        loop {
            match self.tokens.next_token() {
                Some((Token::Sign(']'), _)) => return Ok(list),
                Some((Token::Text(text), _)) => list.push(text),
                Some((Token::Sign(','), _)) if !list.is_empty() => {}
                other => return Err((line_of(other, self.tokens.line), "a list of texts is expected")),
            }
        }
    }

    fn map(&mut self) -> Result<Vec<(SecretText, SecretText)>, Wrong> {
        let mut map = Vec::new();
        loop {
            match self.tokens.next_token() {
                Some((Token::Sign('}'), _)) => return Ok(map),
                Some((Token::Sign(','), _)) if !map.is_empty() => {}
                Some((Token::Text(key), _)) => {
                    self.expect(Token::Sign(':'))?;
                    map.push((key, self.text()?));
                }
                other => return Err((line_of(other, self.tokens.line), "a map of texts is expected")),
            }
        }
    }

    fn skip_value(&mut self) -> Result<(), Wrong> {
        self.expect(Token::Sign('='))?;
        self.value()?;
        self.expect(Token::Sign(';'))
    }

    fn text(&mut self) -> Result<SecretText, Wrong> {
        match self.tokens.next_token() {
            Some((Token::Text(text), _)) => Ok(text),
            other => Err((line_of(other, self.tokens.line), "a text in quotes is expected")),
        }
    }

    fn expect(&mut self, expected: Token<'_>) -> Result<(), Wrong> {
        match self.tokens.next_token() {
            Some((token, _)) if token == expected => Ok(()),
            other => Err((
                line_of(other, self.tokens.line),
                match expected {
                    Token::Sign('=') => "`=` is expected",
                    Token::Sign(';') => "`;` is expected",
                    Token::Sign('{') => "`{` is expected",
                    _ => "another sign is expected",
                },
            )),
        }
    }
}

fn line_of(token: Option<(Token<'_>, usize)>, end: usize) -> usize {
    token.map_or(end, |(_, line)| line)
}

enum Field {
    Text(SecretText),
    List(Vec<SecretText>),
    Map(Vec<(SecretText, SecretText)>),
    /// A time, or `none`.
    Other,
}

/// An account as a provider. pizauth takes a free port for any redirect URI.
fn provider(
    name: &str,
    fields: &[(String, Field, usize)],
    place: &str,
    found: &mut Found,
) -> Result<Item, String> {
    let mut settings = Map::new();
    let mut params = Map::new();
    let mut client_secret = None;
    let mut redirect = "http://localhost/".to_owned();
    if has_control(name) {
        return Err("its name has a control character".to_owned());
    }
    for (field, value, line) in fields {
        let texts = |value: &Field| match value {
            Field::Text(text) => vec![text.clone()],
            Field::List(list) => list.clone(),
            Field::Map(map) => map
                .iter()
                .flat_map(|(key, value)| [key.clone(), value.clone()])
                .collect(),
            Field::Other => Vec::new(),
        };
        if texts(value)
            .iter()
            .any(|text| has_control(text) || text.len() > MAX_TEXT)
        {
            return Err(format!(
                "{field} (line {line}) is too long or has a control character"
            ));
        }
        match (field.as_str(), value) {
            ("auth_uri", Field::Text(text)) => put(&mut settings, "authorization_endpoint", text),
            ("token_uri", Field::Text(text)) => put(&mut settings, "token_endpoint", text),
            ("client_id", Field::Text(text)) => put(&mut settings, "client_id", text),
            ("client_secret", Field::Text(text)) => client_secret = Some(text.clone()),
            ("login_hint", Field::Text(text)) => put(&mut params, "login_hint", text),
            ("redirect_uri", Field::Text(text)) => redirect = text.to_string(),
            ("scopes", Field::List(list)) => {
                let scopes: Vec<Value> = list.iter().map(|scope| scope.as_str().into()).collect();
                settings.insert("default_scopes".to_owned(), scopes.into());
            }
            ("auth_uri_fields", Field::Map(map)) => {
                map.iter().for_each(|(key, value)| put(&mut params, key, value))
            }
            ("refresh_at_least" | "refresh_before_expiry" | "refresh_retry", _) => {}
            _ => found.unread(place, format!("its field {field} (line {line}) is left out")),
        }
    }
    for (field, setting) in [
        ("auth_uri", "authorization_endpoint"),
        ("token_uri", "token_endpoint"),
        ("client_id", "client_id"),
    ] {
        if !settings.contains_key(setting) {
            return Err(format!("it has no {field}"));
        }
    }
    if !params.is_empty() {
        settings.insert("authorize_params".to_owned(), params.into());
    }
    // Whatever port it has, pizauth replaces it.
    let any_port = match redirect
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
    {
        Some((authority, path)) if !authority.starts_with('[') => {
            let host = authority.split(':').next().unwrap_or(authority);
            format!("http://{host}/{path}")
        }
        _ => redirect,
    };
    if let Err(why) = put_redirect(&mut settings, &any_port) {
        found.unread(place, why);
    }
    Ok(Item {
        name: name.to_owned(),
        place: place.to_owned(),
        what: What::Provider {
            settings,
            client_secret,
        },
    })
}

#[derive(PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Text(SecretText),
    Sign(char),
    /// Something that its grammar does not have.
    Odd,
}

struct Tokens<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Tokens<'a> {
    /// The next token, and the line that it starts on.
    fn next_token(&mut self) -> Option<(Token<'a>, usize)> {
        self.skip_space();
        let line = self.line;
        let first = self.rest.chars().next()?;
        let token = match first {
            '"' => self.quoted(),
            '{' | '}' | '[' | ']' | '=' | ';' | ':' | ',' => {
                self.take(1);
                Token::Sign(first)
            }
            _ => {
                let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                match end.unwrap_or(self.rest.len()) {
                    0 => {
                        self.take(first.len_utf8());
                        Token::Odd
                    }
                    end => Token::Word(self.take(end)),
                }
            }
        };
        Some((token, line))
    }

    fn skip_space(&mut self) {
        loop {
            let space = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            self.take(space);
            if !self.rest.starts_with("//") {
                return;
            }
            self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
        }
    }

    /// A text in quotes; a backslash stands before `"` and a backslash only.
    fn quoted(&mut self) -> Token<'a> {
        let mut text = Zeroizing::new(String::new());
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.take(at + 1);
                    return Token::Text(text);
                }
                '\\' => match letters.next() {
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    _ => break,
                },
                letter => text.push(letter),
            }
        }
        self.rest = "";
        Token::Odd
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Name, settings and client secret.
    type Item = (String, Value, Option<String>);

    fn read_it(text: &str) -> (Vec<Item>, Vec<String>) {
        let mut found = Found::default();
        read(text, "pizauth.conf", &mut found);
        let items = found.items.into_iter().map(|item| match item.what {
            What::Provider {
                settings,
                client_secret,
            } => (
                item.name,
                Value::Object(settings),
                client_secret.map(|secret| secret.to_string()),
            ),
            What::Token { .. } => unreachable!(),
        });
        let unread = found
            .unread
            .into_iter()
            .map(|unread| format!("{} {}", unread.place, unread.text));
        (items.collect(), unread.collect())
    }

    const ACCOUNT: &str = "// mail\r\nauth_notify_cmd = \"echo \\\"{}\\\" ; x\";\nhttp_listen = none;\naccount \"office\" {\n  auth_uri = \"https://a.example/authorize\"; // here\n  token_uri = \"https://a.example/token\";\n  client_id = \"c1\";\n  client_secret = \"s\\\\3\\\"cret\";\n  scopes = [ \"mail.read\", \"offline_access\" ];\n  auth_uri_fields = { \"login_hint\": \"ada@example.com\" };\n  refresh_at_least = 90m;\n  redirect_uri = \"http://localhost:8599/cb\";\n}\n";

    #[test]
    fn an_account_becomes_a_provider() {
        let (items, unread) = read_it(ACCOUNT);
        assert_eq!(unread, [""; 0]);
        let settings = json!({
            "authorization_endpoint": "https://a.example/authorize",
            "token_endpoint": "https://a.example/token",
            "client_id": "c1",
            "default_scopes": ["mail.read", "offline_access"],
            "authorize_params": {"login_hint": "ada@example.com"},
            "loopback_any_port": true, "loopback_host": "localhost", "redirect_path": "/cb",
        });
        assert_eq!(
            items,
            [("office".to_owned(), settings, Some("s\\3\"cret".to_owned()))]
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line_and_without_a_value() {
        for (change, line) in [
            (
                ("client_id = \"c1\";", "client_id = \"c4n4ry;"),
                "pizauth.conf:8 ",
            ),
            (
                ("client_id = \"c1\";", "client_id \"c4n4ry\";"),
                "pizauth.conf:7 ",
            ),
            (
                ("client_id = \"c1\";", "client_id = \"c4n4ry\" \"x\";"),
                "pizauth.conf:7 ",
            ),
            (
                (
                    "client_id = \"c1\";",
                    "client_id = \"c4n4ry\"; client_id = \"b\";",
                ),
                "pizauth.conf:7 ",
            ),
            (
                ("client_id = \"c1\";", "client_id = [\"c4n4ry\" 5];"),
                "pizauth.conf:7 ",
            ),
            (
                ("client_id = \"c1\";", "client_id = \"c4n4\0ry\";"),
                "pizauth.conf:4 ",
            ),
            (("client_id = \"c1\";", ""), "pizauth.conf:4 "),
            (("account \"office\" {", "account {"), "pizauth.conf:4 "),
            (
                ("  redirect_uri = \"http://localhost:8599/cb\";\n}", ""),
                "pizauth.conf:4 ",
            ),
        ] {
            let text = ACCOUNT.replace(change.0, change.1);
            assert_ne!(text, ACCOUNT);
            let (items, unread) = read_it(&text);
            assert!(items.is_empty(), "{change:?}");
            assert!(unread[0].starts_with(line), "{change:?}: {unread:?}");
            assert!(!unread.concat().contains("c4n4"), "{unread:?}");
        }
        let (items, unread) = read_it(&ACCOUNT.replace("\"c1\"", &format!("\"{}\"", "x".repeat(10_000))));
        assert!(items.is_empty() && unread[0].len() < 200, "{unread:?}");
        let (items, unread) = read_it(&ACCOUNT.replace("http://localhost:8599/cb", "https://a.example/cb"));
        assert_eq!((items.len(), unread.len()), (1, 1));
    }
}
