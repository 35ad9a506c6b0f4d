//! Carries out one effect of the engine: renders it to changes and applies each with its fence.

use vexil_analysis::{Effect, Memory, Revision};
use vexil_object::{Change, ObjectKey};
use vexil_plan::CanaryContext;
use vexil_routing::RouteError;
use vexil_workload::{PrimaryCopy, Side, Write};

use crate::{
    Context,
    apply::{EffectResult, apply, fetch},
    autoscalers::Autoscalers,
    config_copies, former_primary,
    observe::Observation,
    previous_bindings, revert,
};

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
