use super::*;
use crate::slot::SLOTS;

fn outgoing(routes: Routes, limit: usize, overflow: Overflow) -> Outgoing {
    let mut outgoing = Outgoing::new(routes.is_by_slot(), routes, limit, overflow);
    for link in [0, 1] {
        outgoing.add_link(link);
    }
    outgoing
}

fn publish(outgoing: &mut Outgoing, numbers: std::ops::Range<u32>) {
    for number in numbers {
        outgoing.publish(b"x"[..].into(), number.to_string().into());
    }
}

/// Writes everything that a link has queued, and returns the numbers in the payloads.
async fn written(outgoing: &mut Outgoing, link: LinkId) -> Vec<u32> {
    let mut batch = Batch::default();
    outgoing.fill(link, &mut batch);
    let mut wire = Vec::new();
    while !batch.is_empty() {
        let bytes = batch.write(&mut wire).await.unwrap();
        outgoing.wrote(link, bytes);
    }
    let mut wire = BytesMut::from(&wire[..]);
    let mut payloads = Vec::new();
    while let Some(value) = resp::take(&mut wire, 1000).unwrap() {
        payloads.push(value.items()[2].text().unwrap().parse().unwrap());
    }
    payloads
}

fn error(text: &'static str) -> Value {
    Value::Error(Bytes::from_static(text.as_bytes()))
}

fn all_at(link: LinkId) -> Routes {
    Routes::Slots(vec![Some(link); SLOTS])
}

#[tokio::test]
async fn beyond_the_limit_the_oldest_or_the_newest_goes() {
    for (overflow, kept) in [(Overflow::DropOldest, 30..40), (Overflow::DropNewest, 0..10)] {
        let size = ENTRY_BYTES + 1 + 2;
        let mut outgoing = outgoing(Routes::One(0), 10 * size, overflow);
        for number in 0..40 {
            outgoing.publish(b"x"[..].into(), format!("{number:02}").into());
        }
        assert_eq!((outgoing.bytes(), outgoing.counts().lost), (10 * size, 30));
        // A message larger than the limit must not evict others.
        outgoing.publish(b"x"[..].into(), vec![0; 10 * size].into());
        assert_eq!((outgoing.bytes(), outgoing.counts().lost), (10 * size, 31));
        let mut sent = Vec::new();
        while sent.len() < 10 {
            let some = written(&mut outgoing, 0).await;
            for _ in &some {
                assert_eq!(outgoing.answered(0, Value::Int(1)), Ok(false));
            }
            sent.extend(some);
        }
        assert_eq!(sent, kept.collect::<Vec<_>>());
        assert_eq!((outgoing.bytes(), outgoing.counts().published), (0, 10));
    }
}

