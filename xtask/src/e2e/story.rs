//! What a user sees of a rollout, as lines: status, Services, replicas, images, routes; and the Events beside it.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::time::Instant;

use super::{
    api::{CANARIES, DEPLOYMENTS, EVENTS, ROUTES, SERVICES},
    recorder::{Moment, text},
};

/// One change that a user sees.
#[derive(Clone, Debug)]
pub struct Line {
    pub at: Instant,
    pub text: String,
}

/// The changes of everything that belongs to the Canary `podinfo`, in the order of the store. What looks the same to
/// a user as before is left out.
pub fn story(moments: &[Moment]) -> Vec<Line> {
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    let mut lines = Vec::new();
    for moment in moments {
        let Some(text) = line(moment) else { continue };
        let subject = format!("{} {}", moment.of.1, moment.name());
        if last.insert(subject, text.clone()).as_deref() != Some(&text) {
            lines.push(Line { at: moment.at, text });
        }
    }
    lines
}

fn line(moment: &Moment) -> Option<String> {
    let object = &moment.object;
    let what = match moment.of {
        CANARIES => return status(object),
        DEPLOYMENTS => {
            let who = match moment.name() {
                "podinfo" => "target",
                "podinfo-primary" => "primary",
                other => other,
            };
            let replicas = object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
            let image = text(object, "/spec/template/spec/containers/0/image");
            format!("{who} {replicas} of {}", image.rsplit(':').next().unwrap_or_default())
        }
        SERVICES => format!("service {} selects {}", moment.name(), text(object, "/spec/selector/app")),
        ROUTES => format!("route{}", weights(object)),
        _ => return None,
    };
    Some(if moment.gone { format!("{what}, deleted") } else { what })
}

/// Phase, weight, and failed checks when there are any.
fn status(object: &Value) -> Option<String> {
    let phase = text(object, "/status/phase");
    let number = |name: &str| object.pointer(&format!("/status/{name}")).and_then(Value::as_i64).unwrap_or(0);
    if phase.is_empty() {
        return None;
    }
    let failed = number("failedChecks");
    let failed = if failed > 0 { format!(" failed {failed}") } else { String::new() };
    let ending = text(object, "/status/ending/result");
    let ending = if ending.is_empty() { String::new() } else { format!(" ending {ending}") };
    Some(format!("status {phase} {}{failed}{ending}", number("canaryWeight")))
}

/// Each entry of a TraefikService with its weight.
fn weights(object: &Value) -> String {
    let entries = object.pointer("/spec/weighted/services").and_then(Value::as_array);
    let entry = |entry: &Value| {
        let name = text(entry, "/name");
        let name = name.strip_prefix("podinfo-").unwrap_or(name);
        let weight = entry.get("weight").and_then(Value::as_i64);
        format!(" {name} {}", weight.map_or("?".to_owned(), |weight| weight.to_string()))
    };
    entries.into_iter().flatten().map(entry).collect()
}

/// The share of the canary in a TraefikService, and whether it has an entry at all.
pub fn canary_share(route: &Value) -> Option<i64> {
    let entries = route.pointer("/spec/weighted/services").and_then(Value::as_array)?;
    let entry = entries.iter().find(|entry| text(entry, "/name") == "podinfo-canary")?;
    entry.get("weight").and_then(Value::as_i64)
}

/// The Events of the Canary, in the order in which they were first told; each with how often when that is not once.
pub fn told(moments: &[Moment]) -> Vec<String> {
    let mut events: Vec<&Moment> = Vec::new();
    for moment in moments.iter().filter(|moment| moment.of == EVENTS) {
        if text(&moment.object, "/involvedObject/kind") != "Canary" {
            continue;
        }
        match events.iter_mut().find(|event| event.name() == moment.name()) {
            Some(event) => *event = moment,
            None => events.push(moment),
        }
    }
    let line = |moment: &Moment| {
        let count = moment.object.get("count").and_then(Value::as_u64).unwrap_or(1);
        let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
        format!("{} {}{times}", text(&moment.object, "/type"), text(&moment.object, "/message"))
    };
    events.into_iter().map(line).collect()
}

/// The story with seconds since `start`, for a person who looks for what went wrong.
pub fn timeline(moments: &[Moment], start: Instant) -> String {
    let mut lines: Vec<(Instant, String)> = story(moments).into_iter().map(|l| (l.at, l.text)).collect();
    for moment in moments.iter().filter(|moment| moment.of == EVENTS) {
        let who = text(&moment.object, "/involvedObject/kind");
        if who == "Canary" {
            let message = text(&moment.object, "/message");
            lines.push((moment.at, format!("event {} {message}", text(&moment.object, "/type"))));
        }
    }
    lines.sort_by_key(|(at, _)| *at);
    let line = |(at, text): &(Instant, String)| {
        let seconds = at.saturating_duration_since(start).as_secs_f64();
        format!("      {seconds:7.2}  {text}\n")
    };
    lines.iter().map(line).collect()
}
