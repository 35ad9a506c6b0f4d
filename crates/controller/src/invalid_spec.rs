//! A Canary that cannot be processed as it is written: it says so in its status, and what is in force stays safe.

use std::sync::Arc;

use serde_json::Value;
use vexil_api::{CanaryStatus, Defect};
use vexil_kube::WriteError;
use vexil_object::{ObjectKey, Precondition, meta};
use vexil_plan::{CanaryContext, StatusContext, refused_conditions};

use crate::{Context, reconcile_result::ReconcileResult, runtime::CanaryRuntime, warning_events};

/// What is done about a Canary with defects.
pub(crate) enum InForce {
    /// It is safeguarded: decided on with the binding and the limits that are in force.
    Halted(Box<CanaryContext>),
    /// Nothing of it is in force, or too little is left of it to go by.
    Left,
}

/// Reports the defects once, and finds what is in force.
pub(crate) fn report(
    context: &Context,
    live: &Arc<Value>,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
    defects: &[Defect],
) -> (ReconcileResult, InForce) {
    let after = warning_events::invalid(context, key, runtime, defects);
    context.telemetry.accepted(key, false);
    match context.planner().in_force(live, defects) {
        Some(canary) => (after, InForce::Halted(Box::new(canary))),
        None => (after, InForce::Left),
    }
}

/// Writes the conditions of a Canary that nothing is decided on. One write for each distinct text and generation.
pub(crate) async fn mark(
    context: &Context,
    live: &Value,
    key: &ObjectKey,
    text: &str,
) -> Result<(), WriteError> {
    let before: CanaryStatus =
        live.get("status").and_then(|status| serde_json::from_value(status.clone()).ok()).unwrap_or_default();
    let kind = meta::text(live, "/spec/targetRef/kind");
    let wanted =
        StatusContext { kind, generation: generation(live), refused: Some(text), now: context.clock.now() };
    let after = refused_conditions(&before, &wanted);
    if after == before {
        return Ok(());
    }
    let status = live.get("status").cloned().unwrap_or_default();
    let after = serde_json::to_value(&after).unwrap_or_default();
    context.cluster.write_status(key, &Precondition::of(live), &status, &after).await.map(drop)
}

/// `metadata.generation`.
pub(crate) fn generation(live: &Value) -> Option<i64> {
    live.pointer("/metadata/generation").and_then(Value::as_i64)
}

/// A decision or an effect that breaks a law is not carried out: it is counted and reported. It takes a defect of ours
/// to come here.
pub(crate) fn report_broken_law(context: &Context, canary: &CanaryContext, law: &'static str) -> String {
    context.telemetry.broke(law);
    tracing::error!(canary = %canary.name(), law, "invariant violated; nothing is written");
    format!("internal error, nothing was written: {law}; please report it with the status of this Canary")
}
