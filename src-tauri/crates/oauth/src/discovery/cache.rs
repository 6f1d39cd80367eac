//! Documents that a server gave an ETag, so that it need not send them again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokenry_core::{Timestamp, later};
use url::Url;

/// How long a document is kept.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// How many are kept.
const MAX_DOCUMENTS: usize = 16;

/// Documents by their address. They are public, and asked about each time (RFC 9110 §13.1.2).
#[derive(Debug, Default)]
pub struct Cache(Mutex<BTreeMap<Url, Document>>);

#[derive(Debug, Clone)]
struct Document {
    etag: String,
    body: Vec<u8>,
    ends_at: Timestamp,
}

impl Cache {
    /// The ETag of what is kept, and its bytes.
    pub(super) fn get(&self, url: &Url, now: Timestamp) -> Option<(String, Vec<u8>)> {
        let mut documents = self.lock();
        documents.retain(|_, document| document.ends_at > now);
        let document = documents.get(url)?;
        Some((document.etag.clone(), document.body.clone()))
    }

    pub(super) fn put(&self, url: &Url, etag: &str, body: &[u8], now: Timestamp) {
        let mut documents = self.lock();
        if documents.len() >= MAX_DOCUMENTS && !documents.contains_key(url) {
            let oldest = documents.iter().min_by_key(|(_, document)| document.ends_at);
            if let Some(oldest) = oldest.map(|(url, _)| url.clone()) {
                documents.remove(&oldest);
            }
        }
        let document = Document {
            etag: etag.to_owned(),
            body: body.to_vec(),
            ends_at: later(now, LIFETIME),
        };
        documents.insert(url.clone(), document);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Url, Document>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checklist A6.13.
    #[test]
    fn a_document_is_kept_for_a_day_and_sixteen_at_most() {
        let cache = Cache::default();
        let start = Timestamp::UNIX_EPOCH;
        let url = |number: usize| format!("https://as.example/{number}").parse::<Url>().unwrap();
        cache.put(&url(0), "\"a\"", b"{}", start);
        assert_eq!(
            cache.get(&url(0), start),
            Some(("\"a\"".to_owned(), b"{}".to_vec()))
        );
        assert_eq!(cache.get(&url(0), later(start, LIFETIME)), None);
        for number in 0..20 {
            let at = later(start, Duration::from_secs(number as u64));
            cache.put(&url(number), "\"b\"", b"{}", at);
        }
        let kept = (0..20)
            .filter(|number| cache.get(&url(*number), start).is_some())
            .count();
        assert_eq!(kept, MAX_DOCUMENTS);
        assert!(cache.get(&url(19), start).is_some());
    }
}
