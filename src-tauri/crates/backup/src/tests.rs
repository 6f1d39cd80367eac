//! The format: what is written is read; whatever is changed or cut off is an error.

use super::*;
use age::x25519::Identity;
use serde_json::json;
use std::io::Write as _;
use tokenry_core::{Secret, Timestamp};

const PASSPHRASE: &str = "correct horse battery";

fn entries() -> Vec<Entry> {
    let at = "2026-11-29T06:58:11Z";
    let provider = json!({
        "id": "01890a5d-ac96-774b-bcce-b302099a8057", "project": "default", "name": "github",
        "client_secret": "top secret", "display_name": "GitHub", "client_id": "tokenry",
        "token_endpoint": "https://github.example/token", "created_at": at, "updated_at": at,
    });
    let connection = json!({
        "id": "01890a5d-ac96-774b-bcce-b302099a8058", "provider": "01890a5d-ac96-774b-bcce-b302099a8057",
        "label": "work", "status": "active", "requested_scopes": ["read"], "refresh_token": "refresh me",
        "created_at": at,
    });
    vec![
        Entry::Provider(serde_json::from_value(provider).unwrap()),
        Entry::Connection(serde_json::from_value(connection).unwrap()),
    ]
}

fn header(entries: &[Entry]) -> Header {
    let mut counts = Counts::default();
    entries.iter().for_each(|entry| counts.add(entry));
    Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        vault: "ab".repeat(16),
        made_at: Timestamp::from_second(1_796_000_000).unwrap(),
        with_refresh_tokens: true,
        counts,
    }
}

fn write(seal: &Seal, entries: &[Entry]) -> (Vec<u8>, Key, Digest) {
    let (prepared, key) = seal.prepare().unwrap();
    let mut writer = prepared.begin(Vec::new(), &header(entries)).unwrap();
    for entry in entries {
        writer.put(entry).unwrap();
    }
    let (bytes, digest) = writer.finish().unwrap();
    (bytes, key, digest)
}

/// Everything in a file, or the first error.
fn read(bytes: &[u8], key: &Key) -> Result<(Vec<Entry>, Digest), Error> {
    let mut reader = Reader::open(bytes, key)?;
    let mut all = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        all.push(entry);
    }
    Ok((
        all,
        reader
            .digest()
            .expect("a file that was read to its end has a digest"),
    ))
}

fn for_identity(identity: &Identity) -> Seal {
    Seal::recipients(&[identity.to_public().to_string()]).unwrap()
}

fn key_of(identity: &Identity) -> Key {
    use age::secrecy::ExposeSecret as _;
    let content = format!("# a comment\n\n{}\n", identity.to_string().expose_secret());
    Key::identities(&Secret::new(content)).unwrap()
}

fn cheap(work_factor: u8) -> Seal {
    Seal::Passphrase {
        passphrase: Secret::new(PASSPHRASE.to_owned()),
        work_factor,
    }
}

fn passphrase(text: &str) -> Key {
    Key::passphrase(&Secret::new(text.to_owned()))
}

/// An age file with any plaintext.
fn file_of(plain: &[u8], identity: &Identity) -> Vec<u8> {
    age::encrypt(&identity.to_public(), plain).unwrap()
}

#[test]
fn what_is_written_is_read_by_each_recipient_and_by_the_key_of_the_file() {
    let (one, other) = (Identity::generate(), Identity::generate());
    let seal = Seal::recipients(&[one.to_public().to_string(), other.to_public().to_string()]).unwrap();
    let (bytes, key, digest) = write(&seal, &entries());
    for key in [key, key_of(&one), key_of(&other)] {
        let (read, found) = read(&bytes, &key).unwrap();
        let json = |entries: &[Entry]| serde_json::to_value(entries).unwrap();
        assert_eq!((json(&read), found), (json(&entries()), digest));
    }
    assert!(!String::from_utf8_lossy(&bytes).contains("github"));
}

#[test]
fn a_passphrase_opens_it_and_no_other_one_does() {
    let (bytes, key, digest) = write(&cheap(10), &entries());
    assert_eq!(read(&bytes, &key).unwrap().1, digest);
    assert!(matches!(
        read(&bytes, &passphrase("another")),
        Err(Error::WrongPassphrase)
    ));
    let identity = Identity::generate();
    assert!(matches!(
        read(&bytes, &key_of(&identity)),
        Err(Error::NeedsPassphrase)
    ));
    let (bytes, ..) = write(&for_identity(&identity), &entries());
    assert!(matches!(
        read(&bytes, &passphrase(PASSPHRASE)),
        Err(Error::NeedsIdentity)
    ));
    assert!(matches!(
        read(&bytes, &key_of(&Identity::generate())),
        Err(Error::WrongIdentity)
    ));
}

