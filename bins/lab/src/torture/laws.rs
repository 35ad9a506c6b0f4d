//! The laws, held against what was recorded: not against what the operator says of itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    alerts, configs, drift, excuses,
    features::CONFIG,
    finding::{Finding, Law},
    fold::{Course, course},
    gates,
    leads::{self, Ways},
    outcome::{LAST, Outcome},
    place::{NAME, NAMESPACE},
    record::{self, GRACE, Ms, events, text},
    step::Case,
    suspended, traffic,
    world::{OTHER, World},
};

/// A wait is reported after 5 s; an analysis waits its interval besides.
const SILENCE: Ms = 21_000;
/// The largest status.
const MAX_STATUS: usize = 64 * 1_024;

/// Judges a case that was played.
pub fn judge(world: &mut World, case: &Case, outcome: &mut Outcome) {
    let end = world.recorder.ms();
    let course = course(world);
    let ways = Ways::of(world);
    let excused = excuses::gather(world, &course, &ways, end);
    traffic::judge(world, case, &course, &excused, outcome);
    leads::judge(&ways, &course, &excused.errors, outcome);
    suspended::judge(world, &course, outcome);
    gates::judge(world, case, &course, outcome);
    configs::judge(world, outcome);
    drift::judge(world, case, outcome);
    waits(world, &course, end, outcome);
    sizes(world, outcome);
    told(world, &course, outcome);
    let errors = world.log.errors();
    let worse = errors.iter().find(|line| line.contains("panicked") || line.contains("broke a law"));
    if let Some(line) = worse {
        outcome.findings.push(Finding::new(Law::Panic, end, line.clone()));
    }
    if world.is_alive && world.operator.has_ended() {
        outcome.findings.push(Finding::new(Law::Panic, end, "the operator has ended by itself"));
    }
    outcome.kills = world.kills;
    alerts::judge(world, case, outcome);
}

/// Every wait of more than 5 s without progress has an Event.
fn waits(world: &World, course: &Course, end: Ms, outcome: &mut Outcome) {
    let told = events(&world.recorder);
    let mut ends: Vec<Ms> = course.progress.iter().skip(1).copied().collect();
    ends.push(end);
    for (from, to) in course.progress.iter().copied().zip(ends) {
        let busy = course.is_busy_at(from);
        let impaired =
            world.impaired.iter().any(|span| span.from < to && span.to.saturating_add(GRACE) > from);
        // What is reported with a change is about the change, not about the wait, unless it is a warning.
        let silent = !told
            .iter()
            .any(|(at, message)| (from..=to).contains(at) && (*at > from || message.starts_with("Warning")));
        if busy && silent && !impaired && to - from > SILENCE {
            let text = format!(
                "{} s without progress and without an Event: {}",
                (to - from) / 1_000,
                course.state_at(from)
            );
            outcome.findings.push(Finding::new(Law::WaitsAreTold, from, text));
            return;
        }
    }
}

fn sizes(world: &World, outcome: &mut Outcome) {
    let seen = world.recorder.seen();
    let status = |object: &Value| object.get("status").map_or(0, |status| status.to_string().len());
    let canaries = seen.past.iter().filter(|(_, one)| one.resource == "canaries.flagger.app");
    let largest = canaries.map(|(at, one)| (status(&one.object), *at)).max();
    if let Some((size, at)) = largest.filter(|(size, _)| *size > MAX_STATUS) {
        outcome.findings.push(Finding::new(Law::Bounded, at, format!("a status of {size} bytes")));
    }
    let routes = seen.past.iter().filter(|(_, one)| one.resource == world.place.routes());
    let most = routes.map(|(at, one)| (world.place.weights(&one.object).len(), *at)).max();
    if let Some((count, at)) = most.filter(|(count, _)| *count > 8) {
        outcome.findings.push(Finding::new(Law::Bounded, at, format!("a route with {count} entries")));
    }
}

