//! What was recorded of one Canary, as lines for people and as sequences for comparisons.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use vexil_analysis::{Known, LiveRoutes, Observed, Pods, Readiness, Routes, Weight, laws};

use super::record::{Record, What};

/// What became of one Canary.
#[derive(Debug, Default)]
pub struct Story {
    /// One line for each thing that happened: seconds, kind, text. Events stand behind what else happened at the same
    /// instant: they are delivered beside it, and which comes first is left to chance.
    pub lines: Vec<String>,
    /// What each object went through, one entry for each change that matters.
    pub courses: BTreeMap<String, Vec<String>>,
    /// Events, by their text, with the number of Events that say so.
    pub events: BTreeMap<String, usize>,
    /// Laws of [`laws::broken_by_outcome`] that a write broke, with the line that did it.
    pub broken: Vec<String>,
}

impl Story {
    /// The story of the Canary `name`; its times count from the first sight of it.
    pub fn of(name: &str, records: &[Record]) -> Story {
        let is_canary = |record: &&Record| match &record.what {
            What::Is(object) => concerns(object, name) && object["kind"] == "Canary",
            What::Gone(_) | What::Note(..) => false,
        };
        let zero = records.iter().find(is_canary).map(|record| record.at).unwrap_or_default();
        let mut teller = Teller {
            name,
            zero,
            story: Story::default(),
            lines: Vec::new(),
            last: BTreeMap::new(),
            world: World::default(),
        };
        for record in records {
            teller.tell(record);
        }
        teller.lines.sort_by_key(|(at, event, _)| (*at, *event));
        teller.story.lines = teller.lines.into_iter().map(|(_, _, line)| line).collect();
        teller.story
    }

    pub fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

struct Teller<'a> {
    name: &'a str,
    zero: Duration,
    story: Story,
    lines: Vec<(Duration, bool, String)>,
    /// The last text of each face.
    last: BTreeMap<String, String>,
    world: World,
}

impl Teller<'_> {
    fn tell(&mut self, record: &Record) {
        let (object, gone) = match &record.what {
            What::Note(kind, text) => return self.line(record.at, kind, text),
            What::Is(object) => (object, false),
            What::Gone(object) => (object, true),
        };
        if !concerns(object, self.name) {
            return;
        }
        if gone {
            if object["kind"] != "EndpointSlice" && object["kind"] != "Event" {
                let text = format!("{} {}", text(object, "/kind"), text(object, "/metadata/name"));
                self.story.courses.entry(text.clone()).or_default().push("gone".to_owned());
                self.line(record.at, "gone", &text);
            }
        } else {
            self.faces(record.at, object);
        }
        if let Some(broken) = self.world.see(self.name, object, gone) {
            let line = self.lines.last().map(|(_, _, line)| line.as_str()).unwrap_or_default();
            self.story.broken.push(format!("{broken}: {line}"));
        }
    }

    fn faces(&mut self, at: Duration, object: &Value) {
        let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name"));
        match kind {
            "Canary" => self.face(at, "status", name, status(&object["status"])),
            "Deployment" => {
                let image = text(object, "/spec/template/spec/containers/0/image")
                    .rsplit(':')
                    .next()
                    .unwrap_or_default();
                let replicas = &object["spec"]["replicas"];
                self.face(at, "workload", name, format!("{name} replicas={replicas} image={image}"));
                let ready = object.pointer("/status/readyReplicas").and_then(Value::as_u64).unwrap_or(0);
                self.last.entry(format!("pods {name}")).or_insert_with(|| format!("{name} 0 ready"));
                self.face(at, "pods", name, format!("{name} {ready} ready"));
            }
            "Service" => {
                let selected =
                    object.pointer("/spec/selector/app").and_then(Value::as_str).unwrap_or("nothing");
                self.face(at, "service", name, format!("{name} selects {selected}"));
            }
            "TraefikService" => {
                let (primary, canary) = weights(object, self.name);
                self.face(at, "route", name, format!("primary={primary} canary={canary}"));
            }
            "Event" => {
                // A watch that begins anew tells again what there is.
                if self.last.insert(format!("event {name}"), String::new()).is_some() {
                    return;
                }
                let event = format!("{} {}", text(object, "/type"), text(object, "/message"));
                *self.story.events.entry(event.clone()).or_default() += 1;
                self.line(at, "event", &event);
            }
            _ => {}
        }
    }

    /// One side of an object: a line when it changed.
    fn face(&mut self, at: Duration, kind: &'static str, name: &str, text: String) {
        let key = format!("{kind} {name}");
        if self.last.get(&key) == Some(&text) {
            return;
        }
        self.line(at, kind, &text);
        if kind != "pods" {
            self.story.courses.entry(key.clone()).or_default().push(text.clone());
        }
        self.last.insert(key, text);
    }

    fn line(&mut self, at: Duration, kind: &str, text: &str) {
        let seconds = at.as_secs_f64() - self.zero.as_secs_f64();
        self.lines.push((at, kind == "event", format!("{seconds:8.2} {kind:<9} {text}")));
    }
}

