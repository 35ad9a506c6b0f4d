//! The laws hold for a router that keeps them, and each flaw is found by the law that is meant for it.

use serde_json::{Map, Value, json};
use vexil_object::{Change, Kind, ObjectKey, Objects, Seen, Store, meta};

use super::*;
use crate::{
    Capabilities, Claim, Feature, Provider, QuerySet, RouteError, RouteRequest, RouteTarget, Router, Routes,
    Weight, declare, mark, unmark,
};

const SPLIT: Kind = Kind::namespaced("toy.test", "v1", "Split", "splits");

#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    None,
    RoundsToTens,
    NeverSettles,
    ReplacesTheSpec,
    AdoptsForeign,
    CreatesUnobserved,
    OmitsTheOwner,
    NeverStopsAsking,
    IgnoresEdits,
    LeavesItsMarkers,
    KeepsMetadata,
    OmitsTheConditions,
    MirrorsEverything,
    OmitsTheSession,
    MirrorsWithoutSupport,
}

/// A router of one object: `spec.canary` is a weight, `spec.to` and `spec.match` say where requests that match go,
/// `spec.mirror` is the share that is copied, `spec.session` the cookie beside the weight.
struct Toy(Flaw);

/// The fields that are ours.
const FIELDS: [&str; 5] = ["canary", "to", "match", "mirror", "session"];

impl Toy {
    fn claim<'a>(&self, target: &RouteTarget<'_>, have: &'a Objects) -> Result<Claim<'a>, RouteError> {
        let key = key();
        match have.get(&SPLIT.definition()) {
            Seen::Absent => {
                return Err(RouteError::NotServed { kinds: SPLIT.to_string(), product: "Toy" });
            }
            Seen::NotKnown => {
                return Err(RouteError::NotKnown { object: SPLIT.definition().to_string() });
            }
            Seen::Present(_) => {}
        }
        match (Claim::of(&key, target.owner, have), have.get(&key)) {
            (Err(RouteError::NotKnown { .. }), _) if self.0 == Flaw::CreatesUnobserved => Ok(Claim::Absent),
            (Err(RouteError::Foreign { .. }), Seen::Present(live)) if self.0 == Flaw::AdoptsForeign => {
                Ok(Claim::Unclaimed(live))
            }
            (claim, _) => claim,
        }
    }

    /// The values of our fields; a field that is not among them is removed.
    fn fields(&self, want: &RouteRequest<'_>) -> Map<String, Value> {
        let fields = match (want, self.0) {
            (RouteRequest::Weighted { canary }, Flaw::RoundsToTens) => {
                json!({"canary": canary.percent() / 10 * 10})
            }
            (RouteRequest::Weighted { canary }, _) => json!({"canary": canary.percent()}),
            (RouteRequest::Matched { .. }, Flaw::OmitsTheConditions) => json!({"to": "canary"}),
            (RouteRequest::Matched { matches }, _) => {
                json!({"to": "canary", "match": json!(matches).to_string()})
            }
            (RouteRequest::Mirrored { .. }, Flaw::MirrorsEverything) => json!({"mirror": 100}),
            (RouteRequest::Mirrored { percent }, _) => json!({"mirror": percent.percent()}),
            (RouteRequest::Sticky { canary, .. }, Flaw::OmitsTheSession) => {
                json!({"canary": canary.percent()})
            }
            (RouteRequest::Sticky { canary, session }, _) => {
                json!({"canary": canary.percent(), "session": session.set_canary()})
            }
        };
        fields.as_object().cloned().unwrap_or_default()
    }

    fn written(&self, base: &Value, want: &RouteRequest<'_>) -> Result<Value, RouteError> {
        if base.get("spec").is_some_and(|spec| !spec.is_object()) && self.0 != Flaw::ReplacesTheSpec {
            return Err(RouteError::malformed(&key(), "spec", "is not an object"));
        }
        let mut object = base.clone();
        if self.0 == Flaw::ReplacesTheSpec {
            meta::set(&mut object, &["spec"], json!({}));
        }
        let fields = self.fields(want);
        for field in FIELDS {
            match fields.get(field) {
                Some(value) => meta::set(&mut object, &["spec", field], value.clone()),
                None => drop(object["spec"].as_object_mut().and_then(|spec| spec.remove(field))),
            }
        }
        mark(&mut object);
        Ok(object)
    }
}

