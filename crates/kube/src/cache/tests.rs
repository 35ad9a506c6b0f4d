//! The cache against a small API server: in whatever order answers, events, lists and reads arrive, nothing older than
//! our last acknowledged write is ever shown, and in the end the live object is. Each rule of the cache has a history
//! that fails without it.

mod by_generation;
mod server;
mod world;

use proptest::prelude::*;
use vexil_object::kinds::DEPLOYMENT;

use self::{
    by_generation::list,
    world::{
        Step::{self, *},
        World,
    },
};
use super::*;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => Just(TheyWrite),
        1 => Just(TheyDelete),
        1 => Just(OtherWrite),
        4 => Just(WeWrite),
        2 => Just(WeDelete),
        4 => Just(Answer),
        1 => Just(LoseAnswer),
        1 => Just(LoseRequest),
        3 => (1u8..4).prop_map(Report),
        1 => Just(ListRequested),
        2 => Just(ListRead),
        2 => Just(ListArrives),
        1 => Just(GetSent),
        2 => Just(GetExecuted),
        2 => Just(GetAnswered),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_older_than_our_last_acknowledged_write_is_ever_shown(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.settle();
    }
}

/// What is shown after these steps: `Some` = present in this version.
fn check(steps: &[Step], shown: Option<Option<u64>>) {
    let mut world = World::new();
    steps.iter().for_each(|step| world.step(step));
    let found = match world.cache.look(&world.key) {
        Seen::NotKnown => None,
        seen => Some(seen.object().map(version)),
    };
    assert_eq!(found, shown, "{steps:?}");
    world.settle();
}

#[test]
fn an_answer_that_the_watch_has_overtaken_adds_nothing() {
    check(&[WeWrite, TheyWrite, Report(2), Answer], Some(Some(3)));
    check(&[WeWrite, TheyDelete, Report(2), Answer], Some(None));
    check(&[TheyWrite, GetSent, GetExecuted, TheyDelete, Report(2), GetAnswered], Some(None));
}

#[test]
fn an_answer_that_crosses_a_list_without_the_object_is_not_believed() {
    check(&[WeWrite, TheyDelete, ListRequested, ListRead, ListArrives, Answer], None);
    check(&[ListRequested, ListRead, WeWrite, ListArrives, Answer], None);
    check(
        &[TheyWrite, GetSent, GetExecuted, ListRequested, ListRead, ListArrives, GetAnswered],
        Some(Some(2)),
    );
    check(
        &[TheyWrite, GetSent, GetExecuted, TheyDelete, ListRequested, ListRead, ListArrives, GetAnswered],
        None,
    );
    // The object itself settles it without a read.
    check(&[ListRequested, ListRead, WeWrite, ListArrives, Answer, Report(1)], Some(Some(2)));
}

#[test]
fn a_list_settles_what_was_acknowledged_before_it_was_requested() {
    check(&[WeWrite, Answer, TheyDelete, ListRequested, ListRead, ListArrives], Some(None));
    check(&[WeWrite, LoseAnswer, ListRequested, ListRead, ListArrives], Some(Some(2)));
}

#[test]
fn a_list_does_not_decide_about_a_write_that_was_acknowledged_while_it_was_read() {
    check(&[ListRequested, ListRead, WeWrite, Answer, ListArrives], None);
    check(&[ListRequested, WeWrite, Answer, TheyDelete, ListRead, ListArrives], None);
    check(&[ListRequested, WeWrite, Answer, ListRead, ListArrives], Some(Some(2)));
    let created = [WeWrite, Answer, Report(1)];
    let deleted = [ListRequested, ListRead, WeDelete, Answer, ListArrives];
    check(&[created.as_slice(), &deleted].concat(), Some(None));
}

#[test]
fn an_object_that_was_not_found_stays_deleted_until_the_watch_has_reported_its_end() {
    let lost = [WeWrite, Answer, WeWrite, LoseAnswer, TheyDelete];
    let read = [GetSent, GetExecuted, GetAnswered];
    check(&lost, None);
    check(&[lost.as_slice(), &read].concat(), Some(None));
    // The watch reports the former versions, then the end.
    for reported in 1..=3 {
        check(&[lost.as_slice(), &read, &[Report(reported)]].concat(), Some(None));
    }
}

#[test]
fn a_list_that_is_older_than_the_cache_is_refused() {
    let mut world = World::new();
    let (old, new) = (world.server.write(), world.server.write());
    world.report(2);
    let stale = StaleList { key: world.key.clone(), listed: version(&old), known: version(&new) };
    assert_eq!(world.cache.list_finished(list([old])), Err(Box::new(stale)));
    assert_eq!(world.cache.look(&world.key).object(), Some(&new));
}

#[test]
fn before_the_first_list_nothing_is_known_but_our_own_writes() {
    let mut world = World::new();
    world.cache = Cache::new(DEPLOYMENT);
    assert_eq!(world.cache.look(&world.key), Seen::NotKnown);
    assert_eq!(world.cache.keys_in(""), None);
    let object = world.server.write();
    world.cache.write_acknowledged(object, 0);
    assert!(world.cache.look(&world.key).object().is_some());
}

#[test]
fn an_event_that_is_repeated_changes_nothing() {
    let mut world = World::new();
    let object = world.server.write();
    world.report(1);
    world.server.delete();
    world.report(1);
    assert!(world.cache.object_applied(object).is_empty());
    assert_eq!(world.cache.look(&world.key), Seen::Absent);
}
