//! Makes the cluster match the memory, one effect at a time, until it is in sync or has to wait.

use vexil_analysis::{Convergence, LiveRoutes, Memory, Millis, Next, Pending, next_effect};
use vexil_plan::CanaryContext;

use crate::{
    Context,
    apply::EffectResult,
    configs,
    effects::apply_effect,
    invalid_spec,
    observe::Observation,
    runtime::{CanaryRuntime, MemoryDigest},
    write_conflict::ConflictBackoff,
};

/// The result of converging.
pub(crate) struct Converged {
    /// Whether the cluster matches the memory now.
    pub(crate) state: Convergence,
    /// The last observation.
    pub(crate) observation: Observation,
    /// The routes were changed by another writer since they were in sync, and are in sync again: what they said.
    pub(crate) drift: Option<String>,
    /// When to try again although nothing changes, in milliseconds.
    pub(crate) retry_ms: Option<u64>,
}

/// Effects of one reconcile. More in a row mean two writers in conflict, or a defect; the rest waits for the next
/// reconcile.
const MAX_EFFECTS: usize = 16;

/// Carries out effects until none is left, one has to wait, or one fails.
pub(crate) async fn converge(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    runtime: &mut CanaryRuntime,
) -> Converged {
    let since = *runtime.since.get_or_insert(context.clock.now());
    if let Err(after_ms) = configs::read(context, canary).await {
        return again(runtime, Observation::take(context, canary, memory, since), after_ms);
    }
    let before = Observation::take(context, canary, memory, since);
    let digest = MemoryDigest::of(memory);
    if runtime.in_sync == Some(digest)
        && let Some(what) = difference(memory, &before)
    {
        runtime.drift = Some(what);
    }
    let converged = settle(context, canary, memory, runtime, before).await;
    // Whatever else is waited for: routes that differ after this, before another effect, were edited by another writer.
    if !routes_in_sync(memory, &converged.observation) {
        return converged;
    }
    runtime.in_sync = (!runtime.outcome_unknown).then_some(digest);
    Converged { drift: runtime.drift.clone(), ..converged }
}

fn routes_in_sync(memory: &Memory, observation: &Observation) -> bool {
    let routes = &observation.observed.routes;
    matches!(routes, LiveRoutes::Present { routes, in_sync: true } if routes.canary() == memory.weight)
}

/// How routes that were in sync differ from the memory.
fn difference(memory: &Memory, observation: &Observation) -> Option<String> {
    match &observation.observed.routes {
        LiveRoutes::Present { routes, .. } if routes.canary() != memory.weight => {
            Some(format!("primary {}, canary {}", routes.primary(), routes.canary()))
        }
        LiveRoutes::Absent if observation.edited.is_none() => Some("deleted".to_owned()),
        _ => observation.edited.clone(),
    }
}

async fn settle(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    runtime: &mut CanaryRuntime,
    before: Observation,
) -> Converged {
    let since = before.observed.since;
    let mut observation = before;
    for _ in 0..MAX_EFFECTS {
        let now = context.clock.now();
        let effect = match next_effect(canary.plan(), memory, &observation.observed, now) {
            Next::Settled => return settled(now, runtime, observation),
            Next::Wait(wait) => return pending(wait, runtime, observation),
            Next::Unlawful(law) => {
                return blocked(invalid_spec::report_broken_law(context, law), now, runtime, observation);
            }
            Next::Do(effect) => effect,
        };
        if let Some(rest) = runtime.conflict.backoff_ms(memory, &effect, now) {
            return Converged {
                retry_ms: Some(rest),
                ..blocked(ConflictBackoff::text(&effect), now, runtime, observation)
            };
        }
        // A failover is written before the status has it: routes that differ now are no drift.
        runtime.in_sync = None;
        match apply_effect(context, canary, memory, &observation, &effect).await {
            // The watch may have reported the other write before the refusal came: nothing wakes this Canary then.
            result @ (EffectResult::Done | EffectResult::Overtaken) => {
                if let EffectResult::Done = result {
                    runtime.conflict.record(memory, &effect, context.clock.now());
                }
                if let Err(after_ms) = configs::read(context, canary).await {
                    return again(runtime, observation, after_ms);
                }
                observation = Observation::take(context, canary, memory, since);
            }
            EffectResult::TargetMoved => return pending(Pending::TargetChanged, runtime, observation),
            EffectResult::Requeue => {
                return again(runtime, Observation::take(context, canary, memory, since), None);
            }
            EffectResult::RetryAfter(ms) => return again(runtime, observation, Some(ms)),
            EffectResult::Refused(error) => return blocked(error, now, runtime, observation),
            EffectResult::Altered(text) => {
                observation = Observation::take(context, canary, memory, since);
                if next_effect(canary.plan(), memory, &observation.observed, now) == Next::Do(effect) {
                    return blocked(text, now, runtime, observation);
                }
                // The cluster is in sync all the same: report it, and go on.
                runtime.altered.insert(text);
            }
        }
    }
    again(runtime, observation, None)
}

fn settled(now: Millis, runtime: &mut CanaryRuntime, observation: Observation) -> Converged {
    if let Some((text, rest)) = runtime.conflict.unconfirmed(now) {
        return Converged { retry_ms: Some(rest), ..blocked(text, now, runtime, observation) };
    }
    runtime.blocked_since = None;
    runtime.attempts = 0;
    runtime.outcome_unknown = false;
    Converged { state: Convergence::Settled, observation, drift: None, retry_ms: None }
}

/// Waits for a change. After a write with an unknown outcome, and if the target has changed, it is also requeued: no
/// watch reports that nothing has happened.
fn pending(pending: Pending, runtime: &mut CanaryRuntime, observation: Observation) -> Converged {
    runtime.blocked_since = None;
    let retry =
        pending == Pending::TargetChanged || pending == Pending::NotObserved && runtime.outcome_unknown;
    let retry_ms = retry.then(|| runtime.backoff_ms());
    Converged { state: Convergence::Pending(pending), observation, drift: None, retry_ms }
}

fn again(runtime: &mut CanaryRuntime, observation: Observation, after_ms: Option<u64>) -> Converged {
    runtime.outcome_unknown = true;
    let pause = runtime.backoff_ms();
    Converged {
        state: Convergence::Pending(Pending::NotObserved),
        observation,
        drift: None,
        retry_ms: Some(after_ms.unwrap_or(pause)),
    }
}

fn blocked(error: String, now: Millis, runtime: &mut CanaryRuntime, observation: Observation) -> Converged {
    let since = *runtime.blocked_since.get_or_insert(now);
    let retry_ms = Some(runtime.backoff_ms());
    Converged { state: Convergence::Blocked { error, since }, observation, drift: None, retry_ms }
}