#[test]
fn every_flipped_bit_and_every_length_of_a_backup_is_an_error() {
    let identity = Identity::generate();
    let key = key_of(&identity);
    let (bytes, ..) = write(&for_identity(&identity), &entries());
    read(&bytes, &key).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let error = read(&changed, &key).expect_err("a changed byte was not noticed");
        assert!(!error.to_string().contains("refresh me"), "{error}");
        let error = read(&bytes[..at], &key).expect_err("a cut was not noticed");
        assert!(!matches!(error, Error::Io(_)), "{at}: {error}");
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    assert!(read(&longer, &key).is_err());
}

/// age authenticates the file. A program that encrypts one can still leave out its end.
#[test]
fn a_plaintext_without_its_last_line_or_with_another_is_an_error() {
    let identity = Identity::generate();
    let key = key_of(&identity);
    let (bytes, ..) = write(&for_identity(&identity), &entries());
    let plain = age::decrypt(&identity, &bytes).unwrap();
    let lines: Vec<&[u8]> = plain.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 4);
    let of = |lines: &[&[u8]]| read(&file_of(&lines.concat(), &identity), &key).map(drop);
    of(&lines).unwrap();
    for cut in 1..lines.len() {
        assert!(matches!(of(&lines[..cut]), Err(Error::Damaged(_))), "{cut}");
    }
    let [head, first, second, last] = lines[..] else {
        panic!()
    };
    for wrong in [
        vec![head, first, last],
        vec![head, second, first, last],
        vec![head, first, second, second, last],
        vec![head, first, second, last, last],
        vec![head, first, second, last, b"x"],
        vec![head, first, second, &last[..last.len() - 1]],
    ] {
        assert!(matches!(
            of(&wrong),
            Err(Error::Damaged(_) | Error::BadEntry { .. })
        ));
    }
}

#[test]
fn other_files_are_told_apart() {
    let identity = Identity::generate();
    let key = key_of(&identity);
    let of = |plain: &[u8]| read(&file_of(plain, &identity), &key).unwrap_err();
    for other in [
        &b""[..],
        b"hello",
        b"{}\n",
        b"{\"format\":\"x\",\"version\":1}\n",
        b"[]\n",
    ] {
        assert!(
            matches!(of(other), Error::NotABackup | Error::Damaged(_)),
            "{other:?}"
        );
    }
    let newer = b"{\"format\":\"tokenry-backup\",\"version\":2,\"more\":[]}\n";
    assert!(matches!(of(newer), Error::Newer { found: 2 }));
    assert!(matches!(
        of(b"{\"format\":\"tokenry-backup\",\"version\":1}\n"),
        Error::BadEntry { line: 1 }
    ));
    for (file, what) in [
        (&b""[..], "empty"),
        (b"x", "short"),
        (&[0; 4096], "zeros"),
        (b"SQLite format 3\0", "another"),
    ] {
        assert!(matches!(read(file, &key), Err(Error::NotAge)), "{what}");
    }
    assert!(matches!(
        read(b"age-encryption.org/v2\nmore\n--- x", &key),
        Err(Error::NotAge | Error::Damaged(_))
    ));
}

#[test]
fn an_entry_that_is_none_is_named_by_its_line() {
    let identity = Identity::generate();
    let head = serde_json::to_string(&header(&[])).unwrap();
    for line in [
        "{}",
        "{\"grant\":{}}",
        "null",
        "{\"provider\":{}}",
        "{\"provider\":null,\"end\":null}",
        "{\"end\":1}",
        "\u{0}",
    ] {
        let file = file_of(format!("{head}\n{line}\n").as_bytes(), &identity);
        let error = read(&file, &key_of(&identity)).unwrap_err();
        assert!(matches!(error, Error::BadEntry { line: 2 }), "{line}: {error}");
    }
}

