//! security.md, "Local interfaces": connections, streams and waiting are bounded, and shared fairly.

use super::*;

fn peer(program: &str, pid: u32, session: u32) -> Peer {
    Peer {
        uid: 1000,
        pid,
        started: u64::from(pid),
        program: Some(program.to_owned()),
        session: Some(session),
    }
}

/// Somebody who has something under way, and so cannot be asked to leave.
fn busy(rooms: &Arc<Rooms>, peer: Peer) -> Result<Place, Full> {
    let pace = Arc::new(Pace::default());
    std::mem::forget(Pace::answering(&pace));
    rooms.enter(peer, &pace)
}

fn token(place: &Place) -> Result<(), Full> {
    place.admits(&Method::POST, "/v1/connections/a/token")
}

#[test]
fn one_process_has_its_share_and_others_have_theirs() {
    let rooms = Arc::<Rooms>::default();
    let held: Vec<_> = (0..96).map(|_| busy(&rooms, peer("/a", 1, 1)).unwrap()).collect();
    assert!(held.iter().all(|place| token(place).is_ok()));
    let more = busy(&rooms, peer("/a", 1, 1)).unwrap();
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
        assert!(more.admits(&method, path).is_ok(), "{path}");
    }
    // Of another program in the same session.
    assert!(token(&busy(&rooms, peer("/b", 2, 1)).unwrap()).is_ok());
    drop((held, more));
    assert!(token(&busy(&rooms, peer("/a", 1, 1)).unwrap()).is_ok());
}

/// A fork bomb: a process for each connection, in one session, or in as many sessions as there are processes.
#[test]
fn many_processes_of_one_session_or_program_have_one_share() {
    for same_session in [true, false] {
        let rooms = Arc::<Rooms>::default();
        let bomb = |n: u32| {
            let (program, session) = if same_session {
                (format!("/copy-{n}"), 7)
            } else {
                ("/bomb".to_owned(), n)
            };
            busy(&rooms, peer(&program, n, session))
        };
        let held: Vec<_> = (1..=300).filter_map(|n| bomb(n).ok()).collect();
        let served = held.iter().filter(|place| token(place).is_ok()).count();
        assert_eq!((served, held.len()), (160, 160 + 24), "{same_session}");
        let other = busy(&rooms, peer("/usr/bin/tokenry", 1000, 1000)).unwrap();
        assert!(token(&other).is_ok());
    }
}

#[test]
fn streams_take_no_place_of_requests_and_have_a_bound_of_their_own() {
    let rooms = Arc::<Rooms>::default();
    let stream = |place: &Place| place.admits(&Method::GET, "/v1/events/stream");
    let mut held = Vec::new();
    for pid in 1..=8 {
        for _ in 0..8 {
            let place = busy(&rooms, peer(&format!("/{pid}"), pid, pid)).unwrap();
            stream(&place).unwrap();
            held.push(place);
        }
        let more = busy(&rooms, peer(&format!("/{pid}"), pid, pid)).unwrap();
        let full = stream(&more).unwrap_err().to_string();
        assert!(full.contains("8 of the 8 streams"), "{full}");
    }
    let other = busy(&rooms, peer("/z", 99, 99)).unwrap();
    assert!(stream(&other).is_err(), "64 of all programs together");
    assert!(token(&other).is_ok());
}

#[test]
fn whoever_has_nothing_under_way_leaves_for_whoever_comes() {
    let rooms = Arc::<Rooms>::default();
    let idle: Vec<_> = (0..96)
        .map(|_| {
            let pace = Arc::new(Pace::default());
            (rooms.enter(peer("/a", 1, 1), &pace).unwrap(), pace)
        })
        .collect();
    let late = rooms.enter(peer("/a", 1, 1), &Arc::default()).unwrap();
    assert!(token(&late).is_ok());
    assert_eq!(idle.iter().filter(|(_, pace)| pace.was_asked()).count(), 1);
}
