//! The cache against a small API server: whatever order answers, events, lists and reads come in, nothing older than
//! our last acknowledged write is ever shown, and in the end the truth is.

mod world;

use proptest::prelude::*;
use vexil_object::kinds::DEPLOYMENT;

use self::world::{Step, World};
use super::*;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => Just(Step::TheyWrite),
        1 => Just(Step::TheyDelete),
        1 => Just(Step::OtherWrite),
        4 => Just(Step::WeWrite),
        2 => Just(Step::WeDelete),
        4 => Just(Step::Answer),
        1 => Just(Step::LoseAnswer),
        1 => Just(Step::LoseRequest),
        3 => (1u8..4).prop_map(Step::Tell),
        1 => Just(Step::Bookmark),
        1 => Just(Step::ListSent),
        2 => Just(Step::ListArrives),
        1 => Just(Step::Ask),
        2 => Just(Step::LookUp),
        2 => Just(Step::Reply),
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

#[test]
fn a_list_from_the_past_is_not_believed() {
    let mut world = World::new();
    for step in [Step::TheyWrite, Step::Tell(1)] {
        world.step(&step);
    }
    assert_eq!(world.cache.relist(1, Packing::default()), Err(FromThePast { listed: 1, reached: 2 }));
    assert!(world.cache.look(&world.key).object().is_some());
}

#[test]
fn before_the_first_list_nothing_is_known_but_our_own_writes() {
    let mut world = World::new();
    world.cache = Cache::new(DEPLOYMENT);
    assert_eq!(world.cache.look(&world.key), Seen::NotKnown);
    assert_eq!(world.cache.keys_in(""), None);
    let object = world.write();
    world.cache.wrote(&object);
    assert!(world.cache.look(&world.key).object().is_some());
}

#[test]
fn an_event_that_comes_again_changes_nothing() {
    let mut world = World::new();
    let object = world.write();
    world.tell(1);
    world.delete();
    world.tell(1);
    assert!(world.cache.told(&object).is_empty());
    assert_eq!(world.cache.look(&world.key), Seen::Absent);
}
