//! Writes of the status, which is the memory, fenced by the Canary that was read.

use std::sync::Arc;

use serde_json::Value;
use vexil_analysis::{Memory, Message, bounded, digest};
use vexil_kube::WriteError;
use vexil_object::{ObjectKey, Precondition};
use vexil_plan::{CanaryContext, StatusContext, Tracked};

use crate::{Context, notification::Notification, reconcile_result::ReconcileResult, runtime::CanaryRuntime};

/// Writes the memory `next`. Returns the Canary as it is afterwards, `None` if it was deleted.
///
/// # Errors
/// Of the write.
pub(crate) async fn write_status(
    context: &Context,
    canary: &CanaryContext,
    next: &Memory,
    tracked: Tracked<'_>,
) -> Result<Option<Arc<Value>>, WriteError> {
    let status_context = StatusContext { tracked, ..context.status_context(canary) };
    let status = vexil_plan::store(next, &status_context, canary.status());
    let live = canary.live().get("status").cloned().unwrap_or_default();
    let wanted = serde_json::to_value(&status).unwrap_or_default();
    context.cluster.write_status(canary.key(), &Precondition::of(canary.live()), &live, &wanted).await?;
    Ok(context.cluster.look(canary.key()).shared())
}

/// Failed writes of a status in a row before an Event is emitted; by then they have failed for some seconds.
const QUIET_FAILURES: u32 = 3;

/// What to do after a failed write of the status: requeue with backoff, and emit an Event if the user has to act. It is
/// the only Event that is not in the outbox, which could not be written.
pub(crate) fn status_write_failed(
    context: &Context,
    live: &Value,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
    error: &WriteError,
) -> ReconcileResult {
    context.telemetry.write_failed(error);
    let failures = runtime.status_failures;
    let backoff_ms = runtime.status_backoff_ms();
    let requeue_ms = Some(match error {
        WriteError::Throttled { retry_after_ms } => backoff_ms.max(*retry_after_ms),
        _ => backoff_ms,
    });
    let canary = format!("{}.{}", key.name(), key.namespace());
    let text = match error {
        // The Canary was changed meanwhile, or the next attempt may succeed.
        WriteError::Conflict { .. }
        | WriteError::AlreadyExists
        | WriteError::NotFound { .. }
        | WriteError::Throttled { .. }
        | WriteError::Unknown { .. } => {
            tracing::warn!("status could not be written: {error}");
            return ReconcileResult { requeue_ms, ..ReconcileResult::default() };
        }
        WriteError::Pruned { fields } => {
            Message::StatusPruned { canary, fields: fields.join(", ") }.to_string()
        }
        WriteError::Forbidden { .. } | WriteError::Invalid { .. } | WriteError::NotServed { .. }
            if failures < QUIET_FAILURES =>
        {
            tracing::warn!("status could not be written: {error}");
            return ReconcileResult { requeue_ms, ..ReconcileResult::default() };
        }
        error => Message::StatusNotWritten { canary, error: error.to_string() }.to_string(),
    };
    let text = bounded(text);
    if runtime.reported_failure.replace(digest(&text)) == Some(digest(&text)) {
        return ReconcileResult { requeue_ms, ..ReconcileResult::default() };
    }
    tracing::error!("{text}");
    let notifications = vec![Notification::unstored(live, key, text, context.clock.now())];
    ReconcileResult { requeue_ms, notifications, ..ReconcileResult::default() }
}
