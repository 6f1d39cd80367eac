//! HTTP Basic as client authentication, from the side of the server (RFC 6749 §2.3.1, RFC 7617).

use crate::form;
use base64::{Engine, engine::general_purpose::STANDARD};
use tokenry_core::Secret;
use zeroize::Zeroizing;

/// The client id and secret of an `Authorization` header: each was form-encoded before the pair was made. `None` for
/// another scheme and for what is not written so.
pub fn read(header: &str) -> Option<(String, Secret)> {
    let (scheme, rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = Zeroizing::new(STANDARD.decode(rest.trim()).ok()?);
    let (id, secret) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some((form::decode(id).ok()?, Secret::new(form::decode(secret).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_and_the_secret_are_form_decoded_after_they_are_taken_apart() {
        let header = format!("basic {}", STANDARD.encode("my%3Aapp+1:s%25e%3Acret:x"));
        let (id, secret) = read(&header).unwrap();
        assert_eq!((id.as_str(), secret.expose()), ("my:app 1", "s%e:cret:x"));
        let bare = STANDARD.encode("no-colon");
        for bad in [
            "",
            "Basic",
            "Basic !!!",
            "Bearer abc",
            &format!("Basic {bare}"),
            &format!("Basic {}", STANDARD.encode("a:%0a")),
            &format!("Basic {}", STANDARD.encode([b'a', b':', 0xff])),
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }
}
