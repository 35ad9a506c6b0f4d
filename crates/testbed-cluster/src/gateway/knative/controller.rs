//! Knative's controller: a Revision of every edit of a template, pods of every Revision, and the traffic of a Service
//! once all Revisions that it names are ready.

use serde_json::{Value, json};

use super::{REVISION, SERVICE};
use crate::controllers::{Op, Snapshot, Target, owner, status_patch};
use crate::kinds::{self, DEPLOYMENT};
use crate::view;

/// The number of a Revision, which grows with every edit of the template.
const NUMBER: &str = "serving.knative.dev/configurationGeneration";
/// The label of everything that belongs to a Revision.
const OF_REVISION: &str = "serving.knative.dev/revision";
/// The template that a Revision was made of, as a digest. Knative compares the templates themselves.
const TEMPLATE: &str = "testbed.example.com/template";

/// What all Services and Revisions need now.
pub(super) fn plan(seen: &Snapshot) -> Vec<Op> {
    let mut ops = Vec::new();
    let owned = seen.by_owner(REVISION);
    for service in seen.all(SERVICE).filter(|service| !view::is_terminating(service)) {
        let revisions = in_order(owned.of(service));
        ops.extend(defaults(service));
        ops.extend(create(service, revisions.last().copied()));
        ops.extend(status(service, &revisions));
    }
    for revision in seen.all(REVISION).filter(|revision| !view::is_terminating(revision)) {
        ops.extend(run(seen, revision));
    }
    ops
}

/// The Revisions of a Service, the oldest first.
pub(super) fn in_order<'a>(revisions: &[&'a Value]) -> Vec<&'a Value> {
    let mut revisions = revisions.to_vec();
    revisions.sort_by_key(|revision| number(revision));
    revisions
}

fn number(revision: &Value) -> u64 {
    view::label(revision, NUMBER).parse().unwrap_or(0)
}

/// What Knative's webhook adds to a Service: traffic follows the latest Revision unless it names others.
fn defaults(service: &Value) -> Option<Op> {
    let live = view::list(service, "/spec/traffic");
    let mut list = live.to_vec();
    if list.is_empty() {
        list.push(json!({"latestRevision": true, "percent": 100}));
    }
    for entry in &mut list {
        let is_latest = view::text(entry, "/revisionName").is_empty();
        if let Some(fields) = entry.as_object_mut() {
            fields.entry("latestRevision").or_insert_with(|| is_latest.into());
        }
    }
    (list != live).then(|| Op::Patch(Target::new(SERVICE, service), json!({"spec": {"traffic": list}})))
}

/// The Revision of the template, if the last one is of another.
fn create(service: &Value, last: Option<&Value>) -> Option<Op> {
    let template = view::at(service, "/spec/template").cloned().unwrap_or_default();
    let digest = view::short_hash(template.to_string().as_bytes());
    if last.is_some_and(|last| view::annotation(last, TEMPLATE) == digest) {
        return None;
    }
    let number = last.map_or(0, number) + 1;
    let name = view::name(service);
    Some(Op::Create(
        REVISION,
        json!({
            "apiVersion": REVISION.api_version(), "kind": REVISION.kind,
            "metadata": {
                "name": format!("{name}-{number:05}"), "namespace": view::namespace(service),
                "labels": {NUMBER: number.to_string(), "serving.knative.dev/service": name},
                "annotations": {TEMPLATE: digest},
                "ownerReferences": [owner(&SERVICE.api_version(), SERVICE.kind, service)],
            },
            "spec": template.get("spec"),
        }),
    ))
}

