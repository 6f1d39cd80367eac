//! The states of a keyring (security.md, "Keys"): each has its own error, and none of them makes a key.

use crate::session::Session;

pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "a_first_run_writes_one_item_that_opens_the_vault_after_a_restart",
        first_run_and_restart,
    ),
    ("without_a_bus_or_a_service_the_keyring_is_absent", absent),
    ("without_a_default_keyring_nothing_is_made", no_default),
    ("a_locked_keyring_without_a_display_says_locked", locked),
    ("a_deleted_item_is_missing_and_stays_so", deleted),
    ("an_item_written_by_another_program_is_not_ours", replaced),
    ("the_item_of_another_vault_is_another_key", another_key),
    ("two_items_for_one_vault_are_ambiguous", ambiguous),
    ("a_process_sleeps_after_a_keyring_call", idle),
];

fn unlocked() -> (Session, String) {
    let mut session = Session::start();
    session.start_keyring(Some("test password"));
    let vault = session.path("vault");
    assert_eq!(session.step(&format!("create {vault}")), "done");
    (session, vault)
}

fn first_run_and_restart() {
    let (mut session, vault) = unlocked();
    assert_eq!(session.step(&format!("unlock {vault}")), "open, floor 0");
    assert_eq!(session.step(&format!("raise {vault} 7")), "done");
    let found = session.secret_tool(&["search", "--all"], &vault, &[], "");
    assert!(found.contains("label = Tokenry vault key"), "{found}");
    assert_eq!(
        found.matches("label = ").count(),
        1,
        "raising the floor wrote the same item: {found}"
    );

    session.stop_last();
    session.start_keyring(Some("test password"));
    assert_eq!(session.step(&format!("unlock {vault}")), "open, floor 7");
    assert_eq!(session.step(&format!("raise {vault} 3")), "done");
    assert_eq!(session.step(&format!("unlock {vault}")), "open, floor 7");

    let other = session.path("other");
    assert_eq!(session.step(&format!("create {other}")), "done");
    assert_eq!(session.step(&format!("unlock {vault}")), "open, floor 7");
    assert_eq!(session.step(&format!("unlock {other}")), "open, floor 0");
}

fn absent() {
    let (mut session, vault) = unlocked();
    session.stop_last();
    assert_eq!(
        session.step(&format!("unlock {vault}")),
        "Keyring(Absent)",
        "a bus without the service"
    );
    session.stop_last();
    assert_eq!(
        session.step(&format!("unlock {vault}")),
        "Keyring(Absent)",
        "a bus that is gone"
    );
    assert_eq!(
        session.step(&format!("create {}", session.path("new"))),
        "Keyring(Absent)"
    );
    assert!(!std::path::Path::new(&session.path("new")).exists());
}

fn no_default() {
    let mut session = Session::start();
    session.start_keyring(None);
    assert_eq!(
        session.step(&format!("create {}", session.path("new"))),
        "Keyring(NoDefault)"
    );
    assert_eq!(session.items(), 0);
}

fn locked() {
    let (mut session, vault) = unlocked();
    session.stop_last();
    session.start_keyring(None);
    assert_eq!(session.step(&format!("unlock {vault}")), "Keyring(Locked)");
    assert_eq!(session.step(&format!("raise {vault} 9")), "Keyring(Locked)");
    session.stop_last();
    session.start_keyring(Some("test password"));
    assert_eq!(session.step(&format!("unlock {vault}")), "open, floor 0");
}

fn deleted() {
    let (session, vault) = unlocked();
    session.secret_tool(&["clear"], &vault, &[], "");
    for _ in 0..2 {
        assert_eq!(session.step(&format!("unlock {vault}")), "KeyringItemMissing");
        assert_eq!(session.step(&format!("raise {vault} 9")), "KeyringItemMissing");
    }
    assert_eq!(session.items(), 0);
}

fn replaced() {
    let (session, vault) = unlocked();
    session.secret_tool(&["store", "--label", "Tokenry vault key"], &vault, &[], "hunter2");
    assert_eq!(session.step(&format!("unlock {vault}")), "KeyringItemNotOurs");
    assert_eq!(session.step(&format!("raise {vault} 9")), "KeyringItemNotOurs");
    assert_eq!(
        session.secret_tool(&["lookup"], &vault, &[], ""),
        "hunter2",
        "left as it was"
    );
}

fn another_key() {
    let (session, vault) = unlocked();
    let other = session.path("other");
    assert_eq!(session.step(&format!("create {other}")), "done");
    assert_eq!(session.step(&format!("copy {other} {vault}")), "done");
    assert_eq!(session.step(&format!("unlock {vault}")), "KeyringHoldsAnotherKey");
    assert_eq!(session.step(&format!("unlock {other}")), "open, floor 0");
}

fn ambiguous() {
    let (session, vault) = unlocked();
    session.secret_tool(
        &["store", "--label", "copy"],
        &vault,
        &["made-by", "another"],
        "hunter2",
    );
    assert_eq!(session.step(&format!("unlock {vault}")), "Keyring(Ambiguous)");
    assert_eq!(session.step(&format!("raise {vault} 9")), "Keyring(Ambiguous)");
}

/// The aim of two wake-ups a minute leaves nothing for a connection that is kept open.
fn idle() {
    let (session, vault) = unlocked();
    assert_eq!(session.step(&format!("idle {vault}")), "awake: []");
}