fn key() -> ObjectKey {
    ObjectKey::new(SPLIT, "test", "podinfo")
}

/// What the fields say, when they say one thing.
fn said(live: &Value) -> Option<Routes> {
    let field = |name: &str| live.get("spec")?.get(name).filter(|value| !value.is_null());
    let weight = |value: &Value| value.as_i64().and_then(|percent| Weight::new(percent).ok());
    match FIELDS.map(field) {
        [Some(canary), None, None, None, None] => weight(canary).map(Routes::split),
        [Some(canary), None, None, None, Some(Value::String(_))] => {
            weight(canary).map(|canary| Routes::Sticky { canary })
        }
        [None, Some(to), _, None, None] => (to == "canary").then_some(Routes::Matched),
        [None, None, None, Some(percent), None] => {
            weight(percent).map(|percent| Routes::Mirrored { percent })
        }
        _ => None,
    }
}

impl Provider for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn supports(&self) -> Capabilities {
        let mirror = self.0 != Flaw::MirrorsWithoutSupport;
        Capabilities { weights: true, matches: true, mirror, affinity: true, ..Capabilities::default() }
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        None
    }
}

impl Router for Toy {
    fn needs(&self, _: &RouteTarget<'_>, have: &Objects) -> Vec<ObjectKey> {
        let needs = [SPLIT.definition(), key()];
        needs.into_iter().filter(|key| !have.has(key) || self.0 == Flaw::NeverStopsAsking).collect()
    }

    fn route(&self, _: &RouteTarget<'_>, _: &Objects) -> Option<ObjectKey> {
        Some(key())
    }

