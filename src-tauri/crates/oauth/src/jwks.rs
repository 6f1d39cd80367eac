//! The keys of a provider (RFC 7517), and signatures that are verified with them. What is hostile or unknown in a key
//! set is passed over; a header of a token never chooses a key of its own.

use crate::json::{self, Object, Value};
use crate::outbound::Outbound;
use crate::{Failure, Http};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth2::http::Request;
use oauth2::http::header::{ACCEPT, HeaderValue};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokenry_core::{Provider, Secret};
use url::Url;

/// How many keys of a set are read.
const MAX_KEYS: usize = 64;
/// How many sets are kept.
const MAX_SETS: usize = 32;
/// How long a set is used without being looked at again.
const MAX_AGE: Duration = Duration::from_secs(24 * 3600);
/// How often a set is fetched because of an unknown key.
const MIN_AGE: Duration = Duration::from_secs(60);

/// The algorithms that are taken where the provider's settings name none. Never `none`, and never one of a shared
/// secret: its checker could have made it.
const DEFAULT_ALGORITHMS: [&str; 4] = ["RS256", "ES256", "PS256", "EdDSA"];
/// Those that can be taken at all.
const KNOWN_ALGORITHMS: [&str; 10] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
];

/// One key.
#[derive(Debug)]
struct Key {
    kid: Option<String>,
    alg: Option<String>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    P521(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// The header of a token, as far as it counts (RFC 7515 §4.1). `jku`, `jwk`, `x5u` and `x5c` do not (RFC 8725 §3.10).
#[derive(Debug)]
pub(crate) struct Header {
    alg: String,
    kid: Option<String>,
}

/// A signed token, taken apart.
pub(crate) struct Signed<'a> {
    pub(crate) header: Header,
    pub(crate) claims: Object,
    input: &'a str,
    signature: Vec<u8>,
}

/// The key sets that were fetched, by their address.
#[derive(Default)]
pub(crate) struct KeySets(Mutex<HashMap<String, KeySet>>);

#[derive(Clone)]
struct KeySet {
    keys: Arc<Vec<Key>>,
    /// By the time since boot, which cannot be set back.
    fetched_at: Duration,
}

impl<'a> Signed<'a> {
    /// Takes a token in compact form apart (RFC 7515 §7.1). What is wrong with it, in words.
    pub(crate) fn read(token: &'a str) -> Result<Self, &'static str> {
        let (input, signature) = token.rsplit_once('.').ok_or("it is not a signed token")?;
        let (header, payload) = input.split_once('.').ok_or("it is not a signed token")?;
        if payload.contains('.') {
            return Err("it is encrypted, or not a signed token");
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "it is wrongly encoded");
        let header = json::object(&decode(header)?)?;
        // An extension that has to be understood, and none is (RFC 7515 §4.1.11).
        if header.get("crit").is_some() {
            return Err("its header asks for an extension that is not known");
        }
        let alg = header.text("alg").ok_or("its header names no algorithm")?;
        Ok(Self {
            header: Header {
                alg: alg.expose().to_owned(),
                kid: header.text("kid").map(|kid| kid.expose().to_owned()),
            },
            claims: json::object(&decode(payload)?)?,
            input,
            signature: decode(signature)?,
        })
    }

    /// Whether the algorithm may be used. Where it may, whether the signature is of one of these keys decides.
    fn check_algorithm(&self, allowed: &[String]) -> Result<(), String> {
        let alg = self.header.alg.as_str();
        let is_allowed = match allowed {
            [] => DEFAULT_ALGORITHMS.contains(&alg),
            allowed => allowed.iter().any(|one| one == alg),
        };
        if is_allowed && KNOWN_ALGORITHMS.contains(&alg) {
            return Ok(());
        }
        let alg = tokenry_core::clean(alg);
        Err(format!(
            "it is signed with {alg}, which is not among id_token_signing_algs"
        ))
    }

    fn is_of(&self, key: &Key) -> bool {
        let (input, signature) = (self.input.as_bytes(), self.signature.as_slice());
        let rsa = |n: &[u8], e: &[u8], parameters| {
            let key = RsaPublicKeyComponents { n, e };
            key.verify(parameters, input, signature).is_ok()
        };
        let verifies = |algorithm: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key)
                .verify(input, signature)
                .is_ok()
        };
        match (self.header.alg.as_str(), &key.material) {
            ("RS256", Material::Rsa { n, e }) => rsa(n, e, &signature::RSA_PKCS1_2048_8192_SHA256),
            ("RS384", Material::Rsa { n, e }) => rsa(n, e, &signature::RSA_PKCS1_2048_8192_SHA384),
            ("RS512", Material::Rsa { n, e }) => rsa(n, e, &signature::RSA_PKCS1_2048_8192_SHA512),
            ("PS256", Material::Rsa { n, e }) => rsa(n, e, &signature::RSA_PSS_2048_8192_SHA256),
            ("PS384", Material::Rsa { n, e }) => rsa(n, e, &signature::RSA_PSS_2048_8192_SHA384),
            ("PS512", Material::Rsa { n, e }) => rsa(n, e, &signature::RSA_PSS_2048_8192_SHA512),
            ("ES256", Material::P256(point)) => verifies(&ECDSA_P256_SHA256_FIXED, point),
            ("ES384", Material::P384(point)) => verifies(&ECDSA_P384_SHA384_FIXED, point),
            ("ES512", Material::P521(point)) => verifies(&ECDSA_P521_SHA512_FIXED, point),
            ("EdDSA", Material::Ed25519(key)) => verifies(&ED25519, key),
            _ => false,
        }
    }
}

