//! Which change wakes which Canary.

use vexil_object::kinds::{CANARY, DEPLOYMENT, ENDPOINT_SLICE, SERVICE};

use super::*;

const SEEN: Mark = Mark::ABSENT;
const OTHER: Mark = Mark::NOT_KNOWN;

fn canary(name: &str) -> ObjectKey {
    ObjectKey::new(CANARY, "test", name)
}

fn object(kind: Kind, name: &str) -> ObjectKey {
    ObjectKey::new(kind, "test", name)
}

fn slices(service: &str) -> Listed {
    Listed { kind: ENDPOINT_SLICE, namespace: "test".to_owned(), index: "service", value: service.to_owned() }
}

/// Two Canaries of one namespace: each looks at itself, its target, its slices and a Service that both share.
fn two() -> WatchIndex {
    let mut interest = WatchIndex::default();
    for name in ["app", "app-other"] {
        let objects = [object(DEPLOYMENT, name), object(SERVICE, "shared"), canary(name)];
        let lists = [(slices(&format!("{name}-primary")), SEEN)].to_vec();
        interest
            .set(&canary(name), &Dependencies { objects: objects.map(|key| (key, SEEN)).to_vec(), lists });
    }
    interest
}

enum Change {
    Object(ObjectKey, Mark),
    Slices(&'static str, Mark),
    Kind(Kind),
}

fn check(interest: &mut WatchIndex, rows: &[(Change, &[&str])]) {
    for (number, (change, expect)) in rows.iter().enumerate() {
        let woken = match change {
            Change::Object(key, mark) => interest.changed(key, *mark),
            Change::Slices(service, mark) => interest.listed(&slices(service), *mark),
            Change::Kind(kind) => interest.waiting_for(*kind),
        };
        let expect: Vec<_> = expect.iter().map(|name| canary(name)).collect();
        assert_eq!(woken, expect, "row {number}");
    }
}

#[test]
fn a_change_wakes_those_who_look_at_it_and_have_not_seen_it() {
    check(
        &mut two(),
        &[
            (Change::Object(object(DEPLOYMENT, "app"), OTHER), &["app"]),
            (Change::Object(object(DEPLOYMENT, "app"), SEEN), &[]),
            (Change::Object(object(DEPLOYMENT, "unowned"), OTHER), &[]),
            (Change::Object(object(SERVICE, "app"), OTHER), &[]),
            (Change::Object(object(SERVICE, "shared"), OTHER), &["app", "app-other"]),
            (Change::Object(ObjectKey::new(SERVICE, "elsewhere", "shared"), OTHER), &[]),
            // The Service's label decides, not how a name begins.
            (Change::Slices("app-primary", OTHER), &["app"]),
            (Change::Slices("app-other-primary", OTHER), &["app-other"]),
            (Change::Slices("app-primary", SEEN), &[]),
            (Change::Slices("app", OTHER), &[]),
        ],
    );
}

#[test]
fn a_canary_looks_at_itself_and_what_it_wrote_itself_does_not_wake_it() {
    check(
        &mut two(),
        &[
            (Change::Object(canary("new"), OTHER), &["new"]),
            (Change::Object(canary("app"), OTHER), &["app"]),
            (Change::Object(canary("app"), SEEN), &[]),
        ],
    );
}

#[test]
fn news_of_a_kind_wakes_those_who_know_nothing_of_it() {
    let mut interest = two();
    let unknown = (object(DEPLOYMENT, "later"), Mark::NOT_KNOWN);
    interest.set(&canary("waits"), &Dependencies { objects: vec![unknown], lists: Vec::new() });
    check(&mut interest, &[(Change::Kind(DEPLOYMENT), &["waits"]), (Change::Kind(SERVICE), &[])]);
}

#[test]
fn what_is_no_longer_looked_at_wakes_no_more() {
    let mut interest = two();
    interest.set(
        &canary("app"),
        &Dependencies { objects: vec![(object(DEPLOYMENT, "new"), SEEN)], lists: Vec::new() },
    );
    check(
        &mut interest,
        &[
            (Change::Object(object(DEPLOYMENT, "app"), OTHER), &[]),
            (Change::Object(object(DEPLOYMENT, "new"), OTHER), &["app"]),
            (Change::Object(object(SERVICE, "shared"), OTHER), &["app-other"]),
            (Change::Slices("app-primary", OTHER), &[]),
        ],
    );
    interest.forget(&canary("app-other"));
    interest.forget(&canary("app"));
    check(&mut interest, &[(Change::Object(object(SERVICE, "shared"), OTHER), &[])]);
    assert!(interest.by_place.is_empty() && interest.ids.is_empty());
    interest.set(
        &canary("app"),
        &Dependencies { objects: vec![(object(SERVICE, "shared"), SEEN)], lists: Vec::new() },
    );
    check(&mut interest, &[(Change::Object(object(SERVICE, "shared"), OTHER), &["app"])]);
    assert_eq!(interest.canaries.len(), 2, "places are used again");
}
