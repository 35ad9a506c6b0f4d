//! Carries out one effect of the engine: renders it to changes and applies each with its fence.

use std::sync::Arc;

use serde_json::Value;
use vexil_analysis::{Effect, Memory, Revision};
use vexil_kube::{ReadError, WriteError};
use vexil_object::{Action, Change, ObjectKey, Seen};
use vexil_plan::CanaryContext;
use vexil_routing::RouteError;
use vexil_workload::{PrimaryCopy, Side, Write};

use crate::{
    Context, autoscalers::Autoscalers, config_copies, former_primary, observe::Observation,
    previous_bindings, revert,
};

/// The result of an effect.
pub(crate) enum EffectResult {
    /// Carried out, or nothing to do.
    Done,
    /// The target is not at the revision any more that was to be copied.
    TargetMoved,
    /// Another writer was faster, or the outcome is unknown: observe again later.
    Requeue,
    /// The API server asks for this pause, in milliseconds.
    RetryAfter(u64),
    /// Refused; the message says why.
    Refused(String),
    /// Stored differently than it was written; the message names the object and the fields.
    Altered(String),
}

/// Carries out an effect.
pub(crate) async fn apply_effect(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    observation: &Observation,
    effect: &Effect,
) -> EffectResult {
    match effect {
        Effect::CreatePrimary(revision) => {
            copy(context, canary, observation, revision, Write::CreatePrimary).await
        }
        Effect::Promote(revision) => copy(context, canary, observation, revision, Write::Promote).await,
        Effect::Configs => config_copies::restore(context, canary, observation).await,
        Effect::ReleaseTraffic => revert::release_traffic(context, canary, memory, observation).await,
        other => {
            let (changes, write) = match render(context, canary, memory, observation, other) {
                Ok(rendered) => rendered,
                Err(text) => return EffectResult::Refused(text),
            };
            let result = apply(context, canary, &changes, write).await;
            verify_route(context, canary, observation, effect, result)
        }
    }
}

type Rendered = (Vec<Change>, Option<Write>);

/// The changes of an effect that needs no further read.
fn render(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    observation: &Observation,
    effect: &Effect,
) -> Result<Rendered, String> {
    let (services, target) = (context.registry.services(), observation.target(canary));
    let (subject, scalers) =
        (canary.subject(&context.settings), Autoscalers::of(canary.subject(&context.settings)));
    let changes = match effect {
        Effect::Backends => services.backends(&target, &observation.objects).map_err(|e| e.to_string())?,
        Effect::Restore => former_primary::services(context, canary, memory, observation)
            .changes
            .unwrap_or_else(|| Ok(Vec::new()))
            .map_err(|e| e.to_string())?,
        Effect::Scaler => scalers.primary(&observation.objects).map_err(|e| e.to_string())?,
        Effect::Apex => services.apex(&target, &observation.objects).map_err(|e| e.to_string())?,
        Effect::Route(want) => {
            canary.router().render(&target, want, &observation.objects).map_err(|e| e.to_string())?
        }
        Effect::ScaleToZero => {
            // Pause the autoscaler first, or it would scale the target up again.
            let pause = scalers.pause(&observation.objects).map_err(|e| e.to_string())?;
            let change =
                canary.workload().scale_to_zero(&subject, &observation.objects).map_err(|e| e.to_string())?;
            return Ok((pause.into_iter().chain(change).collect(), Some(Write::ScaleToZero)));
        }
        Effect::ScaleUp => {
            let scaling =
                canary.workload().scale_up(&subject, &observation.objects).map_err(|e| e.to_string())?;
            let write = scaling.as_ref().map(|scaling| Write::ScaleUp(scaling.replicas));
            let resume = scalers.resume(&observation.objects).map_err(|e| e.to_string())?;
            let changes = resume.into_iter().chain(scaling.map(|scaling| scaling.change));
            return Ok((changes.collect(), write));
        }
        Effect::RevertTarget => {
            return revert::target_changes(context, canary, &observation.objects).map_err(|e| e.to_string());
        }
        Effect::Release => {
            return previous_bindings::changes(context, canary, memory, observation)
                .map(|changes| (changes, None))
                .map_err(|held| match held {
                    previous_bindings::ReleaseError::NotKnown => {
                        "what the earlier binding left is not known yet".to_owned()
                    }
                    previous_bindings::ReleaseError::InUse { message, .. } => message,
                });
        }
        Effect::CreatePrimary(_) | Effect::Promote(_) | Effect::Configs | Effect::ReleaseTraffic => {
            Vec::new()
        }
    };
    // What exists is not changed to what an invalid spec says.
    let restores = matches!(effect, Effect::Backends | Effect::Apex | Effect::Restore)
        && canary.plan().spec_error.is_some();
    let changes = changes.into_iter().filter(|change| !restores || change.creates());
    Ok((changes.collect(), None))
}

/// Copies the target to the primary. The object of one GET is both compared with the expected revision and copied.
async fn copy(
    context: &Context,
    canary: &CanaryContext,
    observation: &Observation,
    revision: &Revision,
    write: Write,
) -> EffectResult {
    let subject = canary.subject(&context.settings);
    let key = subject.key(canary.workload().kind(), Side::Canary);
    let target = match fetch(context, &key).await {
        Ok(Some(target)) => target,
        Ok(None) => return EffectResult::TargetMoved,
        Err(result) => return result,
    };
    let copy = match write {
        Write::CreatePrimary => {
            canary.workload().create_primary(&subject, &target, Some(revision), &observation.objects)
        }
        _ => canary.workload().promote(&subject, &target, revision, &observation.objects),
    };
    match copy {
        Ok(PrimaryCopy::Held) => EffectResult::Done,
        Ok(PrimaryCopy::Moved { .. }) => EffectResult::TargetMoved,
        Ok(PrimaryCopy::Exists) => EffectResult::Requeue,
        Ok(PrimaryCopy::Write { change, .. }) => {
            // The configuration first: pods of the new primary find what was analysed.
            match config_copies::write_copies(context, canary, observation).await {
                EffectResult::Done => apply(context, canary, &[change], Some(write)).await,
                failed => failed,
            }
        }
        Err(error) => EffectResult::Refused(error.to_string()),
    }
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

/// Checks that a route that was written reads as it was asked for, whatever the router and the API server made of it.
fn verify_route(
    context: &Context,
    canary: &CanaryContext,
    observation: &Observation,
    effect: &Effect,
    result: EffectResult,
) -> EffectResult {
    let (Effect::Route(want), EffectResult::Done) = (effect, &result) else { return result };
    let mut have = observation.objects.clone();
    let keys: Vec<ObjectKey> = have.iter().map(|(key, _)| key.clone()).collect();
    for key in keys {
        let seen = context.cluster.look(&key);
        have.insert(key, seen);
    }
    match canary.router().read(&observation.target(canary), &have) {
        Ok(routes) if routes == *want => result,
        Err(RouteError::NotKnown { .. }) => EffectResult::Requeue,
        Ok(routes) => EffectResult::Altered(format!(
            "the route of {} says primary {}, canary {} after primary {}, canary {} was written",
            canary.name(),
            routes.primary(),
            routes.canary(),
            want.primary(),
            want.canary()
        )),
        Err(error) => {
            EffectResult::Altered(format!("the route of {} is not as it was written: {error}", canary.name()))
        }
    }
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
