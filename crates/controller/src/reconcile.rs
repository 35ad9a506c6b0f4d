//! One reconcile of one Canary: observe, converge, decide, remember, and again until nothing changes.

use std::sync::Arc;

use serde_json::Value;
use tracing::{Instrument, Span, field};
use vexil_analysis::{Convergence, LiveRoutes, Memory, Pending, Phase, Transition};
use vexil_api::Defect;
use vexil_kube::WriteError;
use vexil_object::{ObjectKey, Seen, meta};
use vexil_plan::{CanaryContext, StatusContext, Tracked};

use crate::{
    Context, answers,
    converge::{Converged, converge},
    decide::{Decision, decide},
    deletion, duplicate_target,
    finalizer::is_deleted,
    invalid_spec,
    observe::Observation,
    outbox,
    reconcile_result::ReconcileResult,
    runtime::CanaryRuntime,
    status_writes::{status_write_failed, write_status},
    warnings,
    watch_index::Dependencies,
};

/// Decisions of one reconcile; then other Canaries are reconciled first.
const MAX_DECISIONS: usize = 12;

/// Reconciles one Canary. Every log line in it has the Canary and its phase as fields of a span.
pub(crate) async fn reconcile(
    context: &Context,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
) -> ReconcileResult {
    reconcile_in_span(context, key, runtime).instrument(span(key)).await
}

/// The span of everything that is done for a Canary. It is at the level of errors, so that no filter takes its fields
/// from them.
pub(crate) fn span(key: &ObjectKey) -> Span {
    let canary = format!("{}.{}", key.name(), key.namespace());
    tracing::error_span!("canary", namespace = key.namespace(), %canary, phase = field::Empty)
}

async fn reconcile_in_span(
    context: &Context,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
) -> ReconcileResult {
    let live = match context.cluster.look(key) {
        Seen::Present(live) => live,
        Seen::Absent => return ReconcileResult { gone: true, ..ReconcileResult::default() },
        Seen::NotKnown => return read_canary(context, key, runtime).await,
    };
    Span::current().record("phase", meta::text(&live, "/status/phase"));
    if is_deleted(&live) {
        return match deletion::begin(context, &live, key, runtime).await {
            Ok(canary) => converge_and_decide(context, canary, runtime).await,
            Err(result) => result,
        };
    }
    let canary = match context.planner().open(Arc::clone(&live)) {
        Ok(canary) => canary,
        Err(defects) => return reconcile_invalid(context, &live, key, runtime, &defects).await,
    };
    if let Some((owner, defect)) = duplicate_target::first_owner(context, &canary) {
        runtime.set_dependencies(Dependencies::at(&context.cluster, [owner, canary.key().clone()]));
        return reconcile_invalid(context, &live, key, runtime, &[defect]).await;
    }
    let canary = match ensure_own_status(context, canary, runtime).await {
        Ok(canary) => canary,
        Err(result) => return result,
    };
    let canary = match deletion::ensure_finalizer(context, canary, runtime).await {
        Ok(canary) => canary,
        Err(result) => return result,
    };
    converge_and_decide(context, canary, runtime).await
}

/// Reconciles a Canary whose spec is invalid: no analysis starts, and what is in force stays safe.
async fn reconcile_invalid(
    context: &Context,
    live: &Arc<Value>,
    key: &ObjectKey,
    runtime: &mut CanaryRuntime,
    defects: &[Defect],
) -> ReconcileResult {
    match invalid_spec::in_force(context, live, key, defects) {
        Some(canary) => converge_and_decide(context, canary, runtime).await,
        None => invalid_spec::refuse(context, live, key, runtime, defects).await,
    }
}

