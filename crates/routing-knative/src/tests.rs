//! The laws, traffic as Flagger and users write it, and what Knative reports.

use serde_json::{Value, json};
use vexil_object::{
    Change, ObjectKey, Objects, Store,
    knative::{PRIMARY_REVISION, SERVICE},
    meta,
};
use vexil_routing::{
    Acceptance, Capabilities, Claim, Provider, QuerySet, RouteError, RouteTarget, Router, Routes, Weight,
    laws::{self, Case, Sample, Shared},
};

use crate::{Knative, router::reported};

fn key() -> ObjectKey {
    ObjectKey::new(SERVICE, "test", "podinfo")
}

fn cluster() -> Store {
    let mut store = Store::default();
    store.put(SERVICE.definition(), json!({"kind": "CustomResourceDefinition"}));
    store
}

fn split(canary: u32) -> Routes {
    Routes::split(Weight::clamped(canary))
}

/// The router with a Service of its own, which the laws begin with: a real one is the user's and there before.
struct WithService;

impl WithService {
    fn claim<'a>(target: &RouteTarget<'_>, have: &'a Objects) -> Result<Claim<'a>, RouteError> {
        if have.get(&SERVICE.definition()).object().is_none() {
            Knative.read(target, have)?;
        }
        Claim::of(&key(), target.owner, have)
    }
}

impl Provider for WithService {
    fn name(&self) -> &'static str {
        Knative.name()
    }

    fn supports(&self) -> Capabilities {
        Knative.supports()
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Knative.queries()
    }
}