impl Key {
    /// Whether a token with this header may be signed with it.
    fn fits(&self, header: &Header) -> bool {
        let is_named = match &header.kid {
            Some(kid) => self.kid.as_ref() == Some(kid),
            None => true,
        };
        is_named && self.alg.as_ref().is_none_or(|alg| *alg == header.alg)
    }

    /// A key that can verify signatures; `None` for any other (RFC 7517 §5: unknown ones are ignored).
    fn read(object: &Object) -> Option<Self> {
        let text = |name: &str| object.text(name).map(Secret::expose);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let purposes = object.list("key_ops");
        if !purposes.is_empty() && !purposes.contains(&"verify") {
            return None;
        }
        let point = |length: usize| {
            let (x, y) = (bytes("x")?, bytes("y")?);
            let fits = x.len() == length && y.len() == length;
            fits.then(|| [&[4][..], &x, &y].concat())
        };
        let material = match (text("kty")?, text("crv")) {
            ("RSA", _) => Material::Rsa {
                n: bytes("n")?,
                e: bytes("e")?,
            },
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("EC", Some("P-521")) => Material::P521(point(66)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes("x")?),
            _ => return None,
        };
        Some(Self {
            kid: text("kid").map(str::to_owned),
            alg: text("alg").map(str::to_owned),
            material,
        })
    }
}

/// The keys of a set that can be used. Those that cannot be read are passed over.
fn read(members: &Object) -> Vec<Key> {
    let Some(Value::List(keys)) = members.get("keys") else {
        return Vec::new();
    };
    let objects = keys.iter().filter_map(|key| match key {
        Value::Object(object) => Some(object),
        _ => None,
    });
    objects.filter_map(Key::read).take(MAX_KEYS).collect()
}

/// Verifies the signature of a token with the keys at this address. They are fetched again for a key that is not known,
/// and at most once a minute.
///
/// # Errors
/// See [`Failure`]; `Unusable` where the signature is not of the provider.
pub(crate) async fn verify(
    http: &Http,
    provider: &Provider,
    uri: &Url,
    signed: &Signed<'_>,
) -> Result<(), Failure> {
    let allowed = &provider.settings.id_token_signing_algs;
    let unusable = |message: String| Failure::Unusable { message };
    signed.check_algorithm(allowed).map_err(unusable)?;
    let boottime = http.servers().clock().boottime();
    let known = http.servers().key_sets.get(uri);
    let fits = |set: &KeySet| set.keys.iter().any(|key| key.fits(&signed.header));
    let age = |set: &KeySet| boottime.saturating_sub(set.fetched_at);
    let known = known.filter(|set| age(set) < MIN_AGE || (fits(set) && age(set) < MAX_AGE));
    let set = match known {
        Some(set) => set,
        None => {
            let keys = Arc::new(fetch(http, provider, uri).await?);
            let set = KeySet {
                keys,
                fetched_at: boottime,
            };
            http.servers().key_sets.keep(uri, set.clone());
            set
        }
    };
    let mut candidates = set.keys.iter().filter(|key| key.fits(&signed.header));
    if candidates.any(|key| signed.is_of(key)) {
        return Ok(());
    }
    let host = tokenry_core::clean(uri.host_str().unwrap_or_default());
    Err(unusable(match fits(&set) {
        true => format!("its signature is not of a key of {host}"),
        false => format!("it is signed with a key that {host} does not list"),
    }))
}

/// The address may be one that the provider's metadata named.
async fn fetch(http: &Http, provider: &Provider, uri: &Url) -> Result<Vec<Key>, Failure> {
    let mut request = Request::new(Vec::new());
    request.headers_mut().insert(
        ACCEPT,
        HeaderValue::from_static("application/jwk-set+json, application/json"),
    );
    let response = http
        .send_outbound(&Outbound::of(provider, uri), uri, request)
        .await?;
    let members = response
        .members()
        .map_err(|failure| failure.without_a_grant(response.status))?;
    Ok(read(&members))
}

