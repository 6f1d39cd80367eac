//! Sealing and opening.

use crate::{Error, KeyringError, MAX_PLAINTEXT, MemoryKeyring, Place, Vault, VaultId, create_with_keyring};
use crate::{id::KeyId, key::Key};
use std::collections::HashSet;
use tokenry_core::{OsRandom, Random, Secret};

const PLACE: Place<'_> = Place {
    table: "tokens",
    row: 42,
    version: 7,
    schema: 1,
};

fn vault(id: u8, key: u8) -> Vault {
    Vault::new(VaultId([id; 16]), KeyId([3; 16]), Key::copied(&[key; 32]))
}

fn number(below: usize) -> usize {
    let mut bytes = [0; 8];
    OsRandom.fill(&mut bytes);
    (u64::from_le_bytes(bytes) % below as u64) as usize
}

#[test]
fn what_was_sealed_opens_at_its_place() {
    let vault = vault(1, 2);
    for length in (0..200).chain((0..40).map(|_| number(70_000))) {
        let mut plain = vec![0; length];
        OsRandom.fill(&mut plain);
        let place = Place {
            row: number(usize::MAX) as i64,
            version: number(1 << 40) as u64,
            ..PLACE
        };
        let sealed = vault.seal(place, &plain, &OsRandom).unwrap();
        assert_eq!(sealed.len(), 1 + 16 + 24 + (length / 64 + 1) * 64 + 16);
        assert_eq!(*vault.open(place, &sealed).unwrap(), plain);
    }
}

/// security.md, "At rest": padded to 64-byte buckets.
#[test]
fn the_length_of_a_record_tells_only_its_bucket() {
    let vault = vault(1, 2);
    let sizes: HashSet<_> = (0..64)
        .map(|length| vault.seal(PLACE, &vec![b'x'; length], &OsRandom).unwrap().len())
        .collect();
    assert_eq!(sizes.len(), 1);
}

/// security.md, "How it is shown": every byte flipped never gives a wrong plaintext.
#[test]
fn a_record_with_any_bit_flipped_or_any_byte_cut_or_added_does_not_open() {
    let vault = vault(1, 2);
    let sealed = vault.seal(PLACE, b"a refresh token", &OsRandom).unwrap();
    for position in 0..sealed.len() {
        for bit in 0..8 {
            let mut other = sealed.clone();
            other[position] ^= 1 << bit;
            assert_eq!(damaged(&vault, PLACE, &other), "tokens");
        }
        assert_eq!(damaged(&vault, PLACE, &sealed[..position]), "tokens");
        assert_eq!(damaged(&vault, PLACE, &sealed[position + 1..]), "tokens");
    }
    assert_eq!(damaged(&vault, PLACE, &[&sealed[..], b"\0"].concat()), "tokens");
}

fn damaged(vault: &Vault, place: Place<'_>, sealed: &[u8]) -> String {
    match vault.open(place, sealed) {
        Err(Error::RecordDamaged { table }) => table,
        other => panic!("{:?}", other.map(|_| "it opened")),
    }
}

/// security.md, "At rest": a row moved, swapped or put back fails to open.
#[test]
fn a_record_opens_nowhere_else() {
    let home = vault(1, 2);
    let sealed = home.seal(PLACE, b"secret", &OsRandom).unwrap();
    for place in [
        Place {
            table: "providers",
            ..PLACE
        },
        Place {
            table: "token",
            ..PLACE
        },
        Place { row: 43, ..PLACE },
        Place { row: -42, ..PLACE },
        Place { version: 6, ..PLACE },
        Place { version: 8, ..PLACE },
        Place { schema: 2, ..PLACE },
    ] {
        assert_eq!(damaged(&home, place, &sealed), place.table);
    }
    assert_eq!(
        damaged(&vault(9, 2), PLACE, &sealed),
        "tokens",
        "another vault's id"
    );
    assert_eq!(damaged(&vault(1, 9), PLACE, &sealed), "tokens", "another key");
    assert_eq!(*home.open(PLACE, &sealed).unwrap(), b"secret");
}

#[test]
fn two_seals_of_one_plaintext_have_nothing_in_common() {
    let vault = vault(1, 2);
    let first = vault.seal(PLACE, &[0; 63], &OsRandom).unwrap();
    let second = vault.seal(PLACE, &[0; 63], &OsRandom).unwrap();
    let same = first[17..]
        .iter()
        .zip(&second[17..])
        .filter(|(a, b)| a == b)
        .count();
    assert!(same < 16, "{same} of 104 bytes are alike");
}

#[test]
fn a_record_that_is_too_large_is_refused_with_its_table_and_size() {
    let huge = vec![0; MAX_PLAINTEXT + 1];
    let error = vault(1, 2).seal(PLACE, &huge, &OsRandom).unwrap_err();
    assert_eq!(
        error,
        Error::TooLarge {
            table: "tokens".into(),
            size: MAX_PLAINTEXT + 1
        }
    );
    assert!(vault(1, 2).open(PLACE, &vec![1; MAX_PLAINTEXT + 500]).is_err());
}

#[test]
fn keyed_hashes_differ_by_every_input_and_by_vault() {
    let (one, other) = (vault(1, 2), vault(1, 3));
    let lookups = [
        one.lookup("a", "bc"),
        one.lookup("ab", "c"),
        one.lookup("a", "bC"),
        other.lookup("a", "bc"),
        vault(2, 2).lookup("a", "bc"),
    ];
    assert_eq!(HashSet::from(lookups).len(), 5);
    let terms = [
        one.row_sum("a", 1, 2),
        one.row_sum("b", 1, 2),
        one.row_sum("a", 2, 1),
        one.row_sum("a", 1, 3),
        other.row_sum("a", 1, 2),
    ];
    assert_eq!(HashSet::from(terms).len(), 5);
    let steps = [
        one.chain(&[0; 32], b"x"),
        one.chain(&[1; 32], b"x"),
        one.chain(&[0; 32], b"y"),
    ];
    assert_eq!(HashSet::from(steps).len(), 3);
    let secret = Secret::new("s".into());
    assert_ne!(one.fingerprint(&secret), other.fingerprint(&secret));
    assert_eq!(one.fingerprint(&secret).len(), 16);
}

#[test]
fn clones_share_one_ring_and_many_threads_may_use_it() {
    let keyring = MemoryKeyring::new();
    let vault = create_with_keyring(&keyring, &OsRandom).unwrap().vault;
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let vault = vault.clone();
            scope.spawn(move || {
                for round in 0..50 {
                    let table = format!("table{}", (thread + round) % 5);
                    let place = Place {
                        table: &table,
                        ..PLACE
                    };
                    let sealed = vault.seal(place, b"x", &OsRandom).unwrap();
                    assert_eq!(*vault.open(place, &sealed).unwrap(), b"x");
                }
            });
        }
    });
    let vault_is = |_: &(dyn Send + Sync)| ();
    vault_is(&vault);
}

#[test]
fn debug_shows_no_key_and_errors_no_plaintext() {
    let vault = vault(1, 0xC3);
    let shown = format!("{vault:?}");
    assert_eq!(shown, "Vault(01010101010101010101010101010101, unlocked, …)");
    let error = vault.open(PLACE, &[0; 200]).unwrap_err();
    assert!(error.to_string().contains("tokens"));
    assert_eq!(
        Error::from(KeyringError::Locked).to_string(),
        KeyringError::Locked.to_string()
    );
}
