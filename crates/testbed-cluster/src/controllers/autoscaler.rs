//! HorizontalPodAutoscalers, as far as a cluster without resource metrics has them: the bounds are kept.
//!
//! A target with 0 replicas is left alone (scaling is disabled then), one within the bounds stays as it is, since its
//! metrics cannot be had. Bounds are kept at once, except where two autoscalers have the same target: these take turns
//! every 15 s, as the real controller comes to each of them. Not done: metrics, behavior, stabilisation, targets other
//! than Deployments, Events about metrics.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::op::{Op, Plan, Snapshot, Target, status_patch};
use crate::kinds::{AUTOSCALER, DEPLOYMENT};
use crate::view;

/// The real controller's `--horizontal-pod-autoscaler-sync-period`.
const SYNC: SignedDuration = SignedDuration::from_secs(15);

/// What all autoscalers do now.
pub(crate) fn plan(seen: &Snapshot, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    for scaler in seen.all(AUTOSCALER).filter(|scaler| !view::is_terminating(scaler)) {
        if view::text(scaler, "/spec/scaleTargetRef/kind") != DEPLOYMENT.kind {
            continue;
        }
        let name = view::text(scaler, "/spec/scaleTargetRef/name");
        let rivals = rivals(seen, scaler);
        let last = view::time(scaler, "/status/lastScaleTime").filter(|_| rivals.len() > 1);
        let next = last.and_then(|last| last.checked_add(SYNC).ok()).filter(|next| *next > now);
        match (next, seen.get(DEPLOYMENT, view::namespace(scaler), name)) {
            (_, None) => plan.ops.extend(lost(scaler, now)),
            (None, Some(deployment)) => plan.ops.extend(keep(scaler, deployment, &rivals, now)),
            (next, Some(_)) => plan.wake_at(next),
        }
    }
    plan
}

/// All autoscalers with the target of this one, itself among them, as the real controller writes them.
fn rivals(seen: &Snapshot, scaler: &Value) -> Vec<String> {
    let target = |scaler: &Value| {
        let text = |field: &str| view::text(scaler, &format!("/spec/scaleTargetRef/{field}")).to_owned();
        (view::namespace(scaler).to_owned(), text("kind"), text("name"))
    };
    let own = target(scaler);
    let same = seen.all(AUTOSCALER).filter(|other| target(other) == own);
    same.map(|other| format!("{}/{}", view::namespace(other), view::name(other))).collect()
}

fn lost(scaler: &Value, now: Timestamp) -> Option<Op> {
    let message = "the HPA controller was unable to get the target's current scale";
    tell(scaler, (0, 0), &[("AbleToScale", "False", "FailedGetScale", message)], false, now)
}

fn keep(scaler: &Value, deployment: &Value, rivals: &[String], now: Timestamp) -> Vec<Op> {
    let message = "the HPA controller was able to get the target's current scale";
    let able = ("AbleToScale", "True", "SucceededGetScale", message);
    let current = view::number(deployment, "/spec/replicas", 1);
    if current == 0 {
        let message = "scaling is disabled since the replica count of the target is zero";
        let disabled = ("ScalingActive", "False", "ScalingDisabled", message);
        return tell(scaler, (0, 0), &[able, disabled], false, now).into_iter().collect();
    }
    let least = view::number(scaler, "/spec/minReplicas", 1);
    let most = view::number(scaler, "/spec/maxReplicas", 1);
    let wanted = current.min(most).max(least.min(most));
    if wanted == current {
        let message = no_count(rivals);
        let reason = if rivals.len() > 1 { "AmbiguousSelector" } else { "FailedGetResourceMetric" };
        let inactive = ("ScalingActive", "False", reason, message.as_str());
        return tell(scaler, (current, wanted), &[able, inactive], false, now).into_iter().collect();
    }
    let body = json!({"spec": {"replicas": wanted}});
    let bound = if wanted > current { "below Spec.MinReplicas" } else { "above Spec.MaxReplicas" };
    let message = format!("New size: {wanted}; reason: Current number of replicas {bound}");
    let mut ops = vec![Op::Patch(Target::new(DEPLOYMENT, deployment), body)];
    ops.push(Op::tell("horizontal-pod-autoscaler", AUTOSCALER, scaler, "SuccessfulRescale", message));
    ops.extend(tell(scaler, (current, wanted), &[able], true, now));
    ops
}

/// Why the controller does not know how many there should be.
fn no_count(rivals: &[String]) -> String {
    if rivals.len() > 1 {
        return format!("pods of the target are controlled by multiple HPAs: [{}]", rivals.join(" "));
    }
    "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for \
     resource cpu: no metrics returned from resource metrics API"
        .to_owned()
}

type Condition<'a> = (&'a str, &'a str, &'a str, &'a str);

fn tell(
    scaler: &Value,
    (current, wanted): (i64, i64),
    conditions: &[Condition<'_>],
    scaled: bool,
    now: Timestamp,
) -> Option<Op> {
    let condition = |(kind, status, reason, message): &Condition<'_>| {
        let old = view::condition(scaler, kind).filter(|old| view::text(old, "/status") == *status);
        let since =
            old.map_or_else(|| view::stamp(now), |old| view::text(old, "/lastTransitionTime").to_owned());
        json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since})
    };
    let mut want = json!({
        "conditions": conditions.iter().map(condition).collect::<Vec<_>>(), "desiredReplicas": wanted,
    });
    let last = view::text(scaler, "/status/lastScaleTime").to_owned();
    let last = if scaled { view::stamp(now) } else { last };
    if let Some(want) = want.as_object_mut() {
        let count = (current > 0).then(|| ("currentReplicas", current.into()));
        let time = (!last.is_empty()).then(|| ("lastScaleTime", Value::from(last)));
        want.extend([count, time].into_iter().flatten().map(|(key, value)| (key.to_owned(), value)));
    }
    let patch = status_patch(scaler.get("status"), &want)?;
    Some(Op::PatchStatus(Target::new(AUTOSCALER, scaler), patch))
}
