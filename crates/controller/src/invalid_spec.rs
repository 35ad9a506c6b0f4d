//! A Canary whose spec is invalid: it is reported, its status says so, and what is in force stays safe.

use std::sync::Arc;

use serde_json::Value;
use vexil_analysis::{Message, Transition};
use vexil_api::{CanaryStatus, Defect, summary};
use vexil_kube::WriteError;
use vexil_object::{ObjectKey, Precondition, meta};
use vexil_plan::{CanaryContext, StatusContext};

use crate::{
    Context, outbox, reconcile_result::ReconcileResult, runtime::CanaryRuntime,
    status_writes::status_write_failed,
};

/// What of an invalid Canary is in force: the binding and the limits that its status records. `None` if that is
/// nothing, or if too little is left of the spec.
pub(crate) fn in_force(
    context: &Context,
    live: &Arc<Value>,
    key: &ObjectKey,
    defects: &[Defect],
) -> Option<CanaryContext> {
    context.telemetry.accepted(key, false);
    context.planner().in_force(live, defects)
}

/// Reconciles a Canary of which nothing is in force: the defects are reported, once, and are in its conditions.
pub(crate) async fn refuse(
    context: &Context,
    live: &Value,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
    defects: &[Defect],
) -> ReconcileResult {
    let before: CanaryStatus =
        live.get("status").and_then(|status| serde_json::from_value(status.clone()).ok()).unwrap_or_default();
    let (defects, now) = (summary(defects), context.clock.now());
    let memory = vexil_plan::load(&before);
    let decided = vexil_analysis::refuse(&memory, &defects, &runtime.delivered, now);
    let text = Message::InvalidSpec { defects }.to_string();
    let status = StatusContext {
        generation: live.pointer("/metadata/generation").and_then(Value::as_i64),
        refused: Some(&text),
        uid: meta::text(live, "/metadata/uid"),
        ..StatusContext::new(meta::text(live, "/spec/targetRef/kind"), now)
    };
    let after = vexil_plan::store(&decided.memory, &status, &before);
    if after != before {
        if let Err(error) = write(context, live, key, &after).await {
            return status_write_failed(context, live, key, runtime, &error);
        }
        outbox::log(&decided.notices);
        runtime.status_written(&decided.memory.outbox);
    }
    let Transition { memory, .. } = decided;
    let notifications = outbox::undelivered_events(live, key, &memory.outbox, runtime);
    ReconcileResult { notifications, ..ReconcileResult::default() }
}

async fn write(
    context: &Context,
    live: &Value,
    key: &ObjectKey,
    after: &CanaryStatus,
) -> Result<(), WriteError> {
    let before = live.get("status").cloned().unwrap_or_default();
    let after = serde_json::to_value(after).unwrap_or_default();
    context.cluster.write_status(key, &Precondition::of(live), &before, &after).await.map(drop)
}

/// Counts and logs a decision or an effect that would break a law, and returns the message for the user. Nothing is
/// written then; only a defect of Vexil leads here.
pub(crate) fn report_broken_law(context: &Context, law: &'static str) -> String {
    context.telemetry.broke(law);
    tracing::error!(law, "invariant violated; nothing is written");
    Message::Unlawful { law }.to_string()
}
