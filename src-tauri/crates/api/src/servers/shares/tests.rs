//! SECURITY.md, "Local interfaces": connections, streams and waiting requests are limited, per program and in total.

use super::*;

fn peer(program: &str, pid: u32, session: u32) -> Peer {
    Peer {
        uid: 1000,
        pid,
        started: u64::from(pid),
        program: Some(program.to_owned()),
        session: Some(session),
        helper: None,
        remote: None,
    }
}

/// Admits a connection with a request under way, which cannot be asked to close.
fn busy(shares: &Arc<Shares>, peer: Peer) -> Result<Admission, LimitReached> {
    let activity = Arc::new(Activity::default());
    std::mem::forget(Activity::answering(&activity));
    shares.admit(peer, &activity)
}

fn token(admission: &Admission) -> Result<(), LimitReached> {
    admission.allows(&Method::POST, "/v1/connections/a/token")
}

#[test]
fn a_process_at_its_limit_leaves_the_other_processes_theirs() {
    let shares = Arc::<Shares>::default();
    let held: Vec<_> = (0..96)
        .map(|_| busy(&shares, peer("/a", 1, 1)).unwrap())
        .collect();
    assert!(held.iter().all(|admission| token(admission).is_ok()));
    let more = busy(&shares, peer("/a", 1, 1)).unwrap();
    let full = token(&more).unwrap_err().to_string();
    assert!(
        full.contains("/a (process 1) holds 96 of the 96 connections"),
        "{full}"
    );
    for (method, path) in [
        (Method::GET, "/v1/status"),
        (Method::POST, "/v1/lock"),
        (Method::POST, "/v1/unlock"),
        (Method::GET, "/v1/prompts"),
        (Method::POST, "/v1/prompts/1/answer"),
        (Method::POST, "/v1/callback"),
        (Method::POST, "/api/v1/callback"),
    ] {
        assert!(more.allows(&method, path).is_ok(), "{path}");
    }
    // Another program in the same session.
    assert!(token(&busy(&shares, peer("/b", 2, 1)).unwrap()).is_ok());
    drop((held, more));
    assert!(token(&busy(&shares, peer("/a", 1, 1)).unwrap()).is_ok());
}

/// A fork bomb: one process per connection, in one session or in a session each.
#[test]
fn the_processes_of_one_session_or_program_have_one_limit() {
    for same_session in [true, false] {
        let shares = Arc::<Shares>::default();
        let bomb = |n: u32| {
            let (program, session) = if same_session {
                (format!("/copy-{n}"), 7)
            } else {
                ("/bomb".to_owned(), n)
            };
            busy(&shares, peer(&program, n, session))
        };
        let held: Vec<_> = (1..=300).filter_map(|n| bomb(n).ok()).collect();
        let served = held.iter().filter(|admission| token(admission).is_ok()).count();
        assert_eq!((served, held.len()), (160, 160 + 24), "{same_session}");
        let other = busy(&shares, peer("/usr/bin/tokenry", 1000, 1000)).unwrap();
        assert!(token(&other).is_ok());
    }
}

#[test]
fn streams_have_a_limit_of_their_own_and_take_none_of_the_requests() {
    let shares = Arc::<Shares>::default();
    let stream = |admission: &Admission| admission.allows(&Method::GET, "/v1/events/stream");
    let mut held = Vec::new();
    for pid in 1..=8 {
        for _ in 0..8 {
            let admission = busy(&shares, peer(&format!("/{pid}"), pid, pid)).unwrap();
            stream(&admission).unwrap();
            held.push(admission);
        }
        let more = busy(&shares, peer(&format!("/{pid}"), pid, pid)).unwrap();
        let full = stream(&more).unwrap_err().to_string();
        assert!(full.contains("8 of the 8 streams"), "{full}");
    }
    let other = busy(&shares, peer("/z", 99, 99)).unwrap();
    assert!(stream(&other).is_err(), "64 of all programs together");
    assert!(token(&other).is_ok());
}

#[test]
fn an_idle_connection_closes_for_a_new_one() {
    let shares = Arc::<Shares>::default();
    let idle: Vec<_> = (0..96)
        .map(|_| {
            let activity = Arc::new(Activity::default());
            (shares.admit(peer("/a", 1, 1), &activity).unwrap(), activity)
        })
        .collect();
    let late = shares.admit(peer("/a", 1, 1), &Arc::default()).unwrap();
    assert!(token(&late).is_ok());
    assert_eq!(
        idle.iter()
            .filter(|(_, activity)| activity.was_asked_to_close())
            .count(),
        1
    );
}
