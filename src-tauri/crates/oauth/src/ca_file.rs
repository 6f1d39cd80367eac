//! The file of a private certificate authority (CA), which a provider's settings name.

use aws_lc_rs::digest::{SHA256, digest};
use reqwest::Certificate;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tokenry_core::clean;

/// More than any system's whole store.
const MAX_BYTES: u64 = 1024 * 1024;

/// The certificates of a file, and what tells two contents apart.
pub(crate) struct CaFile {
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) digest: Vec<u8>,
}

impl CaFile {
    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(crate) fn read(path: &str) -> Result<Self, String> {
        let bytes = bytes(Path::new(path))?;
        // Text that is not PEM, and keys, are passed over.
        let certificates = Certificate::from_pem_bundle(&bytes)
            .map_err(|_| "holds a certificate that is broken: copy it again".to_owned())?;
        if certificates.is_empty() {
            return Err("holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)".to_owned());
        }
        Ok(Self {
            certificates,
            digest: digest(&SHA256, &bytes).as_ref().to_vec(),
        })
    }
}

/// Whether the file at this path can be trusted as a CA file.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub fn check(path: &str) -> Result<(), String> {
    let file = CaFile::read(path)?;
    let builder = reqwest::Client::builder().no_proxy();
    let client = builder.tls_certs_only(file.certificates).build();
    client.map(drop).map_err(|_| UNUSABLE.to_owned())
}

/// What is wrong with a file whose certificates the TLS library does not take.
pub(crate) const UNUSABLE: &str = "holds a certificate that cannot be used";

/// Why a request was not sent.
pub(crate) fn refused(path: &str, wrong: &str) -> String {
    format!(
        "The CA file {} of this provider {wrong}, so nothing was sent. Correct the file, or the provider's setting \
         ca_file.",
        clean(path)
    )
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let unread = |error: std::io::Error| format!("cannot be read: {}", clean(&error.to_string()));
    // A pipe or a device could keep the reader waiting.
    if !path.metadata().map_err(unread)?.is_file() {
        return Err("is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unread)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unread)?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err("is larger than 1 MiB".to_owned()),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A CA, in PEM form.
    fn pem() -> String {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let ca = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap();
        let der = STANDARD.encode(ca.cert.der());
        format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn only_a_bounded_file_of_certificates_is_a_ca_file() {
        let folder = tempfile::tempdir().unwrap();
        let good = pem();
        let long = format!("{good}{}", "#".repeat(MAX_BYTES as usize));
        let body = good.lines().nth(1).unwrap();
        for (content, wrong) in [
            (good.clone(), None),
            (format!("A comment\n{good}\n{good}"), None),
            (good.replace('\n', "\r\n"), None),
            (String::new(), Some("holds no certificate")),
            ("<html>".to_owned(), Some("holds no certificate")),
            (body.to_owned(), Some("holds no certificate")),
            (
                good.replace("CERTIFICATE", "PUBLIC KEY"),
                Some("holds no certificate"),
            ),
            (good.replace(body, "!!!"), Some("is broken")),
            (good.replace(body, "AAAA"), Some("cannot be used")),
            (good.replace(body, &body[..40]), Some("cannot be used")),
            (good.replace("-----END CERTIFICATE-----", ""), Some("is broken")),
            (long, Some("larger than 1 MiB")),
        ] {
            let path = folder.path().join("ca.pem");
            std::fs::write(&path, &content).unwrap();
            let checked = check(path.to_str().unwrap());
            let start: String = content.chars().take(80).collect();
            match (checked, wrong) {
                (Ok(()), None) => {}
                (Err(told), Some(wrong)) => assert!(told.contains(wrong), "{start}: {told}"),
                other => panic!("{start}: {other:?}"),
            }
        }
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        assert!(check(&path("")).unwrap_err().contains("is not a file"));
        assert!(check(&path("missing")).unwrap_err().contains("cannot be read"));
        assert!(check("/dev/zero").unwrap_err().contains("is not a file"));
    }
}
