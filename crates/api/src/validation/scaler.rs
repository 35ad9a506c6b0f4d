//! Validation of the target's autoscaler.

use super::names::{is_dns_name, too_long};
use super::{Subject, Validation, known_kinds};
use crate::ScalerRef;

/// The kinds there are, each with its API group and what to write for `apiVersion`. The version is not looked at:
/// `autoscaling/v2beta1` of an old guide means today's.
const KINDS: [(&str, &str, &str); 2] = [
    ("HorizontalPodAutoscaler", "autoscaling", "autoscaling/v2"),
    ("ScaledObject", "keda.sh", "keda.sh/v1alpha1"),
];

pub(super) fn check(subject: &Subject<'_>, found: &mut Validation) {
    let Some(reference) = &subject.spec.autoscaler_ref else { return };
    let target = subject.spec.target_ref.kind.as_str();
    if subject.is_knative() {
        return;
    }
    if matches!(target, "DaemonSet" | "Service") {
        found.defect("spec.autoscalerRef", format!("a {target} has no replicas; remove it"));
        return;
    }
    kind(subject, reference, found);
    name(reference, found);
    bounds(reference, found);
}

fn kind(subject: &Subject<'_>, reference: &ScalerRef, found: &mut Validation) {
    let kind = reference.kind.as_str();
    let added = subject.context.scaler_kinds;
    let Some((_, group, version)) = KINDS.iter().find(|(known, ..)| *known == kind) else {
        if added.contains(&kind) {
            return;
        }
        let text = if kind.is_empty() {
            "is required".to_owned()
        } else {
            let known = known_kinds(&KINDS.map(|(known, ..)| known), added);
            format!("unknown kind `{kind}`; there are {known}")
        };
        found.defect("spec.autoscalerRef.kind", text);
        return;
    };
    let named = reference.api_version.as_deref().filter(|version| !version.is_empty());
    if let Some(named) = named
        && named.split_once('/').map(|(group, _)| group) != Some(*group)
    {
        let text = format!("`{named}` has no {kind}; write {version}");
        found.defect("spec.autoscalerRef.apiVersion", text);
    }
    if kind != "ScaledObject" && reference.primary_scaler_queries.as_ref().is_some_and(|it| !it.is_empty()) {
        let text = format!("has no effect: a {kind} has no queries");
        found.remark("spec.autoscalerRef.primaryScalerQueries", text);
    }
}

/// An empty name is reported with those of the other references.
fn name(reference: &ScalerRef, found: &mut Validation) {
    let name = reference.name.as_str();
    // KEDA puts the name into a label.
    let max = if reference.kind == "ScaledObject" { 63 } else { 253 };
    if name.is_empty() {
    } else if !is_dns_name(name) {
        found.defect(
            "spec.autoscalerRef.name",
            format!("`{name}` is no name of a Kubernetes object: lower-case letters, digits, `-` and `.`"),
        );
    } else if name.len() + super::names::SUFFIX.len() > max {
        found.defect("spec.autoscalerRef.name", too_long(name, max));
    }
}

fn bounds(reference: &ScalerRef, found: &mut Validation) {
    const PATH: &str = "spec.autoscalerRef.primaryScalerReplicas";
    let Some(replicas) = &reference.primary_scaler_replicas else { return };
    let (min, max) = (replicas.min_replicas, replicas.max_replicas);
    for (field, bound) in [("minReplicas", min), ("maxReplicas", max)] {
        if bound.is_some_and(|bound| bound < 1) {
            found.defect(format!("{PATH}.{field}"), "must be at least 1");
        }
    }
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        found.defect(format!("{PATH}.minReplicas"), format!("{min} is more than maxReplicas {max}"));
    }
}
