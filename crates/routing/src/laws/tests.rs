//! The laws hold for a router that keeps them, and each flaw is caught by the law that is meant for it.

use serde_json::{Value, json};
use vexil_object::{Change, Kind, ObjectKey, Objects, Seen, Store, meta};

use super::*;
use crate::{
    Capabilities, Claim, QuerySet, RouteError, RouteTarget, Router, Routes, Weight, declare, mark, unmark,
};

const SPLIT: Kind = Kind::namespaced("toy.test", "v1", "Split", "splits");

#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    None,
    RoundsToTens,
    NeverSettles,
    ReplacesTheSpec,
    AdoptsForeign,
    CreatesUnseen,
    ForgetsTheOwner,
    AsksForEver,
    IgnoresEdits,
    LeavesItsMarks,
    KeepsMetadata,
}

/// A router of one object, `spec.canary: <weight>`.
struct Toy(Flaw);

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
            (Err(RouteError::NotKnown { .. }), _) if self.0 == Flaw::CreatesUnseen => Ok(Claim::Absent),
            (Err(RouteError::Foreign { .. }), Seen::Present(live)) if self.0 == Flaw::AdoptsForeign => {
                Ok(Claim::Unclaimed(live))
            }
            (claim, _) => claim,
        }
    }

    fn written(&self, base: &Value, want: &Routes) -> Result<Value, RouteError> {
        if base.get("spec").is_some_and(|spec| !spec.is_object()) && self.0 != Flaw::ReplacesTheSpec {
            return Err(RouteError::Malformed {
                object: key().to_string(),
                path: "spec".to_owned(),
                problem: "is no object".to_owned(),
            });
        }
        let canary = match (self.0, want.canary().percent()) {
            (Flaw::RoundsToTens, weight) => weight / 10 * 10,
            (_, weight) => weight,
        };
        let mut object = base.clone();
        if self.0 == Flaw::ReplacesTheSpec {
            meta::set(&mut object, &["spec"], json!({}));
        }
        meta::set(&mut object, &["spec", "canary"], canary.into());
        mark(&mut object);
        Ok(object)
    }
}

fn key() -> ObjectKey {
    ObjectKey::new(SPLIT, "test", "podinfo")
}

impl Router for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn needs(&self, _: &RouteTarget<'_>, have: &Objects) -> Vec<ObjectKey> {
        let needs = [SPLIT.definition(), key()];
        needs.into_iter().filter(|key| !have.has(key) || self.0 == Flaw::AsksForEver).collect()
    }

    fn route(&self, _: &RouteTarget<'_>, _: &Objects) -> Option<ObjectKey> {
        Some(key())
    }

    fn read(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Routes, RouteError> {
        let live = match self.claim(target, have)? {
            Claim::Absent => return Err(RouteError::Absent { object: key().to_string() }),
            Claim::Ours(live) | Claim::Unclaimed(live) => live,
        };
        self.written(live, &Routes::PRIMARY)?;
        let weight = live.pointer("/spec/canary").and_then(Value::as_i64).map(Weight::new);
        match weight {
            Some(Ok(weight)) => Ok(Routes::split(weight)),
            _ if self.0 == Flaw::IgnoresEdits => Ok(Routes::PRIMARY),
            _ => Err(RouteError::Edited {
                object: key().to_string(),
                path: "spec.canary".to_owned(),
                problem: "is no weight".to_owned(),
            }),
        }
    }

    fn render(
        &self,
        target: &RouteTarget<'_>,
        want: &Routes,
        have: &Objects,
    ) -> Result<Vec<Change>, RouteError> {
        let claim = self.claim(target, have)?;
        if want.mirror() {
            return Err(RouteError::Unsupported { router: "toy", what: "mirroring" });
        }
        let live = match claim {
            Claim::Ours(live) | Claim::Unclaimed(live) => live,
            Claim::Absent => {
                let owners = if self.0 == Flaw::ForgetsTheOwner {
                    json!([])
                } else {
                    json!([target.owner.reference()])
                };
                let metadata = json!({"name": "podinfo", "namespace": "test", "ownerReferences": owners});
                let bare = json!({"apiVersion": "toy.test/v1", "kind": "Split", "metadata": metadata});
                return Ok(vec![Change::create(key(), self.written(&bare, want)?)]);
            }
        };
        let mut wanted = self.written(live, want)?;
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
            spec.remove("canary");
        }
        if self.0 != Flaw::LeavesItsMarks {
            unmark(&mut wanted, |_| false);
        }
        Ok(Vec::from_iter(Change::between(key(), live, &wanted)))
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, ..Capabilities::default() }
    }

    fn queries(&self) -> QuerySet {
        QuerySet("toy")
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
    check(Flaw::RoundsToTens, "every weight that is written is read back");
    check(Flaw::NeverSettles, "writing it again changes nothing");
    check(Flaw::ReplacesTheSpec, "fields and entries of others survive");
    check(Flaw::AdoptsForeign, "an object of another controller is left alone");
    check(Flaw::CreatesUnseen, "what is not known leads to no change");
    check(Flaw::ForgetsTheOwner, "every weight that is written is read back");
    check(Flaw::AsksForEver, "every weight that is written is read back");
    check(Flaw::IgnoresEdits, "an edit by hand is reported");
    check(Flaw::LeavesItsMarks, "a user's object is given back as it was found");
    check(Flaw::KeepsMetadata, "metadata that the Canary declares comes and goes");
}
