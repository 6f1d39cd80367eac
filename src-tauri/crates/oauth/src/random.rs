//! Random values for `state`, `nonce` and PKCE.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokenry_core::{Random, Secret};
use zeroize::Zeroizing;

/// 32 random octets in base64url: 43 characters of `[A-Za-z0-9_-]`, good as `state` and as a PKCE verifier
/// (RFC 7636 §4.1).
pub fn fresh(random: &dyn Random) -> Secret {
    let mut octets = Zeroizing::new([0; 32]);
    random.fill(octets.as_mut());
    Secret::new(URL_SAFE_NO_PAD.encode(octets.as_ref()))
}