/// Writes the status once if it does not have the number of a run: it is then Flagger's, or the CRD of the cluster
/// drops the fields of the memory. In that case the write fails and nothing else is done, for the memory would be
/// incomplete.
async fn ensure_own_status(
    context: &Context,
    canary: CanaryContext,
    runtime: &mut CanaryRuntime,
) -> Result<CanaryContext, ReconcileResult> {
    if vexil_plan::has_run_number(canary.status()) {
        return Ok(canary);
    }
    let memory = load_memory(context, &canary).await.map_err(|after_ms| read_failed(runtime, after_ms))?;
    match write_status(context, &canary, &memory, Tracked::Unchanged).await {
        Ok(live) => match live.map(|live| context.planner().open(live)) {
            Some(Ok(canary)) => Ok(canary),
            // Deleted or made invalid meanwhile: the watch enqueues it again.
            Some(Err(_)) | None => Err(ReconcileResult::default()),
        },
        Err(error) => Err(status_write_failed(context, canary.live(), canary.key(), runtime, &error)),
    }
}

/// Reads the Canary itself if the outcome of a write to it is unknown. Before the first list there is nothing to read.
async fn read_canary(context: &Context, key: &ObjectKey, runtime: &mut CanaryRuntime) -> ReconcileResult {
    if runtime.attempts > 0 || runtime.status_failures > 0 {
        let _now_cached = context.cluster.fetch(key).await;
    }
    ReconcileResult { requeue_ms: Some(runtime.backoff_ms()), ..ReconcileResult::default() }
}

async fn converge_and_decide(
    context: &Context,
    mut canary: CanaryContext,
    runtime: &mut CanaryRuntime,
) -> ReconcileResult {
    let started = context.clock.now();
    for _ in 0..MAX_DECISIONS {
        let memory = match load_memory(context, &canary).await {
            Ok(memory) => memory,
            Err(after_ms) => return read_failed(runtime, after_ms),
        };
        Span::current().record("phase", memory.phase.as_str());
        let converged = converge(context, &canary, &memory, runtime).await;
        runtime.set_dependencies(converged.observation.dependencies(context, &canary));
        let warnings = warnings::of_cluster(context, &canary, &memory, &converged.observation, runtime);
        let decision = decide(context, &canary, &memory, runtime, &converged, &warnings.texts).await;
        let transition = match decision {
            Decision::Made(transition) => transition,
            Decision::Overtaken => match reread(context, &canary) {
                Some(next) => {
                    canary = next;
                    continue;
                }
                None => return ReconcileResult::at_once(),
            },
            Decision::Unlawful(law) => {
                let message = invalid_spec::report_broken_law(context, law);
                let error = WriteError::Invalid { message };
                return status_write_failed(context, canary.live(), canary.key(), runtime, &error);
            }
        };
        runtime.waiting = transition.waiting;
        update_metrics(context, &canary, &transition.memory, &converged);
        let tracked = converged.observation.tracked(&transition.memory);
        if transition.memory == memory && status_is_current(context, &canary, &memory, tracked) {
            let requeue_ms = [converged.retry_ms, warnings.requeue_ms].into_iter().flatten().min();
            return settled(context, &canary, &transition, &converged, requeue_ms, runtime).await;
        }
        match write_status(context, &canary, &transition.memory, tracked).await {
            Ok(live) => {
                if transition.memory.last_step > memory.last_step {
                    context.telemetry.stepped(&canary, context.clock.now().since(started));
                }
                outbox::log(&transition.notices);
                context.telemetry.decided(&canary, &memory, &transition.memory);
                runtime.status_written(&transition.memory.outbox);
                if converged.drift.is_some() {
                    runtime.drift = None;
                }
                match live.and_then(|_| reread(context, &canary)) {
                    Some(next) => canary = next,
                    // Deleted or made invalid meanwhile.
                    None => return ReconcileResult::at_once(),
                }
            }
            Err(error) => {
                return status_write_failed(context, canary.live(), canary.key(), runtime, &error);
            }
        }
    }
    ReconcileResult::at_once()
}

