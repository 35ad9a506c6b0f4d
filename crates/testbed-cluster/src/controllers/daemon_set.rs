//! DaemonSets: one pod on each node of a cluster that has two, unless a node selector asks for others; rolling updates
//! one pod at a time.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::deployment::owner;
use super::op::{Op, Plan, Snapshot, Target, status_patch};
use crate::kinds::{DAEMON_SET, POD};
use crate::view;

/// Nodes without labels.
const NODES: usize = 2;

/// The label with the digest of the template that a pod was made from.
const HASH: &str = "controller-revision-hash";

/// What all DaemonSets need now.
pub(crate) fn plan(seen: &Snapshot, _now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let all = seen.by_owner(POD);
    for set in seen.all(DAEMON_SET).filter(|set| !view::is_terminating(set)) {
        let pods: Vec<&Value> = all.of(set).to_vec();
        plan.ops.extend(scale(set, &pods));
        plan.ops.extend(status(set, &pods));
    }
    plan
}

fn desired(set: &Value) -> usize {
    let selector = view::at(set, "/spec/template/spec/nodeSelector").and_then(Value::as_object);
    if selector.is_none_or(serde_json::Map::is_empty) { NODES } else { 0 }
}

fn scale(set: &Value, pods: &[&Value]) -> Vec<Op> {
    let (wanted, hash) = (desired(set), hash(set));
    let staying: Vec<&&Value> = pods.iter().filter(|pod| !view::is_terminating(pod)).collect();
    // A node's next pod starts when its last one is gone.
    if pods.len() < wanted {
        return (pods.len()..wanted).map(|_| Op::Create(POD, pod(set, &hash))).collect();
    }
    let excess = staying.iter().take(staying.len().saturating_sub(wanted));
    let mut gone: Vec<&Value> = excess.map(|pod| **pod).collect();
    let all_ready = pods.len() == staying.len() && staying.iter().all(|pod| view::is_ready(pod));
    let outdated = || staying.iter().filter(|pod| view::label(pod, HASH) != hash);
    if gone.is_empty() {
        // An old pod that is not ready may always be replaced, a ready one if all are.
        let next =
            outdated().find(|pod| !view::is_ready(pod)).or_else(|| outdated().next().filter(|_| all_ready));
        gone.extend(next.map(|pod| **pod));
    }
    gone.into_iter().map(|pod| Op::Delete(Target::new(POD, pod))).collect()
}

fn hash(set: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    view::at(set, "/spec/template").map(Value::to_string).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn pod(set: &Value, hash: &str) -> Value {
    let field = |pointer: &str| view::at(set, pointer).cloned().unwrap_or_default();
    let mut labels = field("/spec/template/metadata/labels");
    if let Some(labels) = labels.as_object_mut() {
        labels.insert(HASH.to_owned(), hash.into());
    }
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "generateName": format!("{}-", view::name(set)), "namespace": view::namespace(set), "labels": labels,
            "annotations": field("/spec/template/metadata/annotations"),
            "ownerReferences": [owner("apps/v1", "DaemonSet", set)],
        },
        "spec": field("/spec/template/spec"),
    })
}

fn status(set: &Value, pods: &[&Value]) -> Option<Op> {
    let (wanted, hash) = (desired(set), hash(set));
    let staying: Vec<&&Value> = pods.iter().filter(|pod| !view::is_terminating(pod)).collect();
    let ready = staying.iter().filter(|pod| view::is_ready(pod)).count();
    let updated = staying.iter().filter(|pod| view::label(pod, HASH) == hash).count();
    let mut want = json!({
        "currentNumberScheduled": staying.len().min(wanted), "desiredNumberScheduled": wanted,
        "numberMisscheduled": staying.len().saturating_sub(wanted), "numberReady": ready,
        "observedGeneration": view::generation(set),
    });
    for (field, count) in [
        ("updatedNumberScheduled", updated),
        ("numberAvailable", ready),
        ("numberUnavailable", wanted.saturating_sub(ready)),
    ] {
        // The API leaves a number out that is 0.
        if let (true, Some(want)) = (count > 0, want.as_object_mut()) {
            want.insert(field.to_owned(), count.into());
        }
    }
    let patch = status_patch(set.get("status"), &want)?;
    Some(Op::PatchStatus(Target::new(DAEMON_SET, set), patch))
}