/// Whether an object belongs to a Canary: by its name, or as an Event about it.
fn concerns(object: &Value, canary: &str) -> bool {
    let name = match text(object, "/kind") {
        "Event" if text(object, "/involvedObject/kind") != "Canary" => return false,
        "Event" => text(object, "/involvedObject/name"),
        _ => text(object, "/metadata/name"),
    };
    name == canary || name.strip_prefix(canary).is_some_and(|rest| rest.starts_with('-'))
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

fn status(status: &Value) -> String {
    let number = |field: &str| status.get(field).and_then(Value::as_u64).unwrap_or(0);
    let phase = text(status, "/phase");
    if phase.is_empty() {
        return "none".to_owned();
    }
    let mut line = format!("{phase} weight={} failed={}", number("canaryWeight"), number("failedChecks"));
    if let Some(result) = status.pointer("/ending/result").and_then(Value::as_str) {
        line += &format!(" ending={result}");
    }
    if status.get("drainUntil").is_some() {
        line += " draining";
    }
    line
}

fn weights(route: &Value, name: &str) -> (u64, u64) {
    let of = |side: &str| {
        let services = route.pointer("/spec/weighted/services").and_then(Value::as_array);
        let entry = services.and_then(|all| all.iter().find(|one| one["name"] == format!("{name}-{side}")));
        entry.and_then(|entry| entry["weight"].as_u64()).unwrap_or(0)
    };
    (of("primary"), of("canary"))
}

/// The world as the laws want to see it.
#[derive(Default)]
struct World {
    seen: Observed,
    /// Ready addresses of each slice, with its Service.
    slices: BTreeMap<String, (String, u32)>,
}

impl World {
    /// What a change of `object` breaks.
    fn see(&mut self, name: &str, object: &Value, gone: bool) -> Option<&'static str> {
        let before = self.seen.clone();
        match text(object, "/kind") {
            "TraefikService" => {
                let canary = Weight::new(weights(object, name).1 as i64).unwrap();
                self.seen.routes = LiveRoutes::Present { routes: Routes::split(canary), in_sync: true };
            }
            "Deployment" if text(object, "/metadata/name") == name => {
                let replicas = object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1) as u32;
                self.seen.target = Known::Present(Pods {
                    revision: None,
                    replicas,
                    available: replicas,
                    readiness: Readiness::Ready,
                    owner_conflict: None,
                    edited: false,
                });
            }
            "EndpointSlice" => self.addresses(name, object, gone),
            _ => {}
        }
        laws::broken_by_outcome(&before, &self.seen)
    }

    fn addresses(&mut self, name: &str, slice: &Value, gone: bool) {
        let key = text(slice, "/metadata/name").to_owned();
        let service = text(slice, "/metadata/labels/kubernetes.io~1service-name").to_owned();
        let endpoints = slice["endpoints"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ready = endpoints.iter().filter(|one| one["conditions"]["ready"] == true).count() as u32;
        match gone {
            true => drop(self.slices.remove(&key)),
            false => drop(self.slices.insert(key, (service, ready))),
        }
        let of = |side: &str| {
            let service = format!("{name}-{side}");
            let all: Vec<u32> =
                self.slices.values().filter(|(of, _)| *of == service).map(|(_, n)| *n).collect();
            if all.is_empty() { Known::Absent } else { Known::Present(all.iter().sum()) }
        };
        (self.seen.primary_addresses, self.seen.canary_addresses) = (of("primary"), of("canary"));
    }
}
