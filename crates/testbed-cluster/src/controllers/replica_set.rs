//! ReplicaSets: as many pods as asked for, and a status that counts them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::deployment::owner;
use super::op::{Op, Plan, Snapshot, Target, status_patch};
use crate::kinds::{POD, REPLICA_SET};
use crate::view;

const COMPONENT: &str = "replicaset-controller";

/// What all ReplicaSets need now.
pub(crate) fn plan(seen: &Snapshot, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let all = seen.by_owner(POD);
    for set in seen.all(REPLICA_SET).filter(|set| !view::is_terminating(set)) {
        let pods = all.of(set).iter().copied().filter(|pod| is_alive(pod));
        let (leaving, staying): (Vec<&Value>, Vec<&Value>) = pods.partition(|pod| view::is_terminating(pod));
        plan.ops.extend(resize(set, &staying));
        plan.join(status(set, &staying, leaving.len(), now));
    }
    plan
}

fn is_alive(pod: &Value) -> bool {
    !matches!(view::text(pod, "/status/phase"), "Failed" | "Succeeded")
}

fn resize(set: &Value, pods: &[&Value]) -> Vec<Op> {
    let wanted = usize::try_from(view::number(set, "/spec/replicas", 1)).unwrap_or(0);
    if pods.len() < wanted {
        return (pods.len()..wanted).map(|_| Op::Create(POD, pod(set))).collect();
    }
    let mut pods = pods.to_vec();
    // Who is not ready goes first, then the youngest.
    pods.sort_by_key(|pod| {
        (
            view::is_ready(pod),
            std::cmp::Reverse(view::text(pod, "/metadata/creationTimestamp")),
            view::name(pod),
        )
    });
    let excess = pods.len() - wanted;
    let gone = pods.into_iter().take(excess).flat_map(|pod| {
        let message = format!("Deleted pod: {}", view::name(pod));
        let event = Op::tell(COMPONENT, REPLICA_SET, set, "SuccessfulDelete", message);
        [Op::Delete(Target::new(POD, pod)), event]
    });
    gone.collect()
}

fn pod(set: &Value) -> Value {
    let field = |pointer: &str| view::at(set, pointer).cloned().unwrap_or_default();
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "generateName": format!("{}-", view::name(set)), "namespace": view::namespace(set),
            "labels": field("/spec/template/metadata/labels"),
            "ownerReferences": [owner("apps/v1", "ReplicaSet", set)],
        },
        "spec": field("/spec/template/spec"),
    });
    let annotations = field("/spec/template/metadata/annotations");
    if let (false, Some(metadata)) =
        (annotations.is_null(), pod.get_mut("metadata").and_then(Value::as_object_mut))
    {
        metadata.insert("annotations".to_owned(), annotations);
    }
    pod
}

fn status(set: &Value, pods: &[&Value], leaving: usize, now: Timestamp) -> Plan {
    let settle = SignedDuration::from_secs(view::number(set, "/spec/minReadySeconds", 0));
    let ready: Vec<&&Value> = pods.iter().filter(|pod| view::is_ready(pod)).collect();
    let due = |pod: &Value| {
        let since =
            view::condition(pod, "Ready").and_then(|ready| view::time(ready, "/lastTransitionTime"))?;
        since.checked_add(settle).ok()
    };
    let late: Vec<Timestamp> = ready.iter().filter_map(|pod| due(pod)).filter(|due| *due > now).collect();
    let mut want = json!({
        "replicas": pods.len(), "terminatingReplicas": leaving, "observedGeneration": view::generation(set),
    });
    for (field, count) in [
        ("fullyLabeledReplicas", pods.len()),
        ("readyReplicas", ready.len()),
        ("availableReplicas", ready.len() - late.len()),
    ] {
        // The API leaves a number out that is 0.
        if let (true, Some(want)) = (count > 0, want.as_object_mut()) {
            want.insert(field.to_owned(), count.into());
        }
    }
    let patch = status_patch(set.get("status"), &want);
    let ops = patch.map(|patch| Op::PatchStatus(Target::new(REPLICA_SET, set), patch)).into_iter().collect();
    Plan { ops, wake: late.into_iter().min() }
}
