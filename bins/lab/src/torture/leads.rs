//! Law 2: what clients use leads to ready pods as long as a vetted copy has any. Read from the objects alone, so that a
//! broken route is found although no request happened to take it.

use std::{collections::BTreeMap, mem, sync::Arc};

use serde_json::{Map, Value};

use super::{
    finding::{Finding, Law},
    fold::Course,
    outcome::Outcome,
    place::{NAME, NAMESPACE, Place},
    record::{GRACE, Ms, Span, text},
    world::World,
};

/// What clients use, from each moment on at which it became another.
#[derive(Debug, Default)]
pub struct Ways {
    moments: Vec<Moment>,
    end: Ms,
}

#[derive(Debug, Default, PartialEq)]
struct Moment {
    at: Ms,
    /// Whether a primary has ready pods.
    is_vetted_ready: bool,
    /// What clients use that leads to no ready pod.
    dead_ends: Vec<String>,
}

impl Ways {
    /// Reads them from what was recorded.
    pub fn of(world: &World) -> Ways {
        let seen = world.recorder.seen();
        let (mut paths, mut moments) = (Paths::default(), Vec::<Moment>::new());
        for (at, happened) in &seen.past {
            let object = &happened.object;
            let changed = match happened.resource.as_str() {
                "services" if text(object, "/metadata/namespace") == NAMESPACE => {
                    paths.service(object, happened.gone)
                }
                "pods" => paths.pod(object, happened.gone),
                resource if resource == world.place.routes() => {
                    paths.route(world.place, object, happened.gone)
                }
                _ => false,
            };
            if changed {
                let (is_vetted_ready, dead_ends) = (paths.is_vetted_ready(), paths.dead_ends());
                moments.push(Moment { at: *at, is_vetted_ready, dead_ends });
            }
        }
        drop(seen);
        Ways { moments, end: world.recorder.ms() }
    }

    /// From when on, not before a moment, nothing that clients use leads nowhere.
    pub fn whole_after(&self, at: Ms) -> Ms {
        let is_whole = |moment: &&Moment| moment.dead_ends.is_empty();
        let last = self.moments.iter().rev().find(|moment| moment.at <= at);
        if last.is_none_or(|moment| is_whole(&moment)) {
            return at;
        }
        let later = self.moments.iter().filter(|moment| moment.at > at);
        later.into_iter().find(is_whole).map_or(Ms::MAX, |moment| moment.at)
    }
}

/// Judges all moments of a case.
pub fn judge(ways: &Ways, course: &Course, excused: &[Span], outcome: &mut Outcome) {
    let Some(begin) = course.initialized else { return };
    let mut since: BTreeMap<&str, Ms> = BTreeMap::new();
    let next = ways.moments.iter().skip(1).map(|moment| moment.at).chain([ways.end]);
    for (moment, until) in ways.moments.iter().zip(next) {
        let dead: &[String] = if moment.is_vetted_ready { &moment.dead_ends } else { &[] };
        since.retain(|end, _| dead.iter().any(|one| one == end));
        for end in dead {
            since.entry(end).or_insert(moment.at);
        }
        if let Some(found) = too_long(&since, begin, until, excused) {
            outcome.findings.push(found);
            return;
        }
    }
}

/// The first dead end that has been one for longer than anything excuses.
fn too_long(since: &BTreeMap<&str, Ms>, begin: Ms, now: Ms, excused: &[Span]) -> Option<Finding> {
    since.iter().find_map(|(end, from)| {
        let from = (*from).max(begin);
        let is_excused = excused.iter().any(|span| span.from <= now && span.to >= from);
        let text = format!("{end} leads to no ready pod for {} ms", now.saturating_sub(from));
        (!is_excused && now > from + GRACE).then(|| Finding::new(Law::LeadsToPods, from, text))
    })
}

type Labels = Arc<Map<String, Value>>;

/// What of the objects decides where requests go, at one moment.
#[derive(Default)]
struct Paths {
    /// Selectors by Service.
    services: BTreeMap<String, Labels>,
    /// Services and weights by route.
    routes: BTreeMap<String, Vec<(String, u64)>>,
    /// Labels of the pods that are ready.
    pods: BTreeMap<String, Labels>,
    /// Whether the Service of the apex ever existed. Before that no client can use it.
    had_apex: bool,
}

impl Paths {
    fn service(&mut self, object: &Value, gone: bool) -> bool {
        self.had_apex |= text(object, "/metadata/name") == NAME;
        let selector = object.pointer("/spec/selector").and_then(Value::as_object);
        put(&mut self.services, object, selector.cloned().map(Arc::new).filter(|_| !gone))
    }

    fn route(&mut self, place: &Place, object: &Value, gone: bool) -> bool {
        put(&mut self.routes, object, (!gone).then(|| place.weights(object)))
    }

    fn pod(&mut self, object: &Value, gone: bool) -> bool {
        let labels = object.pointer("/metadata/labels").and_then(Value::as_object);
        put(&mut self.pods, object, labels.filter(|_| !gone && is_ready(object)).cloned().map(Arc::new))
    }

    /// Whether a primary has ready pods.
    fn is_vetted_ready(&self) -> bool {
        let app = |labels: &Labels| labels.get("app").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.pods.values().any(|labels| app(labels).ends_with("-primary"))
    }

    /// What clients use that leads to no ready pod: the apex, and each Service to which a route gives weight.
    fn dead_ends(&self) -> Vec<String> {
        let ours = |service: &str| service.starts_with(NAME) && !self.has_ready(service);
        let mut all: Vec<String> = Vec::new();
        for (route, entries) in &self.routes {
            let used = entries.iter().filter(|(service, weight)| *weight > 0 && ours(service));
            all.extend(used.map(|(service, weight)| format!("{weight} % of route {route} to {service}")));
            let is_ours = entries.iter().any(|(service, _)| service.starts_with(NAME));
            let leads_nowhere = entries.iter().all(|(_, weight)| *weight == 0);
            all.extend((is_ours && leads_nowhere).then(|| format!("route {route}, without any weight,")));
        }
        all.extend((self.had_apex && ours(NAME)).then(|| format!("the apex {NAME}")));
        all
    }

    fn has_ready(&self, service: &str) -> bool {
        let fits = |selector: &Labels, labels: &Labels| {
            selector.iter().all(|(key, value)| labels.get(key) == Some(value))
        };
        let selector = self.services.get(service);
        selector.is_some_and(|selector| self.pods.values().any(|labels| fits(selector, labels)))
    }
}

/// Puts what matters of an object in its place, or takes it away. Whether it is another than before.
fn put<T: PartialEq>(all: &mut BTreeMap<String, T>, object: &Value, now: Option<T>) -> bool {
    let name = text(object, "/metadata/name");
    match (all.get_mut(name), now) {
        (None, None) => false,
        (Some(before), Some(now)) => {
            *before != now && {
                drop(mem::replace(before, now));
                true
            }
        }
        (None, Some(now)) => all.insert(name.to_owned(), now).is_none(),
        (Some(_), None) => all.remove(name).is_some(),
    }
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let ready = |one: &Value| text(one, "/type") == "Ready" && text(one, "/status") == "True";
    text(pod, "/metadata/deletionTimestamp").is_empty() && conditions.into_iter().any(ready)
}
