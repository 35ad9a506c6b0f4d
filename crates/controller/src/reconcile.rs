//! One tick of one Canary: look, converge, decide, remember, and again until nothing changes.

use std::sync::Arc;

use serde_json::Value;
use vexil_analysis::{Convergence, LiveRoutes, Memory, Millis, Transition, laws};
use vexil_api::{Defect, summary};
use vexil_kube::WriteError;
use vexil_object::{ObjectKey, Precondition, Seen, meta};
use vexil_plan::CanaryContext;

use crate::{
    Context, answers,
    converge::{Converged, converge},
    decide::decide,
    duplicate_target,
    invalid_spec::{self, InForce},
    notifications::Notification,
    observe::Observation,
    reconcile_result::ReconcileResult,
    runtime::{CanaryRuntime, backoff_ms},
    warning_events,
    watch_index::Dependencies,
};

/// A tick decides at most so often; then others have their turn.
const MOST_DECISIONS: usize = 12;

/// Ticks one Canary.
pub(crate) async fn reconcile(
    context: &Context,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
) -> ReconcileResult {
    let live = match context.cluster.look(key) {
        Seen::Present(live) => live,
        Seen::Absent => return ReconcileResult { gone: true, ..ReconcileResult::default() },
        Seen::NotKnown => return settle_unknown(context, key, runtime).await,
    };
    if !meta::text(&live, "/metadata/deletionTimestamp").is_empty() {
        return ReconcileResult::default();
    }
    let canary = match context.planner().open(Arc::clone(&live)) {
        Ok(canary) => canary,
        Err(defects) => return reconcile_invalid(context, &live, key, runtime, &defects).await,
    };
    if let Some((rival, defect)) = duplicate_target::first_owner(context, &canary) {
        runtime.set_dependencies(Dependencies::at(&context.cluster, [rival, canary.key().clone()]));
        return reconcile_invalid(context, &live, key, runtime, &[defect]).await;
    }
    let canary = match ensure_own_status(context, canary, runtime).await {
        Ok(canary) => canary,
        Err(result) => return result,
    };
    let remarks = warning_events::spec_warnings(context, &canary, runtime);
    let mut result = converge_and_decide(context, canary, runtime).await;
    result.notifications.extend(remarks);
    result
}

/// A Canary that cannot be processed as it is written. Nothing new is begun, and what is in force stays safe.
async fn reconcile_invalid(
    context: &Context,
    live: &Arc<Value>,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
    defects: &[Defect],
) -> ReconcileResult {
    let (mut result, refused) = invalid_spec::report(context, live, key, runtime, defects);
    match refused {
        InForce::Halted(canary) => {
            let decided = converge_and_decide(context, *canary, runtime).await;
            result.notifications.extend(decided.notifications);
            result.requeue_ms = result.requeue_ms.into_iter().chain(decided.requeue_ms).min();
        }
        InForce::Left => {
            let text = format!("invalid canary spec: {}", summary(defects));
            if let Err(error) = invalid_spec::mark(context, live, key, &text).await {
                tracing::warn!(canary = %format!("{}.{}", key.name(), key.namespace()), "status: {error}");
                result.requeue_ms = Some(backoff_ms(runtime.status_failures));
                runtime.status_failures = runtime.status_failures.saturating_add(1);
            }
        }
    }
    result
}

/// Nothing is touched on a memory that may lack something. Every status of ours has the number of its run: one without
/// is another operator's, or the CRD drops what is ours (design, section 3). One write tells.
async fn ensure_own_status(
    context: &Context,
    canary: CanaryContext,
    runtime: &mut CanaryRuntime,
) -> Result<CanaryContext, ReconcileResult> {
    if vexil_plan::has_run_number(canary.status()) {
        return Ok(canary);
    }
    let memory =
        load_memory(context, &canary).await.map_err(|backoff_ms| read_failed(runtime, backoff_ms))?;
    match write_status(context, &canary, &memory, &memory).await {
        Ok(live) => match live.map(|live| context.planner().open(live)) {
            Some(Ok(canary)) => Ok(canary),
            // Deleted or edited into nonsense meanwhile: the watch brings the next tick.
            Some(Err(_)) | None => Err(ReconcileResult::default()),
        },
        Err(error) => Err(status_write_failed(context, &canary, runtime, &error)),
    }
}

/// A write of the Canary itself has an unknown outcome: one GET settles it. Before the first list there is nothing to
/// ask.
async fn settle_unknown(context: &Context, key: &ObjectKey, runtime: &mut CanaryRuntime) -> ReconcileResult {
    if runtime.attempts > 0 || runtime.status_failures > 0 {
        let _settled = context.cluster.fetch(key).await;
    }
    ReconcileResult { requeue_ms: Some(runtime.backoff_ms()), ..ReconcileResult::default() }
}

