//! What a user sees of a rollout, as lines: status, Services, replicas, images, routes; and the Events beside it.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::time::Instant;

use super::{
    api::{CANARIES, DAEMON_SETS, DEPLOYMENTS, EVENTS, SERVICES},
    cast::Cast,
    recorder::{Moment, text},
};

/// One change that a user sees.
#[derive(Clone, Debug)]
pub struct Line {
    pub at: Instant,
    pub text: String,
}

/// The changes of everything that belongs to the Canary, in the order of the store. What looks the same to a user as
/// before is left out.
pub fn story(cast: &Cast, moments: &[Moment]) -> Vec<Line> {
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    let mut lines = Vec::new();
    for moment in moments {
        let Some(text) = line(cast, moment) else { continue };
        let subject = format!("{} {}", moment.of.1, moment.name());
        if last.insert(subject, text.clone()).as_deref() != Some(&text) {
            lines.push(Line { at: moment.at, text });
        }
    }
    lines
}

fn line(cast: &Cast, moment: &Moment) -> Option<String> {
    let object = &moment.object;
    let what = match moment.of {
        CANARIES => return status(object),
        DEPLOYMENTS | DAEMON_SETS => {
            let who = match moment.name() {
                name if name == cast.target => "target",
                name if name == cast.primary() => "primary",
                other => other,
            };
            let replicas = replicas(object);
            let image = text(object, "/spec/template/spec/containers/0/image");
            format!("{who} {replicas} of {}", image.rsplit(':').next().unwrap_or_default())
        }
        SERVICES => {
            format!("service {} selects {}", cast.in_story(moment.name()), text(object, "/spec/selector/app"))
        }
        _ if cast.is_route(moment.of, moment.name()) => format!("route{}", cast.weights(object)),
        _ => return None,
    };
    Some(if moment.gone { format!("{what}, deleted") } else { what })
}

/// The pods that are wanted: a DaemonSet that is scaled to zero is for no node, any other counts as 1.
pub fn replicas(object: &Value) -> u64 {
    let nodes = object.pointer("/spec/template/spec/nodeSelector");
    let at_zero = nodes.is_some_and(|nodes| nodes.get("flagger.app/scale-to-zero").is_some());
    object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(if at_zero { 0 } else { 1 })
}

/// Phase, weight, iterations and failed checks when there are any.
fn status(object: &Value) -> Option<String> {
    let phase = text(object, "/status/phase");
    let number = |name: &str| object.pointer(&format!("/status/{name}")).and_then(Value::as_i64).unwrap_or(0);
    if phase.is_empty() {
        return None;
    }
    let some = |word: &str, number: i64| match number {
        0 => String::new(),
        number => format!(" {word} {number}"),
    };
    let iterations = some("iteration", number("iterations"));
    let failed = some("failed", number("failedChecks"));
    let ending = text(object, "/status/ending/result");
    let ending = if ending.is_empty() { String::new() } else { format!(" ending {ending}") };
    Some(format!("status {phase} {}{iterations}{failed}{ending}", number("canaryWeight")))
}

/// The Events of the Canary as they are now, in the order in which they were first recorded.
pub fn events(moments: &[Moment]) -> Vec<&Value> {
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
    events.into_iter().map(|moment| moment.object.as_ref()).collect()
}

/// What they say; each with how often when that is not once.
pub fn told(moments: &[Moment]) -> Vec<String> {
    let line = |event: &Value| {
        let count = event.get("count").and_then(Value::as_u64).unwrap_or(1);
        let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
        format!("{} {}{times}", text(event, "/type"), text(event, "/message"))
    };
    events(moments).into_iter().map(line).collect()
}

/// The story with seconds since `start`, for a person who looks for what went wrong.
pub fn timeline(cast: &Cast, moments: &[Moment], start: Instant) -> String {
    let mut lines: Vec<(Instant, String)> =
        story(cast, moments).into_iter().map(|l| (l.at, l.text)).collect();
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
