//! `Event::Room` over two shards.

use kraken_ws_core::{Event, RoomChange, SocketHandle};
use kraken_ws_tests::Host;
use serde_json::json;

/// The next change of room `r`, and its socket.
fn change(host: &mut Host) -> (RoomChange, Option<SocketHandle>) {
    host.find(|event| match event {
        Event::Room { change, room, socket, nsp } => {
            assert_eq!((&**nsp, &**room), ("/", "r"));
            Some((*change, *socket))
        }
        _ => None,
    })
}

#[test]
fn a_room_is_created_and_deleted_once_over_two_shards() {
    let mut host = Host::start(&json!({ "shards": 2, "hooks": { "rooms": true } }));
    let addr = host.listen();
    let (_one, a) = host.client(addr);
    let (mut two, b) = host.client(addr);
    for _ in 0..100 {
        host.server.join(a, &["r"]);
        assert_eq!(change(&mut host), (RoomChange::Created, None));
        assert_eq!(change(&mut host), (RoomChange::Joined, Some(a)));
        // Joining again is not a change.
        host.server.join(a, &["r"]);
        host.server.join(b, &["r"]);
        assert_eq!(change(&mut host), (RoomChange::Joined, Some(b)));
        host.server.leave(a, &["r", "never joined"]);
        assert_eq!(change(&mut host), (RoomChange::Left, Some(a)));
        host.server.leave(b, &["r"]);
        assert_eq!(change(&mut host), (RoomChange::Left, Some(b)));
        assert_eq!(change(&mut host), (RoomChange::Deleted, None));
    }
    host.server.join(b, &["r"]);
    assert_eq!(change(&mut host), (RoomChange::Created, None));
    assert_eq!(change(&mut host), (RoomChange::Joined, Some(b)));
    two.send("1");
    assert_eq!(change(&mut host), (RoomChange::Left, Some(b)));
    assert_eq!(change(&mut host), (RoomChange::Deleted, None));
    host.close();
}

#[test]
fn a_room_exists_between_created_and_deleted_however_shards_race() {
    let mut host = Host::start(&json!({ "shards": 2, "hooks": { "rooms": true } }));
    let addr = host.listen();
    let (_one, a) = host.client(addr);
    let (_two, b) = host.client(addr);
    for _ in 0..2000 {
        host.server.join(a, &["r"]);
        host.server.join(b, &["r"]);
        host.server.leave(a, &["r"]);
        host.server.leave(b, &["r"]);
        // The shards may execute this in any order, so the room may exist once or twice.
        let mut members = 0;
        let mut exists = false;
        let mut left = 0;
        while left < 2 || exists {
            match change(&mut host).0 {
                RoomChange::Created => assert!(!std::mem::replace(&mut exists, true), "created twice"),
                RoomChange::Joined => {
                    assert!(exists, "joined before it was created");
                    members += 1;
                }
                RoomChange::Left => {
                    assert!(exists, "left after it was deleted");
                    members -= 1;
                    left += 1;
                }
                RoomChange::Deleted => {
                    assert_eq!(members, 0, "deleted with members");
                    assert!(std::mem::replace(&mut exists, false), "deleted twice");
                }
            }
        }
    }
    host.close();
}
