//! Authorization codes, kept in memory as keyed hashes until they are used.

use std::{collections::BTreeSet, time::Duration};
use tokenry_core::{ApiScope, AppId, GrantId, IssuedId};

/// A code lives this long at most (A13.2), by a clock that cannot be set back.
const CODE_LIFETIME: Duration = Duration::from_secs(60);
/// And is remembered this long, to know it when it comes again.
const USED_CODE_KEPT: Duration = Duration::from_secs(600);
/// How many codes there may be. Only apps that need not ask could make more.
const MAX_CODES: usize = 256;

/// What a code is good for, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) app: AppId,
    pub(super) grant: GrantId,
    pub(super) scopes: BTreeSet<ApiScope>,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
}

/// The codes that were issued lately, as keyed hashes; in memory only.
#[derive(Default)]
pub(super) struct Codes(Vec<Code>);

struct Code {
    hash: [u8; 32],
    bound: Bound,
    issued_at: Duration,
    spent: Option<Spent>,
}

struct Spent {
    family: IssuedId,
    revoked: bool,
}

/// What a code that was presented is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Presented {
    /// It is good, this once.
    Good(Box<Bound>),
    /// It was used before: whatever it gave has to end.
    Again(IssuedId),
    /// There is none, it is too old, or it is another client's.
    Unknown,
}

impl Codes {
    /// Keeps a new code; `false` when there are too many.
    pub(super) fn keep(&mut self, hash: [u8; 32], bound: Bound, now: Duration) -> bool {
        self.0.retain(|code| age(code, now) < USED_CODE_KEPT);
        if self.0.len() >= MAX_CODES {
            return false;
        }
        self.0.push(Code {
            hash,
            bound,
            issued_at: now,
            spent: None,
        });
        true
    }

    /// Uses a code up; what it gives will be of this family. It is used up even if its redirect URI or verifier turn
    /// out to be wrong: a guess costs the code.
    pub(super) fn present(
        &mut self,
        hash: &[u8; 32],
        app: AppId,
        family: IssuedId,
        now: Duration,
    ) -> Presented {
        let same = |code: &&mut Code| tokenry_core::same_bytes(&code.hash, hash);
        let Some(code) = self.0.iter_mut().find(same) else {
            return Presented::Unknown;
        };
        if age(code, now) >= USED_CODE_KEPT {
            return Presented::Unknown;
        }
        if let Some(spent) = &mut code.spent {
            spent.revoked = true;
            return Presented::Again(spent.family);
        }
        if code.bound.app != app || age(code, now) >= CODE_LIFETIME {
            return Presented::Unknown;
        }
        code.spent = Some(Spent {
            family,
            revoked: false,
        });
        Presented::Good(Box::new(code.bound.clone()))
    }

    /// Whether the code of this family was presented again while its tokens were being made.
    pub(super) fn is_revoked(&self, family: IssuedId) -> bool {
        let spent = self.0.iter().filter_map(|code| code.spent.as_ref());
        spent
            .into_iter()
            .any(|spent| spent.family == family && spent.revoked)
    }
}

fn age(code: &Code, now: Duration) -> Duration {
    now.saturating_sub(code.issued_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_core::{OsRandom, SystemClock};

    fn bound() -> Bound {
        Bound {
            app: AppId::new(&SystemClock, &OsRandom),
            grant: GrantId::new(&SystemClock, &OsRandom),
            scopes: [ApiScope::TokensRead].into(),
            redirect_uri: "https://app.example/cb".to_owned(),
            challenge: "c".to_owned(),
        }
    }

    fn family() -> IssuedId {
        IssuedId::new(&SystemClock, &OsRandom)
    }

    fn at(second: u64) -> Duration {
        Duration::from_secs(1000 + second)
    }

    /// A13.2: one use, 60 seconds, and what it gave is known when it comes again.
    #[test]
    fn a_code_works_once_within_a_minute_and_is_known_again_for_ten() {
        let (bound, first) = (bound(), family());
        let mut codes = Codes::default();
        assert!(codes.keep([1; 32], bound.clone(), at(0)));
        assert_eq!(
            codes.present(&[2; 32], bound.app, family(), at(1)),
            Presented::Unknown
        );
        let good = Presented::Good(Box::new(bound.clone()));
        assert_eq!(codes.present(&[1; 32], bound.app, first, at(59)), good);
        assert!(!codes.is_revoked(first));
        for second in [59, 60, 599] {
            let again = codes.present(&[1; 32], bound.app, family(), at(second));
            assert_eq!(again, Presented::Again(first));
        }
        assert!(codes.is_revoked(first));
        assert_eq!(
            codes.present(&[1; 32], bound.app, family(), at(600)),
            Presented::Unknown
        );
    }

    #[test]
    fn a_minute_later_it_is_good_for_nothing() {
        let bound = bound();
        let mut codes = Codes::default();
        assert!(codes.keep([1; 32], bound.clone(), at(0)));
        assert_eq!(
            codes.present(&[1; 32], bound.app, family(), at(60)),
            Presented::Unknown
        );
    }

    #[test]
    fn another_client_neither_uses_a_code_nor_uses_it_up() {
        let (bound, other) = (bound(), AppId::new(&SystemClock, &OsRandom));
        let mut codes = Codes::default();
        assert!(codes.keep([1; 32], bound.clone(), at(0)));
        assert_eq!(
            codes.present(&[1; 32], other, family(), at(1)),
            Presented::Unknown
        );
        let good = Presented::Good(Box::new(bound.clone()));
        assert_eq!(codes.present(&[1; 32], bound.app, family(), at(2)), good);
    }

    #[test]
    fn there_are_never_more_than_a_few_hundred() {
        let mut codes = Codes::default();
        let kept = (0..300_u16).filter(|n| {
            let mut hash = [0; 32];
            hash[..2].copy_from_slice(&n.to_le_bytes());
            codes.keep(hash, bound(), at(0))
        });
        assert_eq!(kept.count(), MAX_CODES);
        assert!(codes.keep([9; 32], bound(), at(600)));
    }
}