/// Nothing is left to write: hands over what has to be delivered, and says when to reconcile again.
async fn settled(
    context: &Context,
    canary: &CanaryContext,
    transition: &Transition,
    converged: &Converged,
    requeue_ms: Option<u64>,
    runtime: &mut CanaryRuntime,
) -> ReconcileResult {
    read_unknown_objects(context, converged).await;
    // They are among the warnings that the memory has as reported.
    runtime.altered.clear();
    let notifications = outbox::undelivered(context, canary, &transition.memory.outbox, runtime);
    let now = context.clock.now();
    // The finalizer is left, which does not wait for the delivery of the last notices.
    let ended = (transition.memory.phase == Phase::Terminated).then_some(0);
    let engine_ms = transition.wake.map(|time| time.since(now)).or(ended);
    let requeue_ms = [engine_ms, requeue_ms].into_iter().flatten().min();
    ReconcileResult { requeue_ms, notifications, gone: false }
}

/// The Canary as it is now; `None` if it is gone, deleted, invalid, or drives another Canary's target.
pub(crate) fn reread(context: &Context, canary: &CanaryContext) -> Option<CanaryContext> {
    let live = context.cluster.look(canary.key()).shared()?;
    if is_deleted(&live) != is_deleted(canary.live()) || canary.plan().spec_error.is_some() {
        return None;
    }
    let next = context.planner().open(live).ok()?;
    duplicate_target::first_owner(context, &next).is_none().then_some(next)
}

/// The API server did not answer a read without which nothing can be decided.
fn read_failed(runtime: &mut CanaryRuntime, after_ms: Option<u64>) -> ReconcileResult {
    let backoff_ms = runtime.backoff_ms();
    ReconcileResult { requeue_ms: Some(after_ms.unwrap_or(backoff_ms)), ..ReconcileResult::default() }
}

/// Whether the status already has this memory, for this generation of the Canary.
pub(crate) fn status_is_current(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    tracked: Tracked<'_>,
) -> bool {
    let status_context = StatusContext { tracked, ..context.status_context(canary) };
    vexil_plan::store(memory, &status_context, canary.status()) == *canary.status()
}

/// The memory. Where the status is Flagger's, the revision of the primary is derived from the objects.
///
/// # Errors
/// If the API server did not answer: the pause that it asks for, in milliseconds, if any.
pub(crate) async fn load_memory(context: &Context, canary: &CanaryContext) -> Result<Memory, Option<u64>> {
    let mut memory = vexil_plan::load(canary.status());
    if memory.from_flagger && memory.held.is_none() && !is_deleted(canary.live()) {
        memory.held = answers::adopted(context, canary).await?;
        // The live routes count: Flagger's status does not always have the weight.
        let observation = Observation::take(context, canary, &memory, context.clock.now());
        if let LiveRoutes::Present { routes, .. } = observation.observed.routes {
            memory.weight = routes.canary();
        }
    }
    Ok(memory)
}

/// Reads objects once whose last write has an unknown outcome, or that are outside of the watched namespace.
async fn read_unknown_objects(context: &Context, converged: &Converged) {
    let pending = Convergence::Pending(Pending::NotObserved);
    if converged.state != pending || converged.retry_ms.is_none() {
        return;
    }
    for (key, seen) in converged.observation.objects.iter() {
        // The content of a ConfigMap or Secret is read when it is needed, and after the pause that was asked for.
        if !seen.is_known() && !context.cluster.look(key).is_known() {
            let _now_cached = context.cluster.fetch(key).await;
        }
    }
}

fn update_metrics(context: &Context, canary: &CanaryContext, memory: &Memory, converged: &Converged) {
    context.telemetry.phase(canary, memory.phase);
    context.telemetry.accepted(canary.key(), vexil_plan::is_ready(memory, &context.status_context(canary)));
    if let LiveRoutes::Present { routes, .. } = &converged.observation.observed.routes {
        context.telemetry.weights(canary, routes);
    }
}
