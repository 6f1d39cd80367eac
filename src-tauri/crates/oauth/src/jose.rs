//! JSON Web Signatures (RFC 7515) that we make, and the key that makes them.

use crate::Failure;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tokenry_core::Secret;
use zeroize::Zeroizing;

/// A private key for ES256 (RFC 7518 §3.4). What is stored of it is its PKCS #8 form in base64url.
pub struct SigningKey(EcdsaKeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// Makes a key, in the form that is stored.
    ///
    /// # Errors
    /// When the machine cannot make one.
    pub fn generate() -> Result<Secret, Failure> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let made = made.map_err(|_| not_sent("A signing key could not be made."))?;
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(made.as_ref())))
    }

    /// Reads a stored key.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(stored: &Secret) -> Result<Self, Failure> {
        let unreadable = || not_sent("The signing key cannot be read.");
        let bytes = URL_SAFE_NO_PAD
            .decode(stored.expose())
            .map_err(|_| unreadable())?;
        let bytes = Zeroizing::new(bytes);
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes)
            .map(Self)
            .map_err(|_| unreadable())
    }

    /// The public key as a JWK with its required members alone, in the order of RFC 7638 §3.
    pub fn public_jwk(&self) -> String {
        // An uncompressed point: 4, then both coordinates.
        let point = self.0.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
        format!(
            r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
            URL_SAFE_NO_PAD.encode(x),
            URL_SAFE_NO_PAD.encode(y)
        )
    }

    /// The SHA-256 thumbprint of the public key (RFC 7638).
    pub fn thumbprint(&self) -> String {
        sha256(self.public_jwk().as_bytes())
    }

    /// The public key for registration at a provider: a JWK set (RFC 7517 §5).
    pub fn public_jwks(&self) -> Value {
        let mut key = self.jwk();
        key["kid"] = self.thumbprint().into();
        key["alg"] = "ES256".into();
        key["use"] = "sig".into();
        serde_json::json!({"keys": [key]})
    }

    pub(crate) fn jwk(&self) -> Value {
        serde_json::from_str(&self.public_jwk()).unwrap_or_default()
    }

    /// Signs with ES256; `alg` is added to the header.
    pub(crate) fn sign(&self, mut header: Value, claims: &Value) -> Result<String, Failure> {
        header["alg"] = "ES256".into();
        let input = signing_input(&header, claims);
        let signature = self
            .0
            .sign(&SystemRandom::new(), input.as_bytes())
            .map_err(|_| not_sent("The request could not be signed."))?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
    }
}

/// Signs with HS256 and a shared secret (RFC 7518 §3.2).
pub(crate) fn sign_hs256(secret: &Secret, claims: &Value) -> String {
    let input = signing_input(&serde_json::json!({"alg": "HS256", "typ": "JWT"}), claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let signature = hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

/// SHA-256 in base64url: a thumbprint, and `ath` of an access token (RFC 9449 §4.2).
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    URL_SAFE_NO_PAD.encode(digest.as_ref())
}

/// The left halves of the hashes that id tokens are signed with, in base64url (OpenID Connect Core §3.1.3.6). Which one
/// counts the algorithm says, and EdDSA says none; that another one fits by chance is as unlikely as a forged one.
pub(crate) fn left_halves(bytes: &[u8]) -> [String; 3] {
    use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
    [&SHA256, &SHA384, &SHA512].map(|algorithm| {
        let hash = digest(algorithm, bytes);
        let hash = hash.as_ref();
        URL_SAFE_NO_PAD.encode(hash.get(..hash.len() / 2).unwrap_or_default())
    })
}

fn signing_input(header: &Value, claims: &Value) -> String {
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encoded(header), encoded(claims))
}

fn not_sent(message: &str) -> Failure {
    Failure::NotSent {
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    /// RFC 7515, appendix A.3: the key of its example.
    fn example() -> SigningKey {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let d = decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
        let x = decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
        let y = decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        let point = [&[4][..], &x, &y].concat();
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &d, &point);
        SigningKey(pair.unwrap())
    }

    #[test]
    fn the_public_key_is_that_of_the_example_of_rfc_7515() {
        assert_eq!(
            example().public_jwk(),
            r#"{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#
        );
        let jwks = example().public_jwks();
        assert!(jwks["keys"][0].get("d").is_none(), "{jwks}");
        assert_eq!(jwks["keys"][0]["kid"], example().thumbprint());
    }

    /// RFC 9449, figures 2 and 12: the thumbprint of the key of its proofs, and `ath` of its access token.
    #[test]
    fn thumbprints_are_those_of_the_examples_of_rfc_9449() {
        let jwk = r#"{"crv":"P-256","kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#;
        assert_eq!(
            sha256(jwk.as_bytes()),
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
        );
        assert_eq!(
            sha256(b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
            "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
        );
    }

    #[test]
    fn a_stored_key_signs_what_its_public_key_verifies() {
        let stored = SigningKey::generate().unwrap();
        let key = SigningKey::read(&stored).unwrap();
        let token = key
            .sign(serde_json::json!({"typ": "JWT"}), &serde_json::json!({"a": 1}))
            .unwrap();
        let (input, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.0.public_key().as_ref())
            .verify(input.as_bytes(), &signature)
            .unwrap();
        assert!(SigningKey::read(&Secret::new("rubbish".to_owned())).is_err());
        assert_ne!(SigningKey::generate().unwrap().expose(), stored.expose());
    }

    /// RFC 7515, appendix A.1, with our own header: the key is shared, so only the form is checked.
    #[test]
    fn a_shared_secret_signs_with_hs256() {
        let token = sign_hs256(&Secret::new("secret".to_owned()), &serde_json::json!({"a": 1}));
        let parts: Vec<_> = token.split('.').collect();
        let header = URL_SAFE_NO_PAD.decode(parts[0]).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header, serde_json::json!({"alg": "HS256", "typ": "JWT"}));
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let input = format!("{}.{}", parts[0], parts[1]);
        let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        hmac::verify(&key, input.as_bytes(), &signature).unwrap();
    }
}
