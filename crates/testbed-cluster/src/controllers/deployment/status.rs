//! The status of a Deployment: numbers of pods and the conditions `Available` and `Progressing`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::Roll;
use crate::controllers::op::{Op, Plan, status_patch};
use crate::view;

/// `progressDeadlineSeconds` that means "none".
const NO_DEADLINE: i64 = i32::MAX as i64;

/// Brings the status up to date and asks again when the deadline is due. While paused the progress is not judged.
pub(super) fn plan(roll: &Roll<'_>, judge: bool) -> Plan {
    let mut status = numbers(roll);
    let mut conditions = view::list(roll.deployment, "/status/conditions").to_vec();
    put(&mut conditions, availability(roll, &status), roll.now, false);
    let mut wake = None;
    if judge {
        wake = progress(roll, &status, &mut conditions);
    }
    status.insert("conditions".to_owned(), Value::Array(conditions));
    let patch = status_patch(roll.deployment.get("status"), &Value::Object(status));
    let ops = patch.map(|patch| Op::PatchStatus(roll.target(), patch)).into_iter().collect();
    Plan { ops, wake }
}

/// The condition of a new ReplicaSet, without anything else being updated.
pub(super) fn created(roll: &Roll<'_>, set: &str) -> Option<Value> {
    deadline(roll)?;
    let message = format!("Created new replica set {set:?}");
    patch_condition(roll, progressing("True", "NewReplicaSetCreated", message))
}

/// The condition of a pause or of its end; `None` when it is there already.
pub(super) fn pause(roll: &Roll<'_>) -> Option<Value> {
    let reason = view::condition(roll.deployment, "Progressing").map_or("", |now| view::text(now, "/reason"));
    if deadline(roll).is_none() || reason == "ProgressDeadlineExceeded" {
        return None;
    }
    match (roll.is_paused(), reason == "DeploymentPaused") {
        (true, false) => patch_condition(
            roll,
            progressing("Unknown", "DeploymentPaused", "Deployment is paused".to_owned()),
        ),
        (false, true) => patch_condition(
            roll,
            progressing("Unknown", "DeploymentResumed", "Deployment is resumed".to_owned()),
        ),
        _ => None,
    }
}

fn patch_condition(roll: &Roll<'_>, condition: Condition) -> Option<Value> {
    let mut conditions = view::list(roll.deployment, "/status/conditions").to_vec();
    put(&mut conditions, condition, roll.now, false).then(|| json!({"status": {"conditions": conditions}}))
}

fn numbers(roll: &Roll<'_>) -> Map<String, Value> {
    let sum = |pointer: &str| roll.sets().map(|set| view::number(set, pointer, 0)).sum::<i64>();
    let available = sum("/status/availableReplicas");
    let updated = roll.new.map_or(0, |new| view::number(new, "/status/replicas", 0));
    let mut status = Map::new();
    status.insert("observedGeneration".to_owned(), view::generation(roll.deployment).into());
    status.insert("terminatingReplicas".to_owned(), sum("/status/terminatingReplicas").into());
    for (field, value) in [
        ("replicas", sum("/status/replicas")),
        ("updatedReplicas", updated),
        ("readyReplicas", sum("/status/readyReplicas")),
        ("availableReplicas", available),
        ("unavailableReplicas", sum("/spec/replicas") - available),
    ] {
        // The API leaves a number out that is 0.
        if value > 0 {
            status.insert(field.to_owned(), value.into());
        }
    }
    status
}

fn count(status: &Map<String, Value>, field: &str) -> i64 {
    status.get(field).and_then(Value::as_i64).unwrap_or(0)
}

