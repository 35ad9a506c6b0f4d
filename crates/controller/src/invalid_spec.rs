//! A Canary whose spec is invalid: its status says so, and what is in force stays safe.

use std::sync::Arc;

use serde_json::Value;
use vexil_analysis::Message;
use vexil_api::{CanaryStatus, Defect};
use vexil_kube::WriteError;
use vexil_object::{ObjectKey, Precondition, meta};
use vexil_plan::{CanaryContext, StatusContext, Tracked, refused_conditions};

use crate::{Context, reconcile_result::ReconcileResult, runtime::CanaryRuntime, warning_events};

/// What of an invalid Canary is in force.
pub(crate) enum InForce {
    /// The binding and the limits that its status records.
    Bound(Box<CanaryContext>),
    /// Nothing, or too little is left of the spec.
    Nothing,
}

/// Emits an Event about the defects, once, and finds what is in force.
pub(crate) fn report(
    context: &Context,
    live: &Arc<Value>,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
    defects: &[Defect],
) -> (ReconcileResult, InForce) {
    let result = warning_events::invalid(context, key, runtime, defects);
    context.telemetry.accepted(key, false);
    match context.planner().in_force(live, defects) {
        Some(canary) => (result, InForce::Bound(Box::new(canary))),
        None => (result, InForce::Nothing),
    }
}

/// Writes the conditions of a Canary of which nothing is in force: once for each text and generation.
///
/// # Errors
/// Of the write.
pub(crate) async fn write_conditions(
    context: &Context,
    live: &Value,
    key: &ObjectKey,
    text: &str,
) -> Result<(), WriteError> {
    let before: CanaryStatus =
        live.get("status").and_then(|status| serde_json::from_value(status.clone()).ok()).unwrap_or_default();
    let status = StatusContext {
        kind: meta::text(live, "/spec/targetRef/kind"),
        generation: live.pointer("/metadata/generation").and_then(Value::as_i64),
        refused: Some(text),
        tracked: Tracked::Unchanged,
        now: context.clock.now(),
    };
    let after = refused_conditions(&before, &status);
    if after == before {
        return Ok(());
    }
    let live_status = live.get("status").cloned().unwrap_or_default();
    let after = serde_json::to_value(&after).unwrap_or_default();
    context.cluster.write_status(key, &Precondition::of(live), &live_status, &after).await.map(drop)
}

/// Counts and logs a decision or an effect that would break a law, and returns the message for the user. Nothing is
/// written then; only a defect of Vexil leads here.
pub(crate) fn report_broken_law(context: &Context, law: &'static str) -> String {
    context.telemetry.broke(law);
    tracing::error!(law, "invariant violated; nothing is written");
    Message::Unlawful { law }.to_string()
}
