//! Spill files.

use super::*;
use crate::{remove_spill, spill, spilled};

/// security.md, "Refresh" 6: else a sealed spill file.
#[test]
fn a_spilled_record_is_found_again_and_removed_by_its_name() {
    let home = home();
    spill(home.path(), "tokens-2", b"two").unwrap();
    spill(home.path(), "tokens-1", b"old").unwrap();
    spill(home.path(), "tokens-1", b"one").unwrap();
    let one = ("tokens-1".to_owned(), b"one".to_vec());
    let two = ("tokens-2".to_owned(), b"two".to_vec());
    assert_eq!(spilled(home.path()).unwrap(), [one, two.clone()]);
    assert!(remove_spill(home.path(), "tokens-1").unwrap());
    assert!(!remove_spill(home.path(), "tokens-1").unwrap());
    assert_eq!(spilled(home.path()).unwrap(), [two]);
}

#[test]
fn a_name_that_could_lead_elsewhere_is_refused() {
    let home = home();
    let long = "a".repeat(65);
    for name in ["", "../x", "a/b", "a.b", "A", "ä", "a\0", long.as_str()] {
        assert!(
            matches!(spill(home.path(), name, b"x"), Err(Error::BadName)),
            "{name:?}"
        );
        assert!(
            matches!(remove_spill(home.path(), name), Err(Error::BadName)),
            "{name:?}"
        );
    }
    assert!(contents(home.path()).is_empty());
}

#[test]
fn a_spill_that_was_cut_off_and_strangers_files_are_not_read() {
    let home = home();
    fs::write(home.path().join("tokenry.one.spill.new"), "half").unwrap();
    fs::write(home.path().join("other.spill"), "theirs").unwrap();
    assert!(spilled(home.path()).unwrap().is_empty());
    spill(home.path(), "one", b"whole").unwrap();
    assert_eq!(spilled(home.path()).unwrap().len(), 1);
}

#[test]
fn a_spill_too_large_to_be_ours_is_damage_and_a_link_is_not_followed() {
    let home = home();
    let path = home.path().join("tokenry.one.spill");
    let large = fs::File::create(&path).unwrap();
    large.set_len(crate::spill::MAX_SPILL_BYTES + 1).unwrap();
    assert!(matches!(spilled(home.path()), Err(Error::SpillDamaged { .. })));
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    assert!(matches!(spilled(home.path()), Err(Error::SpillDamaged { .. })));
}

/// security.md, "Refresh" 6: a spill file is never written larger than it can be read.
#[test]
fn a_spill_is_never_written_larger_than_it_can_be_read() {
    let home = home();
    let most = crate::spill::MAX_SPILL_BYTES as usize;
    crate::spill(home.path(), "most", &vec![1; most]).unwrap();
    assert_eq!(crate::spilled(home.path()).unwrap()[0].1.len(), most);
    let error = crate::spill(home.path(), "more", &vec![1; most + 1]).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    assert_eq!(
        crate::spilled(home.path()).unwrap().len(),
        1,
        "nothing was written"
    );
}
