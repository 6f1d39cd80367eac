//! The challenges of a response (RFC 9110 §11.6.1): what a resource says of the tokens that it takes.

use tokenry_core::Scopes;

/// The longest header that is read, in bytes.
const MAX_BYTES: usize = 8192;

/// What the first challenge for a token says (RFC 6750 §3, RFC 9728 §5.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    /// Where the metadata of the resource is.
    pub(super) resource_metadata: Option<String>,
    /// The scopes that it asks for.
    pub(super) scopes: Vec<String>,
}

/// Reads the headers of a response. A header that cannot be read says nothing.
pub(super) fn of(headers: &[String]) -> Challenge {
    let all = headers.iter().filter(|header| header.len() <= MAX_BYTES);
    let challenges: Vec<_> = all.flat_map(|header| parse(header).unwrap_or_default()).collect();
    let is_for_tokens =
        |scheme: &str| scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("dpop");
    let chosen = challenges.into_iter().find(|(scheme, _)| is_for_tokens(scheme));
    let Some((_, parameters)) = chosen else {
        return Challenge::default();
    };
    let value = |name: &str| {
        let mut values = parameters
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let first = values.next()?;
        // A parameter that comes twice could mean either.
        values.next().is_none().then(|| first.1.clone())
    };
    let scopes = value("scope").unwrap_or_default();
    let scopes = scopes.split(' ').filter(|scope| Scopes::is_token(scope));
    Challenge {
        resource_metadata: value("resource_metadata"),
        scopes: scopes.map(str::to_owned).collect(),
    }
}

type Parsed = Vec<(String, Vec<(String, String)>)>;

/// A list of challenges: a scheme, then parameters with commas between; a comma may also start the next scheme.
fn parse(header: &str) -> Option<Parsed> {
    let mut rest = Reader(header);
    let mut challenges = Parsed::new();
    loop {
        rest.skip(|c| c == ',' || c == ' ' || c == '\t');
        if rest.0.is_empty() {
            return Some(challenges);
        }
        let word = rest.take(is_token_character);
        if word.is_empty() {
            return None;
        }
        let after = rest.0.trim_start_matches([' ', '\t']);
        let is_parameter = after.starts_with('=') && !after.starts_with("==");
        match challenges.last_mut() {
            Some((_, parameters)) if is_parameter => {
                rest.0 = after[1..].trim_start_matches([' ', '\t']);
                parameters.push((word.to_owned(), rest.value()?));
            }
            _ if is_parameter => return None,
            _ => {
                challenges.push((word.to_owned(), Vec::new()));
                rest.skip_token68();
            }
        }
    }
}

fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn skip(&mut self, is_skipped: impl Fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(is_skipped);
    }

    fn take(&mut self, is_taken: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !is_taken(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    /// A value, quoted or not. Some servers leave the quotes away around an address.
    fn value(&mut self) -> Option<String> {
        let Some(quoted) = self.0.strip_prefix('"') else {
            return Some(self.take(|c| !matches!(c, ',' | ' ' | '\t' | '"')).to_owned());
        };
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => {
                    self.0 = &quoted[at + 1..];
                    return Some(value);
                }
                '\\' => value.push(characters.next()?.1),
                c => value.push(c),
            }
        }
        None
    }

    /// Credentials in one word, as `Negotiate` and `Basic` have them.
    fn skip_token68(&mut self) {
        let after = self.0.trim_start_matches([' ', '\t']);
        let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || "-._~+/".contains(c)));
        let (word, rest) = after.split_at(end.unwrap_or(after.len()));
        let rest = rest.trim_start_matches('=');
        let rest = rest.trim_start_matches([' ', '\t']);
        let is_whole = !word.is_empty() && (rest.is_empty() || rest.starts_with(','));
        if is_whole && after.len() < self.0.len() {
            self.0 = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&str]) -> (Option<String>, String) {
        let headers: Vec<_> = headers.iter().map(|header| (*header).to_owned()).collect();
        let challenge = of(&headers);
        (challenge.resource_metadata, challenge.scopes.join(" "))
    }

    /// Checklist A6.5.
    #[test]
    fn the_address_of_the_metadata_is_found_among_other_challenges() {
        let url = "https://mcp.example/.well-known/oauth-protected-resource";
        for headers in [
            vec![r#"Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource""#],
            vec![
                r#"bearer realm="a, b=\"c\"", RESOURCE_METADATA = "https://mcp.example/.well-known/oauth-protected-resource" , error="invalid_token""#,
            ],
            vec![
                r#"Basic realm="x", Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource""#,
            ],
            vec![
                r#"Negotiate a87421000492aa874209af8bc028==, DPoP algs="ES256", resource_metadata="https://mcp.example/.well-known/oauth-protected-resource""#,
            ],
            vec![
                "Basic realm=x",
                "Bearer resource_metadata=https://mcp.example/.well-known/oauth-protected-resource",
            ],
            vec![
                r#"Basic realm="never closed"#,
                r#",, Bearer  resource_metadata="https://mcp.example/.well-known/oauth-protected-resource""#,
            ],
        ] {
            let read = read(&headers);
            assert_eq!(read.0.as_deref(), Some(url), "{headers:?}");
        }
        assert_eq!(read(&[r#"Bearer scope="a b" "#]), (None, "a b".to_owned()));
        assert_eq!(read(&[r#"Bearer scope="a \" b""#]), (None, "a b".to_owned()));
    }

    #[test]
    fn hostile_headers_say_nothing() {
        let long = format!("Bearer resource_metadata=\"https://x/{}\"", "a".repeat(9000));
        for header in [
            "",
            "Bearer",
            "=",
            "Bearer resource_metadata",
            r#"Bearer resource_metadata="https://never.closed"#,
            r#"Bearer resource_metadata="https://a", resource_metadata="https://b""#,
            r#"Basic resource_metadata="https://other.scheme""#,
            r#"resource_metadata="https://no.scheme""#,
            r#"Bearer resource_metadata="https://a\"#,
            "\u{0}\u{1}",
            "Bearer \u{e9}=\u{e9}",
            &long,
        ] {
            assert_eq!(read(&[header]).0, None, "{header:?}");
        }
    }
}
