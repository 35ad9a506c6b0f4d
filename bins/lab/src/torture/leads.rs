//! Law 2: what clients use leads to ready pods as long as a vetted copy has any. Read from the objects alone, so that a
//! broken route is found although no request happened to take it.

#![expect(
    clippy::indexing_slicing,
    reason = "objects and lists that are made here, with a shape that is known"
)]

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

use super::{
    finding::{Finding, Law},
    fold::Course,
    laws::GRACE,
    place::{NAME, NAMESPACE, Place},
    play::Outcome,
    record::{Ms, Span, text},
    world::World,
};

/// The objects that clients' requests pass, at one moment.
#[derive(Default)]
struct Paths {
    services: BTreeMap<String, Arc<Value>>,
    routes: BTreeMap<String, Arc<Value>>,
    pods: BTreeMap<String, Arc<Value>>,
}

/// Judges all moments of a case.
pub fn judge(world: &World, course: &Course, excused: &[Span], outcome: &mut Outcome) {
    let Some(begin) = course.initialized else { return };
    let seen = world.recorder.seen();
    let mut paths = Paths::default();
    let mut since: BTreeMap<String, Ms> = BTreeMap::new();
    for (at, happened) in &seen.past {
        let object = &happened.object;
        let key = text(object, "/metadata/name").to_owned();
        let of = match happened.resource.as_str() {
            "services" if text(object, "/metadata/namespace") == NAMESPACE => &mut paths.services,
            "pods" => &mut paths.pods,
            resource if resource == world.place.routes() => &mut paths.routes,
            _ => continue,
        };
        if happened.gone {
            of.remove(&key);
        } else {
            of.insert(key, Arc::clone(object));
        }
        let dead: Vec<String> =
            if paths.is_vetted_ready() { paths.dead_ends(world.place) } else { Vec::new() };
        since.retain(|end, _| dead.contains(end));
        for end in dead {
            since.entry(end).or_insert(*at);
        }
        if let Some(found) = too_long(&since, begin, *at, excused) {
            outcome.findings.push(found);
            return;
        }
    }
    drop(seen);
    outcome.findings.extend(too_long(&since, begin, world.recorder.ms(), excused));
}

/// The first dead end that has been one for longer than anything excuses.
fn too_long(since: &BTreeMap<String, Ms>, begin: Ms, now: Ms, excused: &[Span]) -> Option<Finding> {
    since.iter().find_map(|(end, from)| {
        let from = (*from).max(begin);
        let is_excused = excused.iter().any(|span| span.from <= now && span.to >= from);
        let text = format!("{end} leads to no ready pod for {} ms", now.saturating_sub(from));
        (!is_excused && now > from + GRACE).then(|| Finding::new(Law::LeadsToPods, from, text))
    })
}

impl Paths {
    /// Whether a primary has ready pods.
    fn is_vetted_ready(&self) -> bool {
        self.pods.values().any(|pod| text(pod, "/metadata/labels/app").ends_with("-primary") && is_ready(pod))
    }

    /// What clients use that leads to no ready pod: the apex, and each Service to which a route gives weight.
    fn dead_ends(&self, place: &Place) -> Vec<String> {
        let weighted = self.routes.iter().flat_map(|(route, object)| {
            let entries = place.weights(object).into_iter().filter(|(_, weight)| *weight > 0);
            entries
                .map(move |(service, weight)| (format!("{weight} % of route {route} to {service}"), service))
        });
        let ours = |service: &str| service.starts_with(NAME);
        let used = weighted.chain([(format!("the apex {NAME}"), NAME.to_owned())]);
        used.filter(|(_, service)| ours(service) && !self.has_ready(service)).map(|(what, _)| what).collect()
    }

    fn has_ready(&self, service: &str) -> bool {
        let selector = self.services.get(service).and_then(|one| one.pointer("/spec/selector")?.as_object());
        selector.is_some_and(|selector| self.pods.values().any(|pod| is_ready(pod) && fits(selector, pod)))
    }
}

fn fits(selector: &Map<String, Value>, pod: &Value) -> bool {
    selector.iter().all(|(key, value)| pod["metadata"]["labels"].get(key) == Some(value))
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let ready = |one: &Value| one["type"] == "Ready" && one["status"] == "True";
    text(pod, "/metadata/deletionTimestamp").is_empty() && conditions.into_iter().any(ready)
}
