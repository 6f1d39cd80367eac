//! PKCE from the side of the server (RFC 7636 §4.6). S256 only: `plain` proves nothing against a reader of the request.

use oauth2::{PkceCodeChallenge, PkceCodeVerifier};

/// Whether a text can be an S256 challenge: a SHA-256 in base64url without padding, 43 characters.
pub fn is_challenge(text: &str) -> bool {
    text.len() == 43
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether the verifier is the one that the challenge was made from, compared in constant time.
pub fn verifies(verifier: &str, challenge: &str) -> bool {
    // RFC 7636 §4.1: 43 to 128 unreserved characters.
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
        return false;
    }
    let made = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.to_owned()));
    tokenry_core::same_bytes(made.as_str().as_bytes(), challenge.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    #[test]
    fn the_example_of_the_rfc_verifies_and_nothing_else_does() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(is_challenge(challenge) && verifies(verifier, challenge));
        // As it would be with `plain`.
        assert!(!verifies(challenge, challenge));
        for bad in [
            "",
            "short",
            &verifier[1..],
            &format!("{verifier}="),
            &format!("{verifier}\0"),
            &"a".repeat(129),
            &"ä".repeat(30),
        ] {
            assert!(!verifies(bad, challenge), "{bad}");
        }
        for bad in ["", &challenge[1..], &format!("{challenge}="), &"+".repeat(43)] {
            assert!(!is_challenge(bad), "{bad}");
        }
    }
}