impl Router for WithService {
    fn needs(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<ObjectKey> {
        Knative.needs(target, have)
    }

    fn route(&self, target: &RouteTarget<'_>, have: &Objects) -> Option<ObjectKey> {
        Knative.route(target, have)
    }

    fn read(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Routes, RouteError> {
        match Self::claim(target, have)? {
            Claim::Absent => Err(RouteError::Absent { object: key().to_string() }),
            Claim::Ours(_) | Claim::Unclaimed(_) => Knative.read(target, have),
        }
    }

    fn render(
        &self,
        target: &RouteTarget<'_>,
        want: &Routes,
        have: &Objects,
    ) -> Result<Vec<Change>, RouteError> {
        if !matches!(Self::claim(target, have), Ok(Claim::Absent)) {
            Self::claim(target, have)?;
            return Knative.render(target, want, have);
        }
        let mut store = cluster();
        store.put(key(), service("podinfo-00001", "podinfo-00002", Value::Null));
        for change in Knative.render(target, want, &look(&store))? {
            store.apply(&change).unwrap();
        }
        let mut made = store.get(&key()).unwrap().clone();
        made["apiVersion"] = SERVICE.api_version().into();
        made["kind"] = SERVICE.kind.into();
        made["metadata"]["ownerReferences"] = json!([target.owner.reference()]);
        for stamp in ["uid", "resourceVersion"] {
            made["metadata"].as_object_mut().unwrap().remove(stamp);
        }
        Ok(vec![Change::create(key(), made)])
    }

    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError> {
        match Self::claim(target, have) {
            Err(RouteError::Foreign { .. }) => Ok(Vec::new()),
            _ => Knative.release(target, have),
        }
    }
}

fn look(store: &Store) -> Objects {
    [SERVICE.definition(), key()].into_iter().map(|key| (key.clone(), store.look(&key))).collect()
}

/// A Service whose annotation names `primary`.
fn service(primary: &str, latest: &str, traffic: Value) -> Value {
    let annotations = if primary.is_empty() { json!({}) } else { json!({PRIMARY_REVISION: primary}) };
    json!({
        "metadata": {"name": "podinfo", "namespace": "test", "annotations": annotations},
        "spec": {"template": {"spec": {"containers": [{"image": "podinfo:6.0.0"}]}}, "traffic": traffic},
        "status": {"latestCreatedRevisionName": latest},
    })
}

/// The shares as Knative applies them: by Revision, whatever entry has them.
fn weights(live: &Value) -> Option<(i64, i64)> {
    let list = live.pointer("/spec/traffic")?.as_array()?;
    let has_share = |entry: &&Value| entry.get("percent").and_then(Value::as_i64) > Some(0);
    let named = list.iter().rev().filter(has_share).find_map(|entry| entry.get("revisionName")?.as_str());
    let primary = meta::annotation(live, PRIMARY_REVISION).filter(|name| !name.is_empty()).or(named);
    let of_primary = list.iter().rposition(|entry| {
        entry.get("tag").is_none() && entry.get("revisionName").and_then(Value::as_str) == primary
    });
    let mut sums = (0, 0);
    for (at, entry) in list.iter().enumerate() {
        let percent = entry.get("percent").and_then(Value::as_i64).unwrap_or(0);
        *(if Some(at) == of_primary { &mut sums.0 } else { &mut sums.1 }) += percent;
    }
    Some(sums)
}

#[test]
fn keeps_the_laws_of_routers() {
    let mut sample = Sample::default();
    sample.spec.target_ref.set_bound_kind(vexil_api::TargetRef::KNATIVE_SERVICE);
    laws::all(&Case {
        router: &WithService,
        target: sample.target(),
        cluster: cluster(),
        route: key(),
        owned: true,
        weights,
        other_routes: None,
        split: None,
        lists: &[Shared {
            pointer: "/spec/traffic",
            entry: || json!({"tag": "next", "latestRevision": true, "percent": 0}),
        }],
        adoptable: &[],
        foreign: &[],
        source: None,
    })
    .unwrap();
}

/// Writes `want` over a Service and returns its traffic and its annotation.
fn write(live: Value, want: &Routes) -> Result<(Value, String), String> {
    let sample = Sample::default();
    let mut store = cluster();
    store.put(key(), live);
    let changes = Knative.render(&sample.target(), want, &look(&store)).map_err(|error| error.to_string())?;
    for change in changes {
        store.apply(&change).unwrap();
    }
    let live = store.get(&key()).unwrap();
    let annotation = meta::annotation(live, PRIMARY_REVISION).unwrap_or_default().to_owned();
    Ok((live["spec"]["traffic"].clone(), annotation))
}

fn read(live: Value) -> Result<Routes, String> {
    let mut store = cluster();
    store.put(key(), live);
    Knative.read(&Sample::default().target(), &look(&store)).map_err(|error| error.to_string())
}

fn named(name: &str, percent: u32) -> Value {
    json!({"revisionName": name, "latestRevision": false, "percent": percent})
}

fn latest(percent: u32) -> Value {
    json!({"latestRevision": true, "percent": percent})
}

#[test]
fn what_flagger_wrote_is_read_and_the_canary_is_pinned() {
    let flaggers = |canary: u32| json!([latest(canary), {"revisionName": "p-1", "percent": 100 - canary}]);
    assert_eq!(read(service("p-1", "p-2", flaggers(0))), Ok(split(0)));
    assert_eq!(read(service("p-1", "p-2", flaggers(10))), Ok(split(10)));
    let pinned = json!([named("p-2", 10), named("p-1", 90)]);
    assert_eq!(write(service("p-1", "p-2", flaggers(10)), &split(10)), Ok((pinned, "p-1".to_owned())));
}

#[test]
fn what_is_pushed_during_a_rollout_gets_no_share() {
    let shared = json!([named("p-2", 30), named("p-1", 70)]);
    assert_eq!(read(service("p-1", "p-3", shared.clone())), Ok(split(30)));
    let kept = write(service("p-1", "p-3", shared.clone()), &split(30));
    assert_eq!(kept, Ok((shared.clone(), "p-1".to_owned())));
    let (none, _) = write(service("p-1", "p-3", shared), &split(0)).unwrap();
    assert_eq!(none, json!([latest(0), named("p-1", 100)]));
    let (next, _) = write(service("p-1", "p-3", none), &split(10)).unwrap();
    assert_eq!(next, json!([named("p-3", 10), named("p-1", 90)]));
}

#[test]
fn traffic_that_is_not_ours_is_reported_with_its_place() {
    let check = |traffic: Value, expect: &str| {
        let error = read(service("p-1", "p-2", traffic)).unwrap_err();
        assert_eq!(error, format!("Service podinfo.test: spec.traffic{expect}"));
    };
    check(json!([latest(100)]), " leads to the latest Revision, and not to the primary, p-1");
    check(json!([]), " has no entry for the primary, p-1");
    check(json!([latest(5), named("p-1", 70)]), " has primary 70 and canary 5, which is not 100 in all");
    check(
        json!([named("p-2", 5), named("p-0", 5), named("p-1", 90)]),
        "[1] is neither the primary's nor the canary's",
    );
    let tagged = json!({"tag": "now", "revisionName": "p-1", "percent": 10});
    check(
        json!([latest(0), named("p-1", 90), tagged]),
        "[2].percent is 10, which primary and canary do not get",
    );
}

#[test]
fn a_user_who_held_a_revision_back_keeps_it_as_the_primary() {
    let held = json!([named("p-1", 100), latest(0)]);
    let (traffic, annotation) = write(service("", "p-2", held), &split(0)).unwrap();
    assert_eq!((traffic, annotation.as_str()), (json!([named("p-1", 100), latest(0)]), "p-1"));
    let error = write(service("", "p-2", json!([latest(100)])), &split(0)).unwrap_err();
    assert!(error.contains("is missing, and spec.traffic names no Revision for the primary"), "{error}");
}

#[test]
fn a_release_leads_to_the_primary_and_follows_pushes_only_from_there() {
    let check = |latest_name: &str, traffic: Value, expect: Value| {
        let mut store = cluster();
        store.put(key(), service("p-1", latest_name, traffic));
        let sample = Sample::default();
        for change in Knative.release(&sample.target(), &look(&store)).unwrap() {
            store.apply(&change).unwrap();
        }
        let live = store.get(&key()).unwrap();
        assert_eq!((&live["spec"]["traffic"], meta::annotation(live, PRIMARY_REVISION)), (&expect, None));
        assert_eq!(Knative.release(&sample.target(), &look(&store)), Ok(Vec::new()));
    };
    let tag = json!({"tag": "now", "revisionName": "p-1", "percent": 0});
    check("p-1", json!([latest(0), named("p-1", 100)]), json!([latest(100)]));
    check("p-2", json!([latest(0), named("p-1", 100)]), json!([named("p-1", 100)]));
    check("p-2", json!([named("p-2", 30), named("p-1", 70), tag]), json!([named("p-1", 100), tag]));
}

#[test]
fn a_service_that_does_not_exist_waits_for_nothing() {
    let sample = Sample::default();
    let have = look(&cluster());
    assert_eq!(Knative.read(&sample.target(), &have), Ok(split(0)));
    assert_eq!(Knative.render(&sample.target(), &split(0), &have), Ok(Vec::new()));
    assert_eq!(Knative.release(&sample.target(), &have), Ok(Vec::new()));
}

#[test]
fn knative_says_whether_it_applies_the_traffic() {
    let check = |status: &str, observed: u32, expect: &Acceptance| {
        let ready =
            json!({"type": "RoutesReady", "status": status, "reason": "RevisionMissing", "message": "p-1"});
        let live = json!({
            "metadata": {"generation": 2}, "status": {"observedGeneration": observed, "conditions": [ready]},
        });
        assert_eq!(reported(&key(), &live), *expect);
    };
    check("True", 2, &Acceptance::Accepted);
    let late = "Knative has not applied generation 2 of Service podinfo.test yet";
    check("True", 1, &Acceptance::Outdated(late.to_owned()));
    let refused = "Knative does not apply Service podinfo.test: RevisionMissing: p-1";
    check("False", 2, &Acceptance::Refused(refused.to_owned()));
    assert_eq!(reported(&key(), &json!({})), Acceptance::Accepted);
}
