use serde_json::json;

use super::*;

const NSP: NspId = NspId(0);

fn journal(options: serde_json::Value) -> Recovery {
    let mut all = json!({ "connectionStateRecovery": {}, "pingInterval": 10_000, "pingTimeout": 10_000 });
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    Recovery::new(&Options::from_json(&all).unwrap()).unwrap()
}

fn handle(n: u32) -> SocketHandle {
    SocketHandle::new(0, crate::types::ids::SocketSlot(n), n)
}

fn frame(text: &str) -> Arc<Frame> {
    Arc::new(Frame::message(b"2", text, &[], false))
}

fn session(sent: u64, seen: u64, rooms: &[&str], since: Instant) -> Session {
    let rooms = rooms.iter().map(|room| Box::from(*room)).collect();
    let rooms = AwayRooms::new(&Arc::default(), NSP, rooms);
    Session { rooms, data: Box::default(), sent, seen, stays: Stays::default(), since }
}

/// The offset in the next entry.
fn next_offset(journal: &Journal) -> String {
    let text = journal.with_offset("[]");
    serde_json::from_str::<Vec<String>>(&text).unwrap().remove(0)
}

fn publish(journal: &mut Journal, room: &str, now: Instant) -> String {
    let offset = next_offset(journal);
    journal.append(NSP, To::Rooms(Arc::new(Target::room(room))), frame(room), now);
    offset
}

fn returned(claim: Claim) -> Option<Box<Returned>> {
    match claim {
        Claim::Returned(returned) => Some(returned),
        Claim::Here(_) | Claim::Unknown => None,
    }
}