/// No Event twice while nothing has changed, but for what each crash may repeat.
fn told(world: &World, course: &Course, outcome: &mut Outcome) {
    let mut since: BTreeMap<String, (Ms, Option<Timestamp>)> = BTreeMap::new();
    let (mut repeated, mut normal) = (Vec::new(), 0);
    let own_time = |event: &Value| text(event, "/firstTimestamp").parse::<Timestamp>().ok();
    for (at, event) in record::told(&world.recorder) {
        let (message, time) = (record::message(&event), own_time(&event));
        *outcome.events.entry(message.clone()).or_default() += 1;
        // What began anew, as an Event says, may meet the same trouble again.
        let is_normal = message.starts_with("Normal");
        if is_normal {
            normal = at;
        }
        if let Some((last, last_time)) = since.insert(message.clone(), (at, time))
            // Two that came together, because the API server did not answer, may be about what happened in turn.
            && let apart = time.zip(last_time).map_or(0, |(time, last)| time.duration_since(last).as_millis())
            && let last = last.min(at.saturating_sub(Ms::try_from(apart).unwrap_or_default()))
            && (is_normal || normal < last)
            && !course.progress.iter().any(|progress| (last..=at).contains(progress))
            && !world.turned.iter().any(|turn| (last..=at).contains(&turn.at))
            && !world.configured.iter().any(|configured| (last..=at).contains(configured))
            && !world.deeds.iter().any(|deed| deed.to.saturating_add(GRACE) >= last && deed.from <= at)
        {
            repeated.push((at, message));
        }
    }
    if let Some((at, message)) = repeated.get(world.kills as usize) {
        let text = format!("{} Events are repeated without cause, at last: {message}", repeated.len());
        outcome.findings.push(Finding::new(Law::Events, *at, text));
    }
}

/// In the end all is as if nothing had happened.
pub fn check_end(world: &World, outcome: &mut Outcome) {
    let at = world.recorder.ms();
    let mut wrong: Vec<String> = Vec::new();
    let canary = world.canary();
    if canary.pointer("/status/canaryWeight").and_then(Value::as_u64).unwrap_or(0) != 0 {
        wrong.push("the status has a weight".to_owned());
    }
    let seen = world.recorder.seen();
    for (service, app) in
        [(NAME, "podinfo-primary"), ("podinfo-primary", "podinfo-primary"), ("podinfo-canary", NAME)]
    {
        let selected =
            seen.now.get(&key_of("services", service)).map(|one| text(one, "/spec/selector/app").to_owned());
        if selected.as_deref() != Some(app) {
            wrong.push(format!("Service {service} selects {selected:?}"));
        }
    }
    let expected = ["podinfo", "podinfo-primary", "podinfo-canary", OTHER.0];
    for ((resource, namespace, name), object) in &seen.now {
        let named = matches!(resource.as_str(), "services" | "deployments.apps" | "daemonsets.apps");
        let ours = namespace == NAMESPACE && named;
        // The Services of an apex that was left stay, for clients that still come through it, and with them the
        // primary that they select.
        let selects = text(object, "/spec/selector/app");
        let earlier_primary = format!("{}-primary", OTHER.0);
        let is_apex_left = seen.now.contains_key(&key_of("services", OTHER.0));
        let earlier_apex = match resource.as_str() {
            "services" if selects == earlier_primary || selects == OTHER.0 => is_apex_left,
            "services" => selects == "podinfo-primary" || name.ends_with("-canary") && selects == NAME,
            _ => *name == earlier_primary && is_apex_left,
        };
        if ours && !earlier_apex && !expected.contains(&name.as_str()) {
            wrong.push(format!("{resource} {name} is left"));
        }
        if resource == world.place.routes() {
            let weights = world.place.weights(object);
            let to =
                |side: &str| weights.iter().filter(|(name, _)| name == side).map(|(_, n)| n).sum::<u64>();
            let is_ours = weights.iter().any(|(name, _)| name.starts_with(NAME) && name != NAME);
            if is_ours && (to("podinfo-canary") > 0 || to("podinfo-primary") == 0) {
                wrong.push(format!("route {name} has {weights:?}"));
            }
        }
    }
    drop(seen);
    if let Some((copy, original)) = configs(world).filter(|(copy, original)| copy != original) {
        wrong.push(format!("the primary is configured with {copy} instead of {original}"));
    }
    if world.tag_of("podinfo-primary") != LAST {
        wrong.push("the primary has another image".to_owned());
    }
    if !wrong.is_empty() {
        outcome.findings.push(Finding::new(
            Law::Ends,
            at,
            format!("not as never touched: {}", wrong.join("; ")),
        ));
    }
}

/// What the configuration of the primary says, and that of the target.
fn configs(world: &World) -> Option<(Value, Value)> {
    let resource = world.features.config?.resource();
    let data = |name: &str| {
        let object = world.recorder.object(resource, name);
        object.and_then(|object| object.get("data").cloned()).unwrap_or_default()
    };
    Some((data(&format!("{}-primary", CONFIG.0)), data(CONFIG.0)))
}

fn key_of(resource: &str, name: &str) -> (String, String, String) {
    (resource.to_owned(), NAMESPACE.to_owned(), name.to_owned())
}
