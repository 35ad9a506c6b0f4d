//! Target and primary as the engine decides on them. States that it distinguishes are never merged here.

use serde_json::Value;
use vexil_analysis::{Known, Memory, Phase, Pods, Readiness, Revision};
use vexil_object::{Objects, Seen};
use vexil_plan::CanaryContext;
use vexil_workload::{Demand, Ownership, PrimaryTemplate, Side, untracked_revision};

use crate::Context;

/// The target.
pub(super) fn of_target(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    have: &Objects,
) -> Known<Pods> {
    let live = match live(context, canary, Side::Canary, have) {
        Known::Present(live) => live,
        Known::Absent => return Known::Absent,
        Known::NotKnown => return Known::NotKnown,
    };
    let subject = canary.subject(&context.settings);
    let demand = demand(canary, Side::Canary);
    let Ok(readiness) = canary.workload().readiness(&subject, Side::Canary, &demand, have) else {
        return Known::NotKnown;
    };
    // Without a revision nothing is decided on the target: its configuration is missing, or not known yet.
    let revision = canary.workload().target_revision(&subject, live, have).ok().flatten();
    let revision = if context.settings.workloads.config_tracking {
        revision
    } else {
        let remembered = [memory.held.as_ref(), memory.applied.as_ref()];
        revision.map(|template| untracked_revision(template, remembered.into_iter().flatten()))
    };
    // What has no pods of its own counts as scaled up for as long as a rollout needs it.
    let idle = if canary.workload().scales() {
        matches!(canary.workload().scale_to_zero(&subject, have), Ok(None))
    } else {
        memory.at_rest() || memory.ending.is_some() || memory.phase == Phase::Initializing
    };
    Known::Present(Pods {
        revision,
        replicas: if idle { 0 } else { 1 },
        available: canary.workload().available(live),
        readiness,
        owner_conflict: None,
        edited: false,
    })
}

/// The primary. Its revision is that of the target's revisions in use from which it was copied. The readiness of a
/// primary with another owner is not judged: it is neither written nor waited for.
pub(super) fn of_primary(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    target: Option<&Revision>,
    have: &Objects,
) -> Known<Pods> {
    let live = match live(context, canary, Side::Primary, have) {
        Known::Present(live) => live,
        Known::Absent => return Known::Absent,
        Known::NotKnown => return Known::NotKnown,
    };
    let subject = canary.subject(&context.settings);
    let foreign = foreign(context, canary, live);
    let readiness = if foreign.is_some() {
        Readiness::Ready
    } else {
        let demand = demand(canary, Side::Primary);
        match canary.workload().readiness(&subject, Side::Primary, &demand, have) {
            Ok(readiness) => readiness,
            Err(_) => return Known::NotKnown,
        }
    };
    let candidates = [memory.applied.as_ref(), memory.held.as_ref(), target];
    let held = candidates.into_iter().flatten().find(|of| canary.workload().holds(live, of)).cloned();
    let held = held.or_else(|| canary.workload().primary_revision(live));
    Known::Present(Pods {
        revision: held.or_else(|| memory.held.clone()),
        replicas: canary.workload().replicas(live).unwrap_or(1),
        available: canary.workload().available(live),
        readiness,
        owner_conflict: foreign,
        edited: matches!(
            canary.workload().template(live, memory.held.as_ref()),
            PrimaryTemplate::Edited | PrimaryTemplate::RolledBack
        ),
    })
}

fn live<'a>(context: &Context, canary: &CanaryContext, side: Side, have: &'a Objects) -> Known<&'a Value> {
    let subject = canary.subject(&context.settings);
    let key = match canary.workload().object(&subject, side, have) {
        Known::NotKnown => return Known::NotKnown,
        Known::Absent => return Known::Absent,
        Known::Present(key) => key,
    };
    match have.get(&key) {
        Seen::NotKnown => Known::NotKnown,
        Seen::Absent => Known::Absent,
        Seen::Present(live) => Known::Present(live),
    }
}

/// Why the object with the primary's name does not belong to this Canary, and what to do about it.
fn foreign(context: &Context, canary: &CanaryContext, live: &Value) -> Option<String> {
    let subject = canary.subject(&context.settings);
    let name = format!("{}-primary.{}", subject.target, subject.namespace);
    match canary.workload().ownership(&subject, live) {
        Ownership::Ours => None,
        Ownership::Unowned => Some(format!(
            "{name} has no owner reference to Canary {}, so it is left alone and nothing can be promoted to it; add \
             the owner reference (uid {}) instead of deleting it, which would cut off the traffic that it serves",
            canary.owner().name,
            canary.owner().uid
        )),
        Ownership::Foreign(owner) => Some(format!(
            "{name} is controlled by {owner}, so it is left alone and nothing can be promoted to it; remove or rename \
             it"
        )),
    }
}

/// When the pods of one side are ready.
fn demand(canary: &CanaryContext, side: Side) -> Demand {
    let analysis = canary.spec().analysis();
    let threshold_percent = match side {
        Side::Primary => analysis.map(|analysis| analysis.primary_ready_threshold()),
        Side::Canary => analysis.map(|analysis| analysis.canary_ready_threshold()),
    };
    Demand { threshold_percent: threshold_percent.unwrap_or(100), some_pod: side == Side::Canary }
}