async fn converge_and_decide(
    context: &Context,
    mut canary: CanaryContext,
    runtime: &mut CanaryRuntime,
) -> ReconcileResult {
    let mut result = ReconcileResult::default();
    let started = context.clock.now();
    for _ in 0..MOST_DECISIONS {
        let memory = match load_memory(context, &canary).await {
            Ok(memory) => memory,
            Err(backoff_ms) => return read_failed(runtime, backoff_ms),
        };
        let converged = converge(context, &canary, &memory, runtime).await;
        runtime.set_dependencies(converged.observation.dependencies(context, &canary));
        let Some(transition) = decide(context, &canary, &memory, runtime, &converged).await else {
            // What was seen is no longer so, and matters more than the answers.
            match reread(context, &canary) {
                Some(again) => canary = again,
                None => return ReconcileResult { requeue_ms: Some(0), ..result },
            }
            continue;
        };
        track_wait(runtime, &transition, context.clock.now());
        update_metrics(context, &canary, &transition.memory, &converged);
        if transition.memory == memory && status_is_current(context, &canary, &memory) {
            read_unknown_objects(context, &converged).await;
            result.notifications = new_notifications(context, &canary, &memory, runtime);
            result.notifications.extend(warning_events::altered(context, &canary, runtime));
            result.notifications.extend(warning_events::cluster_warnings(
                context,
                &canary,
                &converged.observation,
                runtime,
            ));
            let unseen = warning_events::unobserved(context, &canary, &converged.observation, runtime);
            result.notifications.extend(unseen.notifications);
            let wake = next_requeue_ms(&transition, &converged, context.clock.now());
            result.requeue_ms = wake.into_iter().chain(unseen.requeue_ms).min();
            return result;
        }
        match write_status(context, &canary, &memory, &transition.memory).await {
            Ok(live) => {
                if transition.memory.last_step > memory.last_step {
                    context.telemetry.stepped(&canary, context.clock.now().since(started));
                }
                log_notices(context, &canary, &memory, &transition);
                runtime.forget_delivered(&transition.memory.outbox);
                runtime.status_failures = 0;
                match live.and_then(|_| reread(context, &canary)) {
                    Some(next) => canary = next,
                    // Deleted, or refused as it is written: the next tick looks at that.
                    None => return ReconcileResult { requeue_ms: Some(0), ..result },
                }
            }
            Err(error) => return status_write_failed(context, &canary, runtime, &error),
        }
    }
    result.requeue_ms = Some(0);
    result
}

/// The Canary as it is now; `None` when it is gone or is not accepted.
fn reread(context: &Context, canary: &CanaryContext) -> Option<CanaryContext> {
    let live = context.cluster.look(canary.key()).object().cloned().map(Arc::new)?;
    let going = !meta::text(&live, "/metadata/deletionTimestamp").is_empty();
    let next = context.planner().open(live).ok().filter(|_| !going)?;
    (canary.plan().spec_error.is_none() && duplicate_target::first_owner(context, &next).is_none())
        .then_some(next)
}

/// The API server did not answer a question that has to be answered first.
fn read_failed(runtime: &mut CanaryRuntime, backoff_ms: Option<u64>) -> ReconcileResult {
    let own_ms = runtime.backoff_ms();
    ReconcileResult { requeue_ms: Some(backoff_ms.unwrap_or(own_ms)), ..ReconcileResult::default() }
}

/// Whether the status already says what is remembered, for the Canary as it is written now.
fn status_is_current(context: &Context, canary: &CanaryContext, memory: &Memory) -> bool {
    let before = canary.status();
    vexil_plan::store(memory, &context.status_context(canary), before) == *before
}

/// The memory, with what another operator left behind made comparable.
///
/// # Errors
/// When the API server did not answer; with the pause that it asks for, in milliseconds, if any.
async fn load_memory(context: &Context, canary: &CanaryContext) -> Result<Memory, Option<u64>> {
    let mut memory = vexil_plan::load(canary.status());
    if memory.from_flagger && memory.held.is_none() {
        memory.held = answers::adopted(context, canary).await?;
        // What the routes say counts: the other operator's status does not always tell the weight.
        let observation = Observation::take(context, canary, &memory, context.clock.now());
        if let LiveRoutes::Present { routes, .. } = observation.seen.routes {
            memory.weight = routes.canary();
        }
    }
    Ok(memory)
}

fn track_wait(runtime: &mut CanaryRuntime, transition: &Transition, now: Millis) {
    runtime.waiting = transition.waiting.map(|kind| match runtime.waiting {
        Some((before, since)) if before == kind => (kind, since),
        _ => (kind, now),
    });
}

/// Objects whose last write has an unknown outcome, or that are outside of the watched namespace, are read once.
async fn read_unknown_objects(context: &Context, converged: &Converged) {
    if !matches!(converged.state, Convergence::Pending(vexil_analysis::Pending::NotObserved))
        || converged.retry_ms.is_none()
    {
        return;
    }
    for (key, seen) in converged.observation.have.iter() {
        if !seen.is_known() {
            let _settled = context.cluster.fetch(key).await;
        }
    }
}

