//! Deployments: ReplicaSets per template, rolled by the rules of the `apps/v1` API.
//!
//! Not done: proportional scaling in the middle of a roll (the new ReplicaSet takes the difference), adoption of
//! ReplicaSets without a controller, hash collisions, `revisionHistoryLimit` of 0 mid-roll.

mod replicas;
mod status;

use jiff::Timestamp;
use serde_json::{Value, json};

use self::replicas::Limits;
use super::op::{Op, Plan, Snapshot, Target};
use crate::kinds::{DEPLOYMENT, POD, REPLICA_SET};
use crate::view;

const REVISION: &str = "deployment.kubernetes.io/revision";
const COMPONENT: &str = "deployment-controller";

/// What all Deployments need now.
pub(crate) fn plan(seen: &Snapshot, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let (sets, pods) = (seen.by_owner(REPLICA_SET), seen.by_owner(POD));
    let has_pods = |set: &Value| pods.of(set).iter().any(|pod| is_alive(pod));
    for deployment in seen.all(DEPLOYMENT).filter(|deployment| !view::is_terminating(deployment)) {
        plan.join(sync(&Roll::new(deployment, sets.of(deployment).to_vec(), now), has_pods));
    }
    plan
}

fn is_alive(pod: &Value) -> bool {
    !matches!(view::text(pod, "/status/phase"), "Failed" | "Succeeded")
}

/// One Deployment with its ReplicaSets, the new one and the old ones.
#[derive(Debug)]
struct Roll<'a> {
    deployment: &'a Value,
    desired: i64,
    hash: String,
    new: Option<&'a Value>,
    /// Oldest first.
    old: Vec<&'a Value>,
    limits: Limits,
    now: Timestamp,
}

impl<'a> Roll<'a> {
    fn new(deployment: &'a Value, mut sets: Vec<&'a Value>, now: Timestamp) -> Self {
        let template = view::at(deployment, "/spec/template").unwrap_or(&Value::Null);
        let hash = view::short_hash(template.to_string().as_bytes());
        sets.sort_by_key(|set| (revision(set), view::name(set)));
        let (new, old) =
            sets.into_iter().partition::<Vec<_>, _>(|set| view::label(set, "pod-template-hash") == hash);
        Roll {
            deployment,
            desired: view::number(deployment, "/spec/replicas", 1),
            hash,
            new: new.first().copied(),
            old,
            limits: Limits::of(deployment),
            now,
        }
    }

    fn sets(&self) -> impl Iterator<Item = &'a Value> {
        self.old.iter().copied().chain(self.new)
    }

    fn target(&self) -> Target {
        Target::new(DEPLOYMENT, self.deployment)
    }

    fn is_paused(&self) -> bool {
        view::at(self.deployment, "/spec/paused").and_then(Value::as_bool) == Some(true)
    }
}

/// One step, as the API's own controller takes them: at most one ReplicaSet changes between two statuses.
fn sync(roll: &Roll<'_>, has_pods: impl Fn(&Value) -> bool) -> Plan {
    let mut plan = Plan::default();
    if let Some(paused) = status::pause(roll) {
        plan.ops.push(Op::PatchStatus(roll.target(), paused));
        return plan;
    }
    if roll.is_paused() {
        plan.ops.extend(resize(roll));
        plan.join(status::plan(roll, false));
        return plan;
    }
    let recreate = view::text(roll.deployment, "/spec/strategy/type") == "Recreate";
    if recreate && clear(roll, &has_pods, &mut plan) {
        plan.join(status::plan(roll, true));
        return plan;
    }
    let Some(new) = roll.new else {
        plan.ops.extend(start(roll));
        return plan;
    };
    let renumber = renumber(roll, new);
    if !renumber.is_empty() {
        plan.ops = renumber;
        return plan;
    }
    let changes = replicas::changes(roll, new);
    if changes.is_empty() {
        plan.ops.extend(retire(roll));
    }
    plan.ops.extend(changes.into_iter().flat_map(|(set, replicas)| scale(roll, set, replicas)));
    plan.join(status::plan(roll, true));
    plan
}

/// For the strategy `Recreate`: scales the old sets down; true while any of their pods is left.
fn clear(roll: &Roll<'_>, has_pods: &impl Fn(&Value) -> bool, plan: &mut Plan) -> bool {
    let busy = roll.old.iter().filter(|set| view::number(set, "/spec/replicas", 1) > 0);
    plan.ops.extend(busy.flat_map(|set| scale(roll, set, 0)));
    !plan.ops.is_empty() || roll.old.iter().any(|set| has_pods(set))
}

/// While paused only the size is kept, on the newest set that has pods.
fn resize(roll: &Roll<'_>) -> Vec<Op> {
    let active = roll.sets().filter(|set| view::number(set, "/spec/replicas", 1) > 0).collect::<Vec<_>>();
    let Some(set) = (if active.len() > 1 { None } else { active.first().copied().or(roll.new) }) else {
        return Vec::new();
    };
    if view::number(set, "/spec/replicas", 1) == roll.desired {
        return Vec::new();
    }
    scale(roll, set, roll.desired)
}

fn revision(set: &Value) -> i64 {
    view::annotation(set, REVISION).parse().unwrap_or(0)
}