fn availability(roll: &Roll<'_>, status: &Map<String, Value>) -> Condition {
    let enough = count(status, "availableReplicas") >= roll.desired - roll.limits.unavailable;
    let (status, reason, message) = if enough {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    Condition { kind: "Available", status, reason, message: message.to_owned() }
}

fn deadline(roll: &Roll<'_>) -> Option<SignedDuration> {
    let seconds = view::number(roll.deployment, "/spec/progressDeadlineSeconds", 600);
    (seconds != NO_DEADLINE).then(|| SignedDuration::from_secs(seconds))
}

/// Judges the progress; answers when the deadline is due.
fn progress(roll: &Roll<'_>, status: &Map<String, Value>, conditions: &mut Vec<Value>) -> Option<Timestamp> {
    let deadline = deadline(roll)?;
    let now = view::condition(roll.deployment, "Progressing");
    let reason = now.map_or("", |now| view::text(now, "/reason"));
    let settled = count(status, "replicas") == count(status, "updatedReplicas");
    if settled && reason == "NewReplicaSetAvailable" {
        return None;
    }
    let subject = match roll.new {
        Some(new) => format!("ReplicaSet {:?}", view::name(new)),
        None => format!("Deployment {:?}", view::name(roll.deployment)),
    };
    if is_complete(roll, status) {
        let message = format!("{subject} has successfully progressed.");
        put(conditions, progressing("True", "NewReplicaSetAvailable", message), roll.now, false);
        return None;
    }
    if has_moved(roll, status) {
        let message = format!("{subject} is progressing.");
        put(conditions, progressing("True", "ReplicaSetUpdated", message), roll.now, true);
        return roll.now.checked_add(deadline).ok();
    }
    if matches!(reason, "" | "NewReplicaSetAvailable" | "ProgressDeadlineExceeded") {
        return None;
    }
    let due = now.and_then(|now| view::time(now, "/lastUpdateTime"))?.checked_add(deadline).ok()?;
    if due >= roll.now {
        // Times are stored in whole seconds, and the deadline must have passed.
        return due.checked_add(SignedDuration::from_secs(1)).ok();
    }
    let message = format!("{subject} has timed out progressing.");
    put(conditions, progressing("False", "ProgressDeadlineExceeded", message), roll.now, false);
    None
}

fn is_complete(roll: &Roll<'_>, status: &Map<String, Value>) -> bool {
    ["updatedReplicas", "replicas", "availableReplicas"]
        .iter()
        .all(|field| count(status, field) == roll.desired)
}

/// Whether there are more new pods, fewer old ones, or more that are ready or available than before.
fn has_moved(roll: &Roll<'_>, status: &Map<String, Value>) -> bool {
    let before = |field: &str| view::number(roll.deployment, &format!("/status/{field}"), 0);
    let grew = |field: &str| count(status, field) > before(field);
    let old = count(status, "replicas") - count(status, "updatedReplicas");
    grew("updatedReplicas")
        || old < before("replicas") - before("updatedReplicas")
        || grew("readyReplicas")
        || grew("availableReplicas")
}

#[derive(Debug)]
struct Condition {
    kind: &'static str,
    status: &'static str,
    reason: &'static str,
    message: String,
}

fn progressing(status: &'static str, reason: &'static str, message: String) -> Condition {
    Condition { kind: "Progressing", status, reason, message }
}

/// Replaces the condition of that type; the transition time moves with the status, the update time with the reason
/// too. Unchanged ones are left alone unless `touch`. True when something was written.
fn put(conditions: &mut Vec<Value>, new: Condition, now: Timestamp, touch: bool) -> bool {
    let place = conditions.iter().position(|condition| view::text(condition, "/type") == new.kind);
    let old = place.map(|place| conditions.remove(place));
    let is = |pointer: &str, value: &str| old.as_ref().is_some_and(|old| view::text(old, pointer) == value);
    let same_status = is("/status", new.status);
    if let (Some(old), Some(place)) = (&old, place)
        && same_status
        && is("/reason", new.reason)
        && !touch
    {
        conditions.insert(place, old.clone());
        return false;
    }
    let stamp = view::stamp(now);
    let since = match &old {
        Some(old) if same_status => view::text(old, "/lastTransitionTime").to_owned(),
        _ => stamp.clone(),
    };
    conditions.push(json!({
        "type": new.kind, "status": new.status, "reason": new.reason, "message": new.message,
        "lastUpdateTime": stamp, "lastTransitionTime": since,
    }));
    true
}