/// Writes the new memory, fenced by the object that was read. Returns the Canary as it is now.
async fn write_status(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    next: &Memory,
) -> Result<Option<Arc<Value>>, WriteError> {
    if let Some(law) = laws::broken_by_step(memory, next) {
        return Err(WriteError::Invalid { message: invalid_spec::report_broken_law(context, canary, law) });
    }
    let before = canary.status();
    let result = vexil_plan::store(next, &context.status_context(canary), before);
    let live = canary.live().get("status").cloned().unwrap_or_default();
    let wanted = serde_json::to_value(&result).unwrap_or_default();
    context.cluster.write_status(canary.key(), &Precondition::of(canary.live()), &live, &wanted).await?;
    Ok(context.cluster.look(canary.key()).object().cloned().map(Arc::new))
}

fn status_write_failed(
    context: &Context,
    canary: &CanaryContext,
    runtime: &mut CanaryRuntime,
    error: &WriteError,
) -> ReconcileResult {
    context.telemetry.write_failed(error);
    let (failures, requeue_ms) = (runtime.status_failures, Some(backoff_ms(runtime.status_failures)));
    runtime.status_failures = failures.saturating_add(1);
    let requeue_ms = match error {
        WriteError::Throttled { retry_after_ms } => requeue_ms.max(Some(*retry_after_ms)),
        _ => requeue_ms,
    };
    let text = match error {
        // Somebody knows more, or it may work in a moment.
        WriteError::Conflict { .. }
        | WriteError::AlreadyExists
        | WriteError::NotFound { .. }
        | WriteError::Throttled { .. }
        | WriteError::Unknown { .. } => {
            tracing::warn!(canary = %canary.name(), "status could not be written: {error}");
            return ReconcileResult { requeue_ms, ..ReconcileResult::default() };
        }
        WriteError::Pruned { fields } => format!(
            "updating canary {} status failed: the CRD canaries.flagger.app of this cluster drops {}; nothing is done \
             until the one of this release is applied",
            canary.name(),
            fields.join(", ")
        ),
        WriteError::Forbidden { .. } | WriteError::Invalid { .. } | WriteError::NotServed { .. }
            if failures < QUIET_STATUS_FAILURES =>
        {
            tracing::warn!(canary = %canary.name(), "status could not be written: {error}");
            return ReconcileResult { requeue_ms, ..ReconcileResult::default() };
        }
        error => format!("updating canary {} status failed: {error}", canary.name()),
    };
    ReconcileResult {
        requeue_ms,
        ..warning_events::emit_once(context, canary.live(), canary.key(), runtime, &text)
    }
}

/// A status that is refused so often in a row has been refused for some seconds.
const QUIET_STATUS_FAILURES: u32 = 3;

/// What was decided goes to the log and to the counters.
fn log_notices(context: &Context, canary: &CanaryContext, memory: &Memory, transition: &Transition) {
    for notice in &transition.notices {
        let canary = canary.name();
        match notice.level {
            vexil_analysis::Level::Info => tracing::info!(%canary, "{}", notice.message),
            vexil_analysis::Level::Error => tracing::error!(%canary, "{}", notice.message),
        }
    }
    context.telemetry.decided(canary, memory, &transition.memory);
}

fn update_metrics(context: &Context, canary: &CanaryContext, memory: &Memory, converged: &Converged) {
    context.telemetry.phase(canary, memory.phase);
    context.telemetry.accepted(canary.key(), vexil_plan::is_ready(memory, &context.status_context(canary)));
    if let LiveRoutes::Present { routes, .. } = &converged.observation.seen.routes {
        context.telemetry.weights(canary, routes);
    }
}

/// Notices that have not been handed to the deliverer by this process.
fn new_notifications(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    runtime: &mut CanaryRuntime,
) -> Vec<Notification> {
    let mut notifications = Vec::new();
    let waiting = memory.outbox.entries.iter().flat_map(|e| e.to.iter().map(move |to| (e.seq, to)));
    let waiting: std::collections::BTreeSet<_> = waiting.map(|(seq, to)| (seq, to.clone())).collect();
    runtime.offered.retain(|offer| waiting.contains(offer));
    for entry in &memory.outbox.entries {
        for to in &entry.to {
            if runtime.offered.insert((entry.seq, to.clone())) {
                notifications.push(Notification::of(&context.settings, canary, entry, to.clone()));
            }
        }
    }
    notifications
}

fn next_requeue_ms(transition: &Transition, converged: &Converged, now: Millis) -> Option<u64> {
    let engine = transition.wake.map(|time| time.since(now));
    engine.into_iter().chain(converged.retry_ms).min()
}