/// The Deployment and the Service of a Revision, and whether its pods are there.
fn run(seen: &Snapshot, revision: &Value) -> Vec<Op> {
    let (namespace, name) = (view::namespace(revision), view::name(revision));
    let mut ops = Vec::new();
    let labels = json!({OF_REVISION: name});
    let references = json!([owner(&REVISION.api_version(), REVISION.kind, revision)]);
    let deployment = seen.get(DEPLOYMENT, namespace, &format!("{name}-deployment"));
    if deployment.is_none() {
        ops.push(Op::Create(
            DEPLOYMENT,
            json!({
                "apiVersion": DEPLOYMENT.api_version(), "kind": DEPLOYMENT.kind,
                "metadata": {
                    "name": format!("{name}-deployment"), "namespace": namespace, "labels": labels,
                    "ownerReferences": references,
                },
                "spec": {
                    "replicas": 1, "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": revision.get("spec")},
                },
            }),
        ));
    }
    if seen.get(kinds::SERVICE, namespace, name).is_none() {
        let port = view::number(revision, "/spec/containers/0/ports/0/containerPort", 8080);
        ops.push(Op::Create(
            kinds::SERVICE,
            json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {
                    "name": name, "namespace": namespace, "labels": labels, "ownerReferences": references,
                },
                "spec": {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": port}]},
            }),
        ));
    }
    let available = deployment.map_or(0, |one| view::number(one, "/status/availableReplicas", 0));
    let ready = if available > 0 {
        condition("Ready", "True", "", "")
    } else {
        condition("Ready", "Unknown", "Deploying", "")
    };
    let want = json!({"conditions": [ready], "observedGeneration": view::generation(revision)});
    let patch = status_patch(revision.get("status"), &want);
    ops.extend(patch.map(|patch| Op::PatchStatus(Target::new(REVISION, revision), patch)));
    ops
}

fn is_ready(revision: &Value) -> bool {
    view::list(revision, "/status/conditions").iter().any(|one| view::text(one, "/status") == "True")
}

/// The traffic of a Service that Knative applies, and why it is not the one that is asked for.
pub(super) struct Applied {
    pub(super) traffic: Vec<Value>,
    blocked: Option<(&'static str, &'static str, String)>,
}

/// Traffic stays as it was until every Revision that it names is ready.
pub(super) fn applied(service: &Value, revisions: &[&Value]) -> Applied {
    let ready = latest_ready(revisions);
    let mut traffic = Vec::new();
    let mut blocked = None;
    for entry in view::list(service, "/spec/traffic") {
        let named = Some(view::text(entry, "/revisionName")).filter(|name| !name.is_empty());
        let Some(name) = named.or(ready) else {
            blocked = Some(("Unknown", "RevisionMissing", "no Revision is ready".to_owned()));
            continue;
        };
        match revisions.iter().find(|revision| view::name(revision) == name) {
            None => blocked = Some(("False", "RevisionMissing", format!("Revision \"{name}\" is missing"))),
            Some(revision) if named.is_some() && !is_ready(revision) => {
                blocked = blocked.or_else(|| {
                    Some(("Unknown", "RevisionNotReady", format!("Revision \"{name}\" is not ready")))
                });
            }
            Some(_) => {
                let mut applied = entry.clone();
                if let Some(fields) = applied.as_object_mut() {
                    fields.insert("revisionName".to_owned(), name.into());
                }
                traffic.push(applied);
            }
        }
    }
    if blocked.is_some() {
        traffic = view::list(service, "/status/traffic").to_vec();
    }
    Applied { traffic, blocked }
}

fn latest_ready<'a>(revisions: &[&'a Value]) -> Option<&'a str> {
    revisions.iter().rev().find(|revision| is_ready(revision)).map(|revision| view::name(revision))
}

/// What Knative reports of a Service.
fn status(service: &Value, revisions: &[&Value]) -> Option<Op> {
    let latest = revisions.last().map(|revision| view::name(revision));
    let ready = latest_ready(revisions);
    let Applied { traffic, blocked } = applied(service, revisions);
    let routes = match &blocked {
        None => condition("RoutesReady", "True", "", ""),
        Some((status, reason, message)) => condition("RoutesReady", status, reason, message),
    };
    // The Service is ready when its routes are, and what was pushed last as well.
    let ready_or_not = match (&blocked, latest == ready) {
        (None, false) => condition("Ready", "Unknown", "RevisionNotReady", ""),
        (None, true) => condition("Ready", "True", "", ""),
        (Some((status, reason, message)), _) => condition("Ready", status, reason, message),
    };
    let want = json!({
        "observedGeneration": view::generation(service),
        "latestCreatedRevisionName": latest,
        "latestReadyRevisionName": ready,
        "traffic": traffic,
        "conditions": [ready_or_not, routes],
    });
    let patch = status_patch(service.get("status"), &want)?;
    Some(Op::PatchStatus(Target::new(SERVICE, service), patch))
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message})
}