impl KeySets {
    fn get(&self, uri: &Url) -> Option<KeySet> {
        let sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sets.get(uri.as_str()).cloned()
    }

    fn keep(&self, uri: &Url, set: KeySet) {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sets.len() >= MAX_SETS && !sets.contains_key(uri.as_str()) {
            sets.clear();
        }
        sets.insert(uri.to_string(), set);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<Key> {
        read(&json::object(text.as_bytes()).unwrap())
    }

    /// Checklist A11.6: keys that cannot be read are ignored.
    #[test]
    fn what_is_no_key_for_signatures_is_passed_over() {
        let good = r#"{"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
        for bad in [
            "7",
            "null",
            "{}",
            "[]",
            r#"{"kty":"oct","k":"c2VjcmV0"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#,
            r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#,
            r#"{"kty":"RSA","n":"!!!","e":"AQAB"}"#,
            r#"{"kty":"RSA","e":"AQAB"}"#,
            r#"{"kty":7}"#,
            &good.replace(r#""kid""#, r#""use":"enc","kid""#),
            &good.replace(r#""kid""#, r#""key_ops":["encrypt"],"kid""#),
        ] {
            let found = keys(&format!(r#"{{"keys":[{bad},{good}]}}"#));
            assert_eq!(found.len(), 1, "{bad}: {found:?}");
            assert_eq!(found[0].kid.as_deref(), Some("k"), "{bad}");
        }
        let many = [good; 200].join(",");
        assert_eq!(keys(&format!(r#"{{"keys":[{many}]}}"#)).len(), MAX_KEYS);
        assert!(keys(r#"{"keys":{}}"#).is_empty() && keys("{}").is_empty());
    }

    /// RFC 7515, appendix A.3.
    #[test]
    fn the_example_of_the_rfc_verifies_and_a_changed_one_does_not() {
        let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let jwk = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
        let key = &keys(jwk)[0];
        let signed = Signed::read(token).unwrap();
        assert!(signed.is_of(key) && key.fits(&signed.header));
        let (head, signature) = token.rsplit_once('.').unwrap();
        let changed = format!("{head}.{}", signature.replacen('D', "E", 1));
        assert!(!Signed::read(&changed).unwrap().is_of(key));
    }

    /// Checklist A11.1: an allow-list of algorithms, never `none`, never HS*.
    #[test]
    fn algorithms_are_taken_from_the_list_alone() {
        let signed = |alg: &str| {
            let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}"}}"#));
            format!("{header}.e30.AA")
        };
        let list = |algs: &[&str]| algs.iter().map(|alg| (*alg).to_owned()).collect::<Vec<_>>();
        for (alg, allowed, is_taken) in [
            ("RS256", list(&[]), true),
            ("EdDSA", list(&[]), true),
            ("ES384", list(&[]), false),
            ("ES384", list(&["ES384"]), true),
            ("RS256", list(&["ES384"]), false),
            ("none", list(&["none"]), false),
            ("None", list(&["None"]), false),
            ("HS256", list(&["HS256"]), false),
            ("HS256", list(&[]), false),
            ("rs256", list(&[]), false),
        ] {
            let token = signed(alg);
            let token = Signed::read(&token).unwrap();
            assert_eq!(
                token.check_algorithm(&allowed).is_ok(),
                is_taken,
                "{alg} {allowed:?}"
            );
        }
    }

    #[test]
    fn what_is_no_signed_token_is_told_and_not_read() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for bad in [
            String::new(),
            "a.b".to_owned(),
            "a.b.c".to_owned(),
            "a.b.c.d.e".to_owned(),
            format!("{}.{}.AA", part("{}"), part("{}")),
            format!("{}.{}.AA", part(r#"{"alg":"ES256","alg":"none"}"#), part("{}")),
            format!(
                "{}.{}.AA",
                part(r#"{"alg":"ES256","crit":["b64"],"b64":false}"#),
                part("{}")
            ),
            format!("{}.{}.AA", part(r#"{"alg":"ES256"}"#), part("[]")),
            format!(
                "{}.{}.AA",
                part(r#"{"alg":"ES256"}"#),
                part(r#"{"sub":"a","sub":"b"}"#)
            ),
            format!("{}.{}.!!", part(r#"{"alg":"ES256"}"#), part("{}")),
        ] {
            assert!(Signed::read(&bad).is_err(), "{bad}");
        }
    }
}
