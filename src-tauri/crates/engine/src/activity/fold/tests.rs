//! security.md, "At rest" and "Local interfaces": repeats are folded, per caller, operation and rule.

use super::*;
use tokenry_core::{OsRandom, RequestId, SystemClock, Timestamp};

fn refused(caller: Caller, second: i64) -> Event {
    Event {
        id: EventId::new(&SystemClock, &OsRandom),
        at: Timestamp::from_second(second).unwrap(),
        kind: EventKind::TokenHandedOut,
        caller,
        provider: None,
        connection: None,
        credential: None,
        app: None,
        outcome: Outcome::Refused,
        rule: Some(Rule::Denied),
        detail: Some(format!("at {second}")),
        token_expires_at: None,
        token_scopes: None,
        request_id: Some(RequestId::new(&SystemClock, &OsRandom)),
        count: 1,
        first_at: None,
    }
}

fn program(path: &str, pid: u32) -> Caller {
    Caller::Program(Peer {
        pid,
        program: Some(path.to_owned()),
        ..tokenry_peer::unknown()
    })
}

#[test]
fn the_first_is_written_at_once_and_repeats_as_the_same_line_with_the_whole_count() {
    let (mut folds, begun) = (Folds::default(), Instant::now());
    assert!(folds.add(refused(program("/a", 1), 100), begun));
    let first = folds.take(false, begun);
    assert_eq!((first.len(), first[0].count, first[0].first_at), (1, 1, None));
    assert!(folds.due().is_none(), "nothing waits, so no timer runs");
    assert!(
        folds.add(refused(program("/a", 1), 101), begun),
        "there is something to wait for"
    );
    for second in 102..1100 {
        assert!(!folds.add(refused(program("/a", 2), second), begun));
    }
    assert!(folds.take(false, begun).is_empty(), "not yet");
    let due = folds.due().unwrap();
    let line = folds.take(false, due).remove(0);
    assert_eq!((line.id, line.count), (first[0].id, 1000));
    assert_eq!(line.first_at, Some(first[0].at));
    assert_eq!(line.detail.as_deref(), Some("at 1099"));
    assert_eq!(line.caller, program("/a", 0), "several processes: none is named");
    assert!(folds.due().is_none());
    // Not written: the next try has all of it.
    folds.put_back(vec![line]);
    assert_eq!(folds.take(false, due)[0].count, 1000);
}

#[test]
fn another_caller_kind_target_or_rule_is_another_line() {
    let (mut folds, now) = (Folds::default(), Instant::now());
    let with = |change: &dyn Fn(&mut Event)| {
        let mut event = refused(program("/a", 1), 1);
        change(&mut event);
        event
    };
    let connection = ConnectionId::new(&SystemClock, &OsRandom);
    for event in [
        with(&|_| {}),
        with(&|event| event.caller = program("/b", 1)),
        with(&|event| event.caller = Caller::Ui),
        with(&|event| event.kind = EventKind::Disconnected),
        with(&|event| event.outcome = Outcome::Failed),
        with(&|event| event.connection = Some(connection)),
        with(&|event| event.rule = Some(Rule::Unanswered)),
    ] {
        assert!(folds.add(event.clone(), now));
        assert!(!folds.add(event, now));
    }
    assert_eq!(folds.take(true, now).len(), 7);
}

#[test]
fn what_happens_again_much_later_is_a_new_line_and_nothing_of_the_old_one_is_lost() {
    let (mut folds, begun) = (Folds::default(), Instant::now());
    for _ in 0..3 {
        folds.add(refused(program("/a", 1), 1), begun);
    }
    folds.add(refused(program("/a", 1), 2), begun + SERIES_TIMEOUT);
    let counts: Vec<_> = folds
        .take(true, begun + SERIES_TIMEOUT)
        .iter()
        .map(|line| line.count)
        .collect();
    assert_eq!(counts, [3, 1]);
}

/// Memory and disk are bounded, however many programs it are; the user's own lines are not among theirs.
#[test]
fn of_very_many_programs_most_are_one_line_and_the_users_own_stays_apart() {
    let (mut folds, begun) = (Folds::default(), Instant::now());
    for number in 0..100_000 {
        folds.add(refused(program(&format!("/copy-{number}"), number), 1), begun);
    }
    folds.add(refused(Caller::Ui, 2), begun);
    let lines = folds.take(true, begun);
    assert!(lines.len() <= MAX_SERIES, "{}", lines.len());
    assert_eq!(lines.iter().map(|line| line.count).sum::<u64>(), 100_001);
    assert!(
        lines
            .iter()
            .any(|line| line.caller == Caller::Ui && line.count == 1)
    );
}
