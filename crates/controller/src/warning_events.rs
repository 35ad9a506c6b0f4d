//! Trouble that the engine cannot tell, because there is no plan to decide on or no status to remember it in: one Event
//! for each distinct text, named after it, so that neither a tick nor a crash repeats it.

use serde_json::Value;
use vexil_analysis::{Known, bounded};
use vexil_api::{Defect, summary};
use vexil_object::{Kind, ObjectKey, kinds, meta};
use vexil_plan::CanaryContext;

use crate::{
    Context, notifications::Notification, observe::Observation, reconcile_result::ReconcileResult,
    runtime::CanaryRuntime, warnings,
};

/// A Canary that cannot be understood. Its traffic stays as it is.
pub(crate) fn invalid(
    context: &Context,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
    defects: &[Defect],
) -> ReconcileResult {
    let text = format!("invalid canary spec: {}", summary(defects));
    match context.cluster.look(key).object() {
        Some(live) => emit_once(context, live, key, runtime, &text),
        None => ReconcileResult::default(),
    }
}

/// What the user should know of a Canary that is processed all the same.
pub(crate) fn spec_warnings(
    context: &Context,
    canary: &CanaryContext,
    runtime: &mut CanaryRuntime,
) -> Vec<Notification> {
    let told = canary.warnings().iter().flat_map(|remark| {
        emit_once(context, canary.live(), canary.key(), runtime, &remark.to_string()).notifications
    });
    told.collect()
}

/// What the cluster shows beside: autoscalers that the Canary does not name, ports that are not published.
pub(crate) fn cluster_warnings(
    context: &Context,
    canary: &CanaryContext,
    observation: &Observation,
    runtime: &mut CanaryRuntime,
) -> Vec<Notification> {
    let foreign_pods = warnings::foreign_pods(context, canary, observation, runtime);
    let told = warnings::of_cluster(context, canary, observation).into_iter().chain(foreign_pods).flat_map(
        |remark| emit_once(context, canary.live(), canary.key(), runtime, &remark.to_string()).notifications,
    );
    told.collect()
}

/// Writes that the API server made something else of, though it holds nothing up. Told once.
pub(crate) fn altered(
    context: &Context,
    canary: &CanaryContext,
    runtime: &mut CanaryRuntime,
) -> Vec<Notification> {
    let texts = std::mem::take(&mut runtime.altered);
    texts
        .iter()
        .flat_map(|text| emit_once(context, canary.live(), canary.key(), runtime, text).notifications)
        .collect()
}

/// How long something may not be seen before it is told, in milliseconds.
const REPORT_AFTER_MS: u64 = 5_000;

/// What cannot be dependencies at, so that nothing is decided on it: rights that are missing, or another namespace than the
/// one that is watched. Told when it lasts.
pub(crate) fn unobserved(
    context: &Context,
    canary: &CanaryContext,
    observation: &Observation,
    runtime: &mut CanaryRuntime,
) -> ReconcileResult {
    let unknown = observation.have.iter().filter(|(_, seen)| !seen.is_known()).map(|(key, _)| key);
    let addresses = observation.seen.primary_addresses == Known::NotKnown;
    let why = unknown.filter_map(|key| why_unobserved(context, key)).next();
    let why = why.or_else(|| trouble(context, kinds::ENDPOINT_SLICE).filter(|_| addresses));
    let Some(text) = why else {
        runtime.unobserved_since = None;
        return ReconcileResult::default();
    };
    let now = context.clock.now();
    let lasts = now.since(*runtime.unobserved_since.get_or_insert(now));
    if lasts < REPORT_AFTER_MS {
        return ReconcileResult { requeue_ms: Some(REPORT_AFTER_MS - lasts), ..ReconcileResult::default() };
    }
    emit_once(context, canary.live(), canary.key(), runtime, &text)
}

fn why_unobserved(context: &Context, key: &ObjectKey) -> Option<String> {
    if !context.cluster.watches(key) {
        return Some(format!(
            "{key} is outside of the namespace that this operator watches; run one that watches all of them"
        ));
    }
    trouble(context, key.kind())
}

fn trouble(context: &Context, kind: Kind) -> Option<String> {
    let trouble = context.cluster.trouble(kind)?;
    Some(format!("{} of {} cannot be watched: {trouble}", kind.plural, kind.api_version()))
}

/// Tells a text once, as a warning.
pub(crate) fn emit_once(
    context: &Context,
    live: &Value,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
    text: &str,
) -> ReconcileResult {
    let text = bounded(text.to_owned());
    let notification = Notification::warning(key, meta::uid(live), &text, context.clock.now());
    if !runtime.is_new_event(&notification.event_name()) {
        return ReconcileResult::default();
    }
    tracing::error!(canary = %format!("{}.{}", key.name(), key.namespace()), "{text}");
    ReconcileResult { notifications: vec![notification], ..ReconcileResult::default() }
}