/// Creates the ReplicaSet of a new template and says so on the Deployment.
fn start(roll: &Roll<'_>) -> Vec<Op> {
    let name = format!("{}-{}", view::name(roll.deployment), roll.hash);
    let next = roll.old.iter().map(|set| revision(set)).max().unwrap_or(0) + 1;
    let replicas = replicas::first(roll);
    let mut template = view::at(roll.deployment, "/spec/template").cloned().unwrap_or_default();
    let mut selector = view::at(roll.deployment, "/spec/selector").cloned().unwrap_or_default();
    set_member(&mut template, &["metadata", "labels"], "pod-template-hash", &roll.hash);
    set_member(&mut selector, &["matchLabels"], "pod-template-hash", &roll.hash);
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": name, "namespace": view::namespace(roll.deployment),
            "labels": view::at(&template, "/metadata/labels").cloned().unwrap_or_default(),
            "annotations": sizes(roll, Some(next)),
            "ownerReferences": [owner("apps/v1", "Deployment", roll.deployment)],
        },
        "spec": {
            "replicas": replicas, "selector": selector, "template": template,
            "minReadySeconds": view::number(roll.deployment, "/spec/minReadySeconds", 0),
        },
    });
    let mut ops = vec![Op::Create(REPLICA_SET, set), number(roll, next)];
    if let Some(status) = status::created(roll, &name) {
        ops.push(Op::PatchStatus(roll.target(), status));
    }
    if replicas > 0 {
        ops.push(scaled(roll, &name, 0, replicas));
    }
    ops
}

/// A set that becomes the new one again gets the next revision; the Deployment shows that of its new set.
fn renumber(roll: &Roll<'_>, new: &Value) -> Vec<Op> {
    let newest_old = roll.old.iter().map(|set| revision(set)).max().unwrap_or(0);
    let wanted = if revision(new) > newest_old { revision(new) } else { newest_old + 1 };
    let mut ops = Vec::new();
    if wanted != revision(new) {
        let body = json!({"metadata": {"annotations": sizes(roll, Some(wanted))}});
        ops.push(Op::Patch(Target::new(REPLICA_SET, new), body));
    }
    if view::annotation(roll.deployment, REVISION) != wanted.to_string() {
        ops.push(number(roll, wanted));
    }
    ops
}

fn number(roll: &Roll<'_>, revision: i64) -> Op {
    Op::Patch(roll.target(), json!({"metadata": {"annotations": {REVISION: revision.to_string()}}}))
}

fn scale(roll: &Roll<'_>, set: &Value, replicas: i64) -> Vec<Op> {
    let from = view::number(set, "/spec/replicas", 1);
    let body = json!({"metadata": {"annotations": sizes(roll, None)}, "spec": {"replicas": replicas}});
    vec![Op::Patch(Target::new(REPLICA_SET, set), body), scaled(roll, view::name(set), from, replicas)]
}

fn scaled(roll: &Roll<'_>, set: &str, from: i64, to: i64) -> Op {
    let way = if to > from { "up" } else { "down" };
    let message = format!("Scaled {way} replica set {set} from {from} to {to}");
    Op::tell(COMPONENT, DEPLOYMENT, roll.deployment, "ScalingReplicaSet", message)
}

/// Deletes empty old sets beyond `revisionHistoryLimit`, once the roll is complete.
fn retire(roll: &Roll<'_>) -> Vec<Op> {
    let limit = view::number(roll.deployment, "/spec/revisionHistoryLimit", 10);
    let excess = i64::try_from(roll.old.len()).unwrap_or(i64::MAX) - limit;
    let empty = roll.old.iter().filter(|set| {
        view::number(set, "/spec/replicas", 1) == 0 && view::number(set, "/status/replicas", 0) == 0
    });
    let excess = usize::try_from(excess).unwrap_or(0);
    empty.take(excess).map(|set| Op::Delete(Target::new(REPLICA_SET, set))).collect()
}

/// The annotations that a ReplicaSet carries about its Deployment.
fn sizes(roll: &Roll<'_>, revision: Option<i64>) -> Value {
    let most = if roll.desired == 0 { 0 } else { roll.desired + roll.limits.surge };
    let mut annotations = json!({
        "deployment.kubernetes.io/desired-replicas": roll.desired.to_string(),
        "deployment.kubernetes.io/max-replicas": most.to_string(),
    });
    if let (Some(revision), Some(annotations)) = (revision, annotations.as_object_mut()) {
        annotations.insert(REVISION.to_owned(), revision.to_string().into());
    }
    annotations
}

/// An owner reference to a controlling owner.
pub(crate) fn owner(api_version: &str, kind: &str, object: &Value) -> Value {
    json!({
        "apiVersion": api_version, "kind": kind, "name": view::name(object), "uid": view::uid(object),
        "controller": true, "blockOwnerDeletion": true,
    })
}

fn set_member(object: &mut Value, path: &[&str], key: &str, value: &str) {
    let mut place = object;
    for step in path {
        if !place.is_object() {
            *place = json!({});
        }
        let Some(map) = place.as_object_mut() else { return };
        place = map.entry(*step).or_insert_with(|| json!({}));
    }
    if let Some(map) = place.as_object_mut() {
        map.insert(key.to_owned(), value.into());
    }
}
