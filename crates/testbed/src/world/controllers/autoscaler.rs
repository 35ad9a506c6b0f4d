//! HorizontalPodAutoscalers, as far as a cluster without resource metrics has them: the bounds are kept.
//!
//! A target with 0 replicas is left alone (scaling is disabled then). Not done: metrics, behavior, stabilisation, the
//! sync period of 15 s (bounds are kept at once), targets other than Deployments.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::op::{Op, Plan, Snapshot, Target, status_patch};
use crate::world::kinds::{AUTOSCALER, DEPLOYMENT};
use crate::world::view;

/// What all autoscalers do now.
pub(crate) fn plan(seen: &Snapshot, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    for scaler in seen.all(AUTOSCALER).filter(|scaler| !view::is_terminating(scaler)) {
        if view::text(scaler, "/spec/scaleTargetRef/kind") != DEPLOYMENT.kind {
            continue;
        }
        let name = view::text(scaler, "/spec/scaleTargetRef/name");
        let found = seen.get(DEPLOYMENT, view::namespace(scaler), name);
        plan.ops.extend(keep(scaler, found, now));
    }
    plan
}

fn keep(scaler: &Value, found: Option<&Value>, now: Timestamp) -> Vec<Op> {
    let Some(deployment) = found else {
        let message = "the HPA controller was unable to get the target's current scale";
        return tell(scaler, 0, 0, &[("AbleToScale", "False", "FailedGetScale", message)], now)
            .into_iter()
            .collect();
    };
    let able = (
        "AbleToScale",
        "True",
        "SucceededGetScale",
        "the HPA controller was able to get the target's current scale",
    );
    let current = view::number(deployment, "/spec/replicas", 1);
    if current == 0 {
        let message = "scaling is disabled since the replica count of the target is zero";
        let disabled = ("ScalingActive", "False", "ScalingDisabled", message);
        return tell(scaler, 0, 0, &[able, disabled], now).into_iter().collect();
    }
    let least = view::number(scaler, "/spec/minReplicas", 1);
    let most = view::number(scaler, "/spec/maxReplicas", 1);
    let wanted = current.min(most).max(least.min(most));
    let mut ops: Vec<Op> = tell(scaler, current, wanted, &[able], now).into_iter().collect();
    if wanted != current {
        let body = json!({"spec": {"replicas": wanted}});
        let bound = if wanted > current { "below Spec.MinReplicas" } else { "above Spec.MaxReplicas" };
        let message = format!("New size: {wanted}; reason: Current number of replicas {bound}");
        ops.push(Op::Patch(Target::new(DEPLOYMENT, deployment), body));
        ops.push(Op::tell("horizontal-pod-autoscaler", AUTOSCALER, scaler, "SuccessfulRescale", message));
    }
    ops
}

type Condition<'a> = (&'a str, &'a str, &'a str, &'a str);

fn tell(scaler: &Value, current: i64, wanted: i64, told: &[Condition<'_>], now: Timestamp) -> Option<Op> {
    let condition = |(kind, status, reason, message): &Condition<'_>| {
        let old = view::condition(scaler, kind).filter(|old| view::text(old, "/status") == *status);
        let since =
            old.map_or_else(|| view::stamp(now), |old| view::text(old, "/lastTransitionTime").to_owned());
        json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since})
    };
    let mut want = json!({
        "conditions": told.iter().map(condition).collect::<Vec<_>>(), "desiredReplicas": wanted,
    });
    if let (true, Some(want)) = (current > 0, want.as_object_mut()) {
        want.insert("currentReplicas".to_owned(), current.into());
    }
    let patch = status_patch(scaler.get("status"), &want)?;
    Some(Op::PatchStatus(Target::new(AUTOSCALER, scaler), patch))
}