#[test]
fn the_offset_is_the_last_element() {
    let recovery = journal(json!({}));
    let journal = recovery.lock();
    let salt = &journal.salt;
    assert_eq!(journal.with_offset(r#"["e",1]"#), format!(r#"["e",1,"{salt}1"]"#));
    assert_eq!(journal.with_offset("[ ]"), format!(r#"[ "{salt}1"]"#));
    // Text that is not an array is left for the encoder to refuse.
    assert_eq!(journal.with_offset("{}"), "{}");
}

#[test]
fn a_client_gets_what_was_meant_for_it_and_it_does_not_have() {
    let recovery = journal(json!({}));
    let mut journal = recovery.lock();
    let now = Instant::now();
    let pid = journal.enter(NSP, "/".into(), Id::random(), handle(1));
    let had = publish(&mut journal, "a", now);
    publish(&mut journal, "b", now);
    publish(&mut journal, "a", now);
    journal.append(NSP, To::Peer(pid), frame("own"), now);
    journal.append(NSP, To::Peer(Id::random()), frame("another's"), now);
    journal.append(NspId(NSP.0 + 1), To::Rooms(Arc::new(Target::all())), frame("elsewhere"), now);
    journal.append(NSP, To::Rooms(Arc::new(Target::all().except("a"))), frame("excluded"), now);
    journal.append(NSP, To::Rooms(Arc::new(Target::all())), frame("all"), now);
    journal.leave(pid, handle(1), session(4, 4, &["a"], now), now);
    let found = returned(journal.claim(NSP, pid.as_str(), Some(&had), handle(2), now)).unwrap();
    let missed = journal.missed(&found).unwrap();
    let expected = [frame("a"), frame("own"), frame("all")].map(|f| f.len());
    assert_eq!(missed.frames.iter().map(|f| f.len()).collect::<Vec<_>>(), expected);
    assert_eq!((missed.sent, missed.all), (8, 8));
    // The peer is here, and is found under both handles.
    assert!(journal.peer(handle(1)) == Some((pid, Some(handle(2)))));
    assert!(
        matches!(journal.claim(NSP, pid.as_str(), Some(&had), handle(3), now), Claim::Here(h) if h == handle(2))
    );
}

#[test]
fn who_has_everything_that_was_sent_needs_nothing_older() {
    let recovery = journal(json!({ "maxRecoveryBytes": 65_536 }));
    let mut journal = recovery.lock();
    let now = Instant::now();
    let (quiet, behind) = (
        journal.enter(NSP, "/".into(), Id::random(), handle(1)),
        journal.enter(NSP, "/".into(), Id::random(), handle(2)),
    );
    let first = publish(&mut journal, "a", now);
    for _ in 0..1000 {
        publish(&mut journal, "b", now);
    }
    assert!(journal.lost() > 1 && journal.bytes() <= 65_536);
    journal.leave(quiet, handle(1), session(1, 1001, &["a"], now), now);
    journal.leave(behind, handle(2), session(1000, 1001, &["b"], now), now);
    assert!(returned(journal.claim(NSP, quiet.as_str(), Some(&first), handle(3), now)).is_some());
    assert!(returned(journal.claim(NSP, behind.as_str(), Some(&first), handle(4), now)).is_none());
}

#[test]
fn everything_goes_when_its_time_is_over() {
    let recovery = journal(json!({}));
    let mut journal = recovery.lock();
    let now = Instant::now();
    let pids: Vec<Id> = (0..3000).map(|n| journal.enter(NSP, "/".into(), Id::random(), handle(n))).collect();
    let offset = publish(&mut journal, "a", now);
    for (pid, n) in pids.iter().zip(0..) {
        journal.leave(*pid, handle(n), session(1, 1, &["a"], now), now);
    }
    let in_time = now + Duration::from_secs(120);
    assert!(returned(journal.claim(NSP, pids[0].as_str(), Some(&offset), handle(9000), in_time)).is_some());
    let late = now + Duration::from_millis(120_001);
    assert!(returned(journal.claim(NSP, pids[1].as_str(), Some(&offset), handle(9001), late)).is_none());
    // Only the recovered peer is left, and the message for a while.
    assert_eq!(journal.sizes(), (1, 1, 2, 0));
    assert_eq!(journal.sweep(now + Duration::from_secs(141)), None);
    assert_eq!((journal.bytes(), journal.sizes()), (0, (0, 1, 2, 0)));
    journal.end(pids[0]);
    assert_eq!(journal.sizes(), (0, 0, 0, 0));
}

#[test]
fn clients_that_come_and_go_cost_no_more_than_the_limit() {
    let recovery = journal(json!({ "maxRecoveryBytes": 65_536 }));
    let mut journal = recovery.lock();
    let now = Instant::now();
    let pid = journal.enter(NSP, "/".into(), Id::random(), handle(0));
    let offset = publish(&mut journal, "a", now);
    for n in 0..10_000 {
        journal.leave(pid, handle(n), session(1, 1, &["a"], now + Duration::from_micros(n.into())), now);
        if returned(journal.claim(NSP, pid.as_str(), Some(&offset), handle(n + 1), now)).is_none() {
            // The message has expired, so the client gets a new session.
            assert!(journal.lost() == 1);
            break;
        }
        assert!(journal.bytes() <= 65_536);
        assert!(journal.sizes().2 <= HANDLES);
    }
    for n in 20_000..30_000 {
        let pid = journal.enter(NSP, "/".into(), Id::random(), handle(n));
        journal.leave(pid, handle(n), session(0, 1, &["a room of some length"], now), now);
        assert!(journal.bytes() <= 65_536);
    }
    assert!(journal.sizes().1 < 400);
}

#[test]
fn the_host_hears_of_each_session_that_nobody_can_come_back_for() {
    let recovery = journal(json!({ "maxRecoveryBytes": 65_536 }));
    let mut journal = recovery.lock();
    let now = Instant::now();
    let ends = |journal: &mut Journal| -> Vec<SessionEnd> {
        let end = |event| match event {
            Event::SessionEnd { end, .. } => end,
            other => panic!("{other:?}"),
        };
        journal.ended().into_iter().map(end).collect()
    };
    let leave = |journal: &mut Journal, n: u32| {
        let pid = journal.enter(NSP, "/".into(), Id::random(), handle(n));
        journal.leave(pid, handle(n), session(0, 0, &["a"], now), now);
        pid
    };
    let unheard = leave(&mut journal, 0);
    journal.end(unheard);
    assert!(ends(&mut journal).is_empty(), "nobody asked");
    journal.set_reports(true);
    let sent_away = leave(&mut journal, 1);
    journal.end(sent_away);
    let back = leave(&mut journal, 2);
    assert!(returned(journal.claim(NSP, back.as_str(), None, handle(3), now)).is_some());
    journal.end(back);
    leave(&mut journal, 4);
    journal.sweep(now + Duration::from_secs(121));
    assert_eq!(ends(&mut journal), [SessionEnd::Disconnected, SessionEnd::TimedOut]);
    for n in 5..1000 {
        leave(&mut journal, n);
    }
    let ended = ends(&mut journal);
    assert!(ended.len() > 500 && ended.iter().all(|end| *end == SessionEnd::Limit));
}
