//! Warnings outside of the outbox: what the engine does not decide on, or what cannot be remembered in a status. Each
//! text is one Event, named after its digest, so that neither a reconcile nor a crash repeats it.

use serde_json::Value;
use vexil_analysis::{Known, Message, bounded, limits::REPORT_WAIT_AFTER_MS};
use vexil_api::{Defect, Remark, summary};
use vexil_object::{Kind, ObjectKey, kinds, meta};
use vexil_plan::CanaryContext;

use crate::{
    Context, notifications::Notification, observe::Observation, reconcile_result::ReconcileResult,
    runtime::CanaryRuntime, warnings,
};

/// A Canary whose spec is invalid. Its traffic stays as it is.
pub(crate) fn invalid(
    context: &Context,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
    defects: &[Defect],
) -> ReconcileResult {
    let text = Message::InvalidSpec { defects: summary(defects) }.to_string();
    match context.cluster.look(key).object() {
        Some(live) => emit_once(context, live, key, runtime, &text),
        None => ReconcileResult::default(),
    }
}

/// What the user should know of the spec, although it is valid.
pub(crate) fn spec_warnings(
    context: &Context,
    canary: &CanaryContext,
    runtime: &mut CanaryRuntime,
) -> Vec<Notification> {
    emit_all(context, canary, runtime, canary.warnings())
}

/// What the user should know of the cluster: autoscalers that the Canary does not name, ports that are not published.
pub(crate) fn cluster_warnings(
    context: &Context,
    canary: &CanaryContext,
    observation: &Observation,
    runtime: &mut CanaryRuntime,
) -> Vec<Notification> {
    let foreign_pods = warnings::foreign_pods(context, canary, observation, runtime);
    let mut warnings = warnings::of_cluster(context, canary, observation);
    warnings.extend(foreign_pods);
    emit_all(context, canary, runtime, &warnings)
}

/// Writes that the API server stored differently, without effect on the rollout.
pub(crate) fn altered(
    context: &Context,
    canary: &CanaryContext,
    runtime: &mut CanaryRuntime,
) -> Vec<Notification> {
    let texts = std::mem::take(&mut runtime.altered);
    let emitted = texts
        .iter()
        .flat_map(|text| emit_once(context, canary.live(), canary.key(), runtime, text).notifications);
    emitted.collect()
}

fn emit_all(
    context: &Context,
    canary: &CanaryContext,
    runtime: &mut CanaryRuntime,
    warnings: &[Remark],
) -> Vec<Notification> {
    let emitted = warnings.iter().flat_map(|warning| {
        emit_once(context, canary.live(), canary.key(), runtime, &warning.to_string()).notifications
    });
    emitted.collect()
}

/// Objects that cannot be observed, so that nothing is decided: rights are missing, or they are outside of the watched
/// namespace. Reported if it lasts.
pub(crate) fn unobserved(
    context: &Context,
    canary: &CanaryContext,
    observation: &Observation,
    runtime: &mut CanaryRuntime,
) -> ReconcileResult {
    let unknown = observation.objects.iter().filter(|(_, seen)| !seen.is_known()).map(|(key, _)| key);
    let addresses = observation.observed.primary_addresses == Known::NotKnown;
    let reason = unknown.filter_map(|key| why_unobserved(context, key)).next();
    let reason = reason.or_else(|| watch_error(context, kinds::ENDPOINT_SLICE).filter(|_| addresses));
    let Some(text) = reason else {
        runtime.unobserved_since = None;
        return ReconcileResult::default();
    };
    let now = context.clock.now();
    let lasted_ms = now.since(*runtime.unobserved_since.get_or_insert(now));
    if lasted_ms < REPORT_WAIT_AFTER_MS {
        let requeue_ms = Some(REPORT_WAIT_AFTER_MS - lasted_ms);
        return ReconcileResult { requeue_ms, ..ReconcileResult::default() };
    }
    emit_once(context, canary.live(), canary.key(), runtime, &text)
}

fn why_unobserved(context: &Context, key: &ObjectKey) -> Option<String> {
    if !context.cluster.watches(key) {
        return Some(Message::OutsideNamespace { object: key.to_string() }.to_string());
    }
    watch_error(context, key.kind())
}

fn watch_error(context: &Context, kind: Kind) -> Option<String> {
    let error = context.cluster.trouble(kind)?;
    let kind = format!("{} of {}", kind.plural, kind.api_version());
    Some(Message::NotWatched { kind, error }.to_string())
}

/// Emits a warning, unless this process has emitted the same text lately.
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
    tracing::error!("{text}");
    ReconcileResult { notifications: vec![notification], ..ReconcileResult::default() }
}