#[test]
fn hostile_sizes_are_refused() {
    let identity = Identity::generate();
    let key = key_of(&identity);
    let head = serde_json::to_string(&header(&[])).unwrap();
    let mut plain = format!("{head}\n").into_bytes();
    plain.resize(plain.len() + usize::try_from(MAX_LINE_BYTES).unwrap() + 1, b'x');
    assert!(matches!(
        read(&file_of(&plain, &identity), &key),
        Err(Error::TooLarge)
    ));
    let mut endless = b"age-encryption.org/v1\n".to_vec();
    while endless.len() < 64 * 1024 {
        endless.extend_from_slice(b"-> X25519 AAAA\nAAAA\n");
    }
    assert!(matches!(read(&endless, &key), Err(Error::HeaderTooLarge)));
    let many: Vec<String> = (0..=MAX_RECIPIENTS)
        .map(|_| identity.to_public().to_string())
        .collect();
    assert!(matches!(Seal::recipients(&many), Err(Error::RecipientCount)));
    // As many as are allowed have a header that is read.
    let (bytes, ..) = write(&Seal::recipients(&many[1..]).unwrap(), &entries());
    read(&bytes, &key).unwrap();
}

/// The work factor stands in the header in the clear: it is looked at before anything is computed.
#[test]
fn a_hostile_work_factor_is_refused_before_anything_is_computed() {
    let (bytes, ..) = write(&cheap(10), &entries());
    let text = String::from_utf8_lossy(&bytes[..200]).into_owned();
    let at = text
        .find(" 10\n")
        .expect("the work factor stands at the end of its line")
        + 1;
    for (factor, required) in [("21", 21), ("30", 30), ("63", 63)] {
        let mut hostile = bytes.clone();
        hostile.splice(at..at + 2, factor.bytes());
        let begun = std::time::Instant::now();
        let error = read(&hostile, &passphrase(PASSPHRASE)).unwrap_err();
        assert!(
            matches!(error, Error::TooMuchWork { required: found } if found == required),
            "{error}"
        );
        assert!(begun.elapsed() < std::time::Duration::from_secs(2));
    }
    for factor in ["64", "99", "00", "-1", "0a", "255", "4294967296"] {
        let mut hostile = bytes.clone();
        hostile.splice(at..at + 2, factor.bytes());
        assert!(read(&hostile, &passphrase(PASSPHRASE)).is_err(), "{factor}");
    }
}

#[test]
fn a_recipient_or_an_identity_that_is_none_is_told_and_not_repeated() {
    let identity = Identity::generate();
    use age::secrecy::ExposeSecret as _;
    let secret = identity.to_string().expose_secret().to_owned();
    let good = identity.to_public().to_string();
    let of = |texts: &[&str]| {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Seal::recipients(&texts).map(drop).unwrap_err()
    };
    assert!(matches!(of(&[]), Error::RecipientCount));
    for bad in [
        "",
        "age1",
        "ssh-ed25519 AAAA",
        "age1pqxxxx",
        &good[..good.len() - 1],
        &good.replace('1', "l"),
    ] {
        assert!(matches!(of(&[&good, bad]), Error::BadRecipient(2)), "{bad}");
    }
    let told = of(&[&secret]);
    assert!(matches!(told, Error::SecretAsRecipient(1)), "{told}");
    assert!(!told.to_string().contains(&secret[20..]), "{told}");
    for bad in [
        "",
        "# only a comment\n",
        "AGE-SECRET-KEY-1AAAA",
        &good,
        &format!("{secret}\nmore"),
    ] {
        let error = Key::identities(&Secret::new(bad.to_owned()))
            .map(drop)
            .unwrap_err();
        assert!(matches!(error, Error::BadIdentity), "{bad}");
    }
}

#[test]
fn a_disk_that_takes_no_more_is_an_error_of_writing() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            match self.0.checked_sub(bytes.len()) {
                Some(left) => {
                    self.0 = left;
                    Ok(bytes.len())
                }
                None => Err(std::io::ErrorKind::StorageFull.into()),
            }
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let seal = for_identity(&Identity::generate());
    let all = entries();
    let whole = write(&seal, &all).0.len();
    // The header has a stanza of random length, so no two files are of the same size.
    for room in [0, 10, 250, whole / 2] {
        let (prepared, _) = seal.prepare().unwrap();
        let written = prepared.begin(Full(room), &header(&all)).and_then(|mut writer| {
            all.iter().try_for_each(|entry| writer.put(entry))?;
            let (mut file, _) = writer.finish()?;
            file.flush().map_err(Error::Io)
        });
        let is_full = |error: &std::io::Error| error.kind() == std::io::ErrorKind::StorageFull;
        assert!(
            matches!(&written, Err(Error::Io(error)) if is_full(error)),
            "{room}: {written:?}"
        );
    }
}
