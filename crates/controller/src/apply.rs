//! Changes of objects, each applied with its fence, and what came of them.

use std::sync::Arc;

use serde_json::Value;
use vexil_kube::{ReadError, WriteError};
use vexil_object::{Action, Change, ObjectKey, Seen};
use vexil_plan::CanaryContext;
use vexil_workload::Write;

use crate::Context;

/// The result of an effect.
pub(crate) enum EffectResult {
    /// Carried out, or nothing to do.
    Done,
    /// The target is not at the revision any more that was to be copied.
    TargetMoved,
    /// Another writer was faster, and what it wrote is known: decide anew.
    Overtaken,
    /// Another writer was faster, or the outcome is unknown: observe again later.
    Requeue,
    /// The API server asks for this pause, in milliseconds.
    RetryAfter(u64),
    /// Refused; the message says why.
    Refused(String),
    /// Stored differently than it was written; the message names the object and the fields.
    Altered(String),
}

/// Reads one complete object from the API server.
pub(crate) async fn fetch(context: &Context, key: &ObjectKey) -> Result<Option<Arc<Value>>, EffectResult> {
    match context.cluster.fetch(key).await {
        Ok(Seen::Present(object)) => Ok(Some(object)),
        Ok(Seen::Absent | Seen::NotKnown) => Ok(None),
        Err(ReadError::Throttled { retry_after_ms }) => Err(EffectResult::RetryAfter(retry_after_ms)),
        Err(ReadError::Unavailable { .. }) => Err(EffectResult::Requeue),
        Err(error @ (ReadError::Forbidden { .. } | ReadError::Invalid { .. })) => {
            Err(EffectResult::Refused(format!("{key}: {error}")))
        }
    }
}

/// Applies changes in this order, up to the first that fails.
pub(crate) async fn apply(
    context: &Context,
    canary: &CanaryContext,
    changes: &[Change],
    write: Option<Write>,
) -> EffectResult {
    let mut result = EffectResult::Done;
    for change in changes {
        if let Err(error) = context.cluster.apply(change).await {
            if !matches!(&error, WriteError::Altered(altered) if altered.repeated) {
                context.telemetry.write_failed(&error);
            }
            match write_failed(context, canary, change, write, &error).await {
                // It was written, so the next changes are applied too.
                altered @ EffectResult::Altered(_) => result = altered,
                failed => return failed,
            }
            continue;
        }
        tracing::info!("{} {}", change.key, verb(change));
    }
    result
}

/// What to do after a failed write.
async fn write_failed(
    context: &Context,
    canary: &CanaryContext,
    change: &Change,
    write: Option<Write>,
    error: &WriteError,
) -> EffectResult {
    match error {
        WriteError::Conflict { .. } | WriteError::AlreadyExists
            if context.cluster.look(&change.key).is_known() =>
        {
            EffectResult::Overtaken
        }
        WriteError::Conflict { .. } | WriteError::AlreadyExists => EffectResult::Requeue,
        WriteError::Unknown { .. } => {
            // One GET shows the outcome; if that fails too, the next reconcile tries.
            let _now_cached = context.cluster.fetch(&change.key).await;
            EffectResult::Requeue
        }
        WriteError::Throttled { retry_after_ms } => EffectResult::RetryAfter(*retry_after_ms),
        WriteError::Altered(_) => EffectResult::Altered(error.to_string()),
        WriteError::NotFound { .. }
        | WriteError::Forbidden { .. }
        | WriteError::Invalid { .. }
        | WriteError::Pruned { .. }
        | WriteError::NotServed { .. } => EffectResult::Refused(match write {
            Some(write) if change.key.kind() == canary.workload().kind() => {
                canary.workload().refused(&canary.subject(&context.settings), write, &error.to_string())
            }
            _ => format!("{} could not be written: {error}", change.key),
        }),
    }
}

/// What was done to the object, for the log.
fn verb(change: &Change) -> &'static str {
    match change.action {
        Action::Create(_) => "created",
        Action::Merge { .. } | Action::Json { .. } => "updated",
        Action::Delete(_) => "deleted",
    }
}