#[tokio::test]
async fn what_a_broken_connection_had_not_begun_to_write_is_kept() {
    let mut outgoing = outgoing(Routes::One(0), 1 << 20, Overflow::DropOldest);
    publish(&mut outgoing, 0..10);
    let mut batch = Batch::default();
    outgoing.fill(0, &mut batch);
    // Two whole commands and a part of the third.
    let length = 4 + 13 + 7 + 7;
    outgoing.wrote(0, 2 * length + 1);
    assert_eq!(outgoing.answered(0, Value::Int(0)), Ok(false));
    outgoing.broke(0);
    assert_eq!(outgoing.counts(), Counts { published: 1, lost: 0, unconfirmed: 2 });
    publish(&mut outgoing, 10..12);
    assert_eq!(written(&mut outgoing, 0).await, (3..12).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_a_loading_server_refused_is_sent_again_in_order() {
    let mut outgoing = outgoing(Routes::One(0), 1 << 20, Overflow::DropOldest);
    publish(&mut outgoing, 0..3);
    assert_eq!(written(&mut outgoing, 0).await, [0, 1, 2]);
    assert_eq!(outgoing.answered(0, Value::Int(0)), Ok(false));
    assert_eq!(outgoing.answered(0, error("LOADING Redis is loading the dataset in memory")), Ok(false));
    // A later publish must not overtake.
    publish(&mut outgoing, 3..4);
    assert!(written(&mut outgoing, 0).await.is_empty());
    let reason = outgoing.answered(0, error("LOADING Redis is loading the dataset in memory")).unwrap_err();
    assert!(reason.starts_with("LOADING"), "{reason}");
    outgoing.broke(0);
    assert_eq!(written(&mut outgoing, 0).await, [1, 2, 3]);
    assert_eq!(outgoing.counts(), Counts { published: 1, lost: 0, unconfirmed: 0 });
}

#[tokio::test]
async fn what_was_refused_for_good_is_lost_and_the_rest_goes_on() {
    let mut outgoing = outgoing(Routes::One(0), 1 << 20, Overflow::DropOldest);
    publish(&mut outgoing, 0..2);
    written(&mut outgoing, 0).await;
    assert_eq!(outgoing.answered(0, error("NOPERM no")), Ok(false));
    assert_eq!(outgoing.answered(0, Value::Int(0)), Ok(false));
    assert_eq!(outgoing.counts(), Counts { published: 1, lost: 1, unconfirmed: 0 });
    assert_eq!(outgoing.new_refusal(), Some("NOPERM no"));
    publish(&mut outgoing, 2..3);
    written(&mut outgoing, 0).await;
    assert_eq!(outgoing.answered(0, error("NOPERM no")), Ok(false));
    assert_eq!(outgoing.new_refusal(), None);
    assert_eq!(outgoing.counts().lost, 2);
}

#[tokio::test]
async fn a_slot_moves_without_a_message_overtaking_another() {
    let mut outgoing = outgoing(all_at(0), 1 << 20, Overflow::DropOldest);
    publish(&mut outgoing, 0..3);
    assert_eq!(written(&mut outgoing, 0).await, [0, 1, 2]);
    publish(&mut outgoing, 3..4);
    assert_eq!(outgoing.answered(0, Value::Int(0)), Ok(false));
    assert_eq!(outgoing.answered(0, error("MOVED 16287 127.0.0.1:1")), Ok(true));
    // The new routes arrive before the old link has answered everything.
    outgoing.set_routes(all_at(1));
    publish(&mut outgoing, 4..5);
    assert!(written(&mut outgoing, 0).await.is_empty());
    assert!(written(&mut outgoing, 1).await.is_empty());
    assert_eq!(outgoing.answered(0, error("MOVED 16287 127.0.0.1:1")), Ok(true));
    // The second refusal arrived after the new routes and is reported as a move again, so the topology is refreshed
    // once more.
    outgoing.set_routes(all_at(1));
    assert_eq!(written(&mut outgoing, 1).await, [1, 2, 3, 4]);
    assert_eq!(outgoing.counts().published, 1);
}

#[tokio::test]
async fn a_server_that_leaves_ends_what_is_under_way() {
    let mut outgoing = outgoing(all_at(0), 1 << 20, Overflow::DropOldest);
    publish(&mut outgoing, 0..1);
    written(&mut outgoing, 0).await;
    publish(&mut outgoing, 1..2);
    outgoing.set_routes(all_at(1));
    outgoing.retire(0);
    assert!(!outgoing.is_retired(0));
    // The old link may still refuse an earlier publish.
    assert!(written(&mut outgoing, 1).await.is_empty());
    assert_eq!(outgoing.answered(0, error("MOVED 16287 127.0.0.1:1")), Ok(true));
    assert!(outgoing.is_retired(0));
    outgoing.remove_link(0);
    outgoing.set_routes(all_at(1));
    assert_eq!(written(&mut outgoing, 1).await, [0, 1]);
}

#[test]
fn questions_that_nobody_waits_for_do_not_pile_up() {
    let mut outgoing = outgoing(Routes::One(0), 1 << 20, Overflow::DropOldest);
    let ask = |outgoing: &mut Outgoing| {
        let (answer, answered) = oneshot::channel();
        outgoing.ask(0, Ask { command: Bytes::new(), answer });
        answered
    };
    let mut waits = ask(&mut outgoing);
    for _ in 0..1000 {
        drop(ask(&mut outgoing));
    }
    assert!(outgoing.links[&0].asks.len() <= MANY_ASKS);
    assert_eq!(waits.try_recv(), Err(oneshot::error::TryRecvError::Empty));
    outgoing.mute(0);
    assert_eq!(waits.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    assert_eq!(ask(&mut outgoing).try_recv(), Err(oneshot::error::TryRecvError::Closed));
    outgoing.speaks(0);
    assert_eq!(ask(&mut outgoing).try_recv(), Err(oneshot::error::TryRecvError::Empty));
}

#[test]
fn a_mark_is_done_when_all_before_it_is() {
    let mut outgoing = outgoing(Routes::One(0), 1 << 20, Overflow::DropOldest);
    let empty = outgoing.mark();
    assert!(outgoing.is_done(empty));
    publish(&mut outgoing, 0..2);
    let two = outgoing.mark();
    publish(&mut outgoing, 2..3);
    let three = outgoing.mark();
    outgoing.fill(0, &mut Batch::default());
    for (is_two, is_three) in [(false, false), (false, false), (true, false), (true, true)] {
        assert_eq!((outgoing.is_done(two), outgoing.is_done(three)), (is_two, is_three));
        let _ = outgoing.answered(0, Value::Int(0));
    }
    assert!(outgoing.is_done(empty) && outgoing.open.is_empty());
}