    fn read(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Routes, RouteError> {
        let live = match self.claim(target, have)? {
            Claim::Absent => return Err(RouteError::Absent { object: key().to_string() }),
            Claim::Ours(live) | Claim::Unclaimed(live) => live,
        };
        self.written(live, &RouteRequest::Weighted { canary: Weight::ZERO })?;
        match said(live) {
            Some(routes) => Ok(routes),
            None if self.0 == Flaw::IgnoresEdits => Ok(Routes::PRIMARY),
            None => Err(RouteError::edited(&key(), "spec.canary", "is not a weight")),
        }
    }

    fn render(
        &self,
        target: &RouteTarget<'_>,
        want: &Routes,
        have: &Objects,
    ) -> Result<Vec<Change>, RouteError> {
        let want = match (RouteRequest::of(want, target, self), want) {
            (Err(RouteError::Unsupported { .. }), Routes::Mirrored { percent }) => {
                RouteRequest::Mirrored { percent: *percent }
            }
            (want, _) => want?,
        };
        let live = match self.claim(target, have)? {
            Claim::Ours(live) | Claim::Unclaimed(live) => live,
            Claim::Absent => {
                let owners =
                    if self.0 == Flaw::OmitsTheOwner { json!([]) } else { json!([target.owner.reference()]) };
                let metadata = json!({"name": "podinfo", "namespace": "test", "ownerReferences": owners});
                let bare = json!({"apiVersion": "toy.test/v1", "kind": "Split", "metadata": metadata});
                return Ok(vec![Change::create(key(), self.written(&bare, &want)?)]);
            }
        };
        let mut wanted = self.written(live, &want)?;
        if meta::controller(live).is_some() {
            let block = target.spec.service.apex.as_ref();
            let block = block.filter(|block| self.0 != Flaw::KeepsMetadata || !block.labels.is_empty());
            if block.is_some() || self.0 != Flaw::KeepsMetadata {
                declare(&mut wanted, block, None);
            }
        }
        if self.0 == Flaw::NeverSettles {
            wanted["spec"]["again"] = json!(live["spec"]["again"].as_u64().unwrap_or(0) + 1);
        }
        Ok(Vec::from_iter(Change::between(key(), live, &wanted)))
    }

    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError> {
        let live = match self.claim(target, have) {
            Ok(Claim::Unclaimed(live)) => live,
            Ok(_) | Err(RouteError::Foreign { .. } | RouteError::NotServed { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut wanted = live.clone();
        if let Some(spec) = wanted.get_mut("spec").and_then(Value::as_object_mut) {
            spec.retain(|field, _| !FIELDS.contains(&field.as_str()));
        }
        if self.0 != Flaw::LeavesItsMarkers {
            unmark(&mut wanted, |_| false);
        }
        Ok(Vec::from_iter(Change::between(key(), live, &wanted)))
    }
}

fn check(flaw: Flaw, law: &str) {
    let sample = Sample::default();
    let mut cluster = Store::default();
    cluster.put(SPLIT.definition(), json!({}));
    let verdict = all(&Case {
        router: &Toy(flaw),
        target: sample.target(),
        cluster,
        route: key(),
        owned: true,
        weights: |live| live.pointer("/spec/canary")?.as_i64().map(|canary| (100 - canary, canary)),
        other_routes: Some(|live| said(live).filter(|routes| !matches!(routes, Routes::Weighted { .. }))),
        split: None,
        lists: &[],
        adoptable: &[json!({"spec": {"users": 1}})],
        foreign: &[],
        source: None,
    });
    let broken = verdict.as_ref().err().map(|broken| broken.law).unwrap_or_default();
    assert!(broken.contains(law) && broken.is_empty() == law.is_empty(), "{verdict:?} instead of {law:?}");
}

#[test]
fn a_router_that_keeps_the_laws_passes() {
    check(Flaw::None, "");
}

#[test]
fn each_flaw_breaks_its_law() {
    check(Flaw::RoundsToTens, "every request that is written is read back");
    check(Flaw::MirrorsEverything, "every request that is written is read back");
    check(Flaw::OmitsTheSession, "every request that is written is read back");
    check(Flaw::MirrorsWithoutSupport, "a request that the provider does not support is refused");
    check(Flaw::OmitsTheConditions, "the route follows the settings");
    check(Flaw::NeverSettles, "writing it again changes nothing");
    check(Flaw::ReplacesTheSpec, "fields and entries of others survive");
    check(Flaw::AdoptsForeign, "an object of another owner is not changed");
    check(Flaw::CreatesUnobserved, "what was not observed leads to no change");
    check(Flaw::OmitsTheOwner, "every request that is written is read back");
    check(Flaw::NeverStopsAsking, "every request that is written is read back");
    check(Flaw::IgnoresEdits, "drift is reported");
    check(Flaw::LeavesItsMarkers, "an object of the user is released as it was found");
    check(Flaw::KeepsMetadata, "metadata that the Canary declares is written and removed");
}

#[test]
fn a_request_without_its_settings_is_refused() {
    let mut sample = Sample::default();
    let check = |target: &RouteTarget<'_>, want: Routes, expect: &str| {
        let error = RouteRequest::of(&want, target, &Toy(Flaw::None)).unwrap_err().to_string();
        assert_eq!(error, format!("Canary podinfo.test: {expect} is missing"));
    };
    check(&sample.target(), Routes::Matched, "spec.analysis.match");
    let sticky = Routes::Sticky { canary: Weight::FULL };
    check(&sample.target(), sticky, "spec.analysis.sessionAffinity");
    (sample.spec, _) = requests::settings(&sample.spec)[0].clone();
    check(&sample.target(), sticky, "status.sessionAffinityCookie");
    let error = RouteRequest::of(&Routes::Mirrored { percent: Weight::FULL }, &sample.target(), &Nothing);
    assert_eq!(error, Err(RouteError::Unsupported { provider: "nothing", feature: Feature::Mirroring }));
    assert!(RouteRequest::of(&Routes::PRIMARY, &sample.target(), &Nothing).is_ok());
}

/// A provider that cannot route.
struct Nothing;

impl Provider for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }

    fn supports(&self) -> Capabilities {
        Capabilities::default()
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        None
    }
}
