//! The finalizer of a Canary with `revertOnDeletion`, and the reconciles of one that is being deleted.

use std::sync::Arc;

use serde_json::Value;
use vexil_analysis::Message;
use vexil_kube::WriteError;
use vexil_object::{ObjectKey, meta};
use vexil_plan::CanaryContext;

use crate::{
    Context, duplicate_target,
    finalizer::{FINALIZER, change, is_held, reverts},
    invalid_spec,
    notification::Notification,
    outbox,
    reconcile_result::ReconcileResult,
    runtime::CanaryRuntime,
};

/// How long a refused finalizer is not tried again, in milliseconds.
const REFUSED_MS: u64 = 60_000;
/// How long the dispatcher may take to accept the last notices, in milliseconds.
const HANDOVER_MS: u64 = 10_000;
/// Failed writes of the status in a row after which a deletion no longer waits for them; that is about a minute.
const MAX_STATUS_FAILURES: u32 = 7;

/// Adds the finalizer if the spec asks for it, and removes it if it does not. A finalizer that is refused is reported,
/// and holds nothing up.
pub(crate) async fn ensure_finalizer(
    context: &Context,
    canary: CanaryContext,
    runtime: &mut CanaryRuntime,
) -> Result<CanaryContext, ReconcileResult> {
    let wanted = canary.spec().revert_on_deletion();
    let now = context.clock.now();
    let refused = runtime.finalizer_refused.is_some_and(|at| now.since(at) < REFUSED_MS);
    if wanted == is_held(canary.live()) || refused {
        return Ok(canary);
    }
    let Some(change) = change(canary.key(), canary.live(), wanted) else { return Ok(canary) };
    match context.cluster.apply(&change).await {
        Ok(()) => {
            tracing::info!("finalizer {}", if wanted { "added" } else { "removed" });
            runtime.finalizer_refused = None;
            let live = context.cluster.look(canary.key()).shared();
            // Deleted or made invalid meanwhile: the watch enqueues it again.
            let next = live.and_then(|live| context.planner().open(live).ok());
            next.ok_or_else(ReconcileResult::default)
        }
        Err(error) if is_temporary(&error) => Err(retry(context, runtime, &error)),
        Err(error) => {
            context.telemetry.write_failed(&error);
            runtime.finalizer_refused = Some(now);
            let effect = if wanted { "its target is not reverted when it is deleted" } else { "it stays" };
            runtime.altered.insert(format!("finalizer {FINALIZER}: {error}; {effect}"));
            Ok(canary)
        }
    }
}

/// Reconciles a Canary that is being deleted. Returns the Canary whose target is to take over first; otherwise the
/// result, after the finalizer is removed.
pub(crate) async fn begin(
    context: &Context,
    live: &Arc<Value>,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
) -> Result<CanaryContext, ReconcileResult> {
    if !is_held(live) {
        return Err(ReconcileResult::default());
    }
    let phase = meta::text(live, "/status/phase");
    let canary = match context.planner().open(Arc::clone(live)) {
        Ok(canary) => Some(canary).filter(|canary| duplicate_target::first_owner(context, canary).is_none()),
        Err(defects) => invalid_spec::in_force(context, live, key, &defects),
    };
    let Some(canary) = canary.filter(|_| reverts(live) && !phase.is_empty()) else {
        return Err(release(context, live, key, runtime).await);
    };
    if phase == "Terminated" {
        let memory = vexil_plan::load(canary.status());
        let notifications = outbox::undelivered(context, &canary, &memory.outbox, runtime);
        let lasted_ms = context.clock.now().since(memory.changed.unwrap_or_default());
        if !notifications.is_empty() && lasted_ms < HANDOVER_MS {
            return Err(ReconcileResult { notifications, ..ReconcileResult::at_once() });
        }
        return Err(release(context, live, key, runtime).await);
    }
    if runtime.status_failures > MAX_STATUS_FAILURES {
        tracing::error!("the target is not reverted: the status cannot be written");
        return Err(release(context, live, key, runtime).await);
    }
    Ok(canary)
}

/// Removes the finalizer, so that the API server deletes the Canary.
async fn release(
    context: &Context,
    live: &Value,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
) -> ReconcileResult {
    let Some(change) = change(key, live, false) else { return ReconcileResult::default() };
    match context.cluster.apply(&change).await {
        Ok(()) => {
            tracing::info!("finalizer removed");
            ReconcileResult::default()
        }
        Err(WriteError::NotFound { .. }) => ReconcileResult::default(),
        Err(error) if is_temporary(&error) => retry(context, runtime, &error),
        Err(error) => {
            let text = Message::FinalizerKept { name: FINALIZER, error: error.to_string() }.to_string();
            let result = retry(context, runtime, &error);
            let digest = vexil_analysis::digest(&text);
            if runtime.reported_failure.replace(digest) == Some(digest) {
                return result;
            }
            let notifications = vec![Notification::unstored(live, key, text, context.clock.now())];
            ReconcileResult { notifications, ..result }
        }
    }
}

/// Another attempt may succeed.
fn is_temporary(error: &WriteError) -> bool {
    match error {
        WriteError::Conflict { .. }
        | WriteError::AlreadyExists
        | WriteError::NotFound { .. }
        | WriteError::Throttled { .. }
        | WriteError::Unknown { .. } => true,
        WriteError::Forbidden { .. }
        | WriteError::Invalid { .. }
        | WriteError::Pruned { .. }
        | WriteError::Altered(_)
        | WriteError::NotServed { .. } => false,
    }
}

fn retry(context: &Context, runtime: &mut CanaryRuntime, error: &WriteError) -> ReconcileResult {
    context.telemetry.write_failed(error);
    tracing::warn!("finalizer could not be written: {error}");
    let backoff_ms = runtime.backoff_ms();
    let requeue_ms = match error {
        WriteError::Throttled { retry_after_ms } => backoff_ms.max(*retry_after_ms),
        _ => backoff_ms,
    };
    ReconcileResult { requeue_ms: Some(requeue_ms), ..ReconcileResult::default() }
}
