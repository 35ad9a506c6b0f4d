//! Law 11: every alert is received, and once, but for what each crash may repeat.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
};

use serde_json::Value;

use super::{
    features::ALERTS,
    finding::{Finding, Law},
    outcome::Outcome,
    place::NAME,
    record::text,
    step::{Case, Step},
    world::World,
};

/// An alert of a Canary: that of which it was, its number, and when it was noticed.
type Noticed = (String, u64, u64);

/// Judges what the receiver of alerts got.
pub fn judge(world: &World, case: &Case, outcome: &mut Outcome) {
    if world.features.alerts.is_none() || case.steps.iter().any(redirects) {
        return;
    }
    let (noticed, received) = (noticed(world), received(world));
    let at = world.recorder.ms();
    for (message, count) in &received {
        let wanted = noticed.get(message).map_or(0, BTreeSet::len);
        if *count > wanted + world.kills as usize {
            let text = format!("{count} times received, {wanted} times noticed: {message}");
            outcome.findings.push(Finding::new(Law::Alerts, at, text));
            return;
        }
    }
    // What was not delivered when a Canary is deleted, or while a clock is wrong, needs no delivery any more.
    let forgets = case.steps.iter().any(|step| matches!(step, Step::Jump(_) | Step::AsFlagger));
    let canary = world.canary();
    let uid = text(&canary, "/metadata/uid");
    let is_whole = outcome.findings.is_empty() && world.notices() == 0;
    let dropped = canary.pointer("/status/outbox/lost").and_then(Value::as_u64).unwrap_or(0) > 0;
    if forgets || !is_whole || dropped {
        return;
    }
    for (message, all) in &noticed {
        let wanted = all.iter().filter(|(of, ..)| of == uid).count();
        let count = received.get(message).copied().unwrap_or(0);
        if count < wanted {
            let text = format!("{count} times received, {wanted} times noticed: {message}");
            outcome.findings.push(Finding::new(Law::Alerts, at, text));
            return;
        }
    }
}

/// Steps after which alerts go elsewhere for a while.
fn redirects(step: &Step) -> bool {
    matches!(step, Step::Edit(title, _) if title.contains("analysis.alerts"))
}

/// The alerts that the outbox had for the receiver, by message.
fn noticed(world: &World) -> BTreeMap<String, BTreeSet<Noticed>> {
    let (seen, to) = (world.recorder.seen(), format!("alert/{ALERTS}"));
    let mut all: BTreeMap<String, BTreeSet<Noticed>> = BTreeMap::new();
    for (_, happened) in &seen.past {
        let object = &happened.object;
        if happened.resource != "canaries.flagger.app" || text(object, "/metadata/name") != NAME {
            continue;
        }
        let entries = object.pointer("/status/outbox/entries").and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            let for_us = |to_all: &Vec<Value>| to_all.iter().any(|one| one.as_str() == Some(to.as_str()));
            if entry.get("to").and_then(Value::as_array).is_some_and(for_us) {
                let number = |name: &str| entry.get(name).and_then(Value::as_u64).unwrap_or(0);
                let uid = text(object, "/metadata/uid").to_owned();
                let message = text(entry, "/alert/message").to_owned();
                all.entry(message).or_default().insert((uid, number("seq"), number("time")));
            }
        }
    }
    all
}

/// How often each message was received.
fn received(world: &World) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for body in world.alerts.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let message = text(body, "/attachments/0/text").to_owned();
        *all.entry(message).or_default() += 1;
    }
    all
}
