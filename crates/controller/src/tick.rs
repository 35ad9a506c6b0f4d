//! One tick of one Canary: look, converge, decide, remember, and again until nothing changes.

use std::sync::Arc;

use serde_json::Value;
use vexil_analysis::{Convergence, LiveRoutes, Memory, Millis, Transition};
use vexil_api::{Defect, summary};
use vexil_kube::WriteError;
use vexil_object::{ObjectKey, Precondition, Seen, meta};

use crate::{
    Context,
    after::After,
    ask,
    case::Case,
    complain, conditions,
    consider::{Decision, consider},
    converge::{Converged, converge},
    deliver::Delivery,
    interest::Looked,
    local::{Local, pause_ms},
    look::View,
    refuse::{self, Refused},
    rival, status,
};

/// A tick decides at most so often; then others have their turn.
const MOST_DECISIONS: usize = 12;

/// Ticks one Canary.
pub(crate) async fn tick(context: &Context, key: &ObjectKey, local: &mut Local) -> After {
    let live = match context.cluster.look(key) {
        Seen::Present(live) => live,
        Seen::Absent => return After { gone: true, ..After::default() },
        Seen::NotKnown => return settle_unknown(context, key, local).await,
    };
    if !meta::text(&live, "/metadata/deletionTimestamp").is_empty() {
        return After::default();
    }
    let case = match Case::open(Arc::clone(&live), context) {
        Ok(case) => case,
        Err(defects) => return refused(context, &live, key, local, &defects).await,
    };
    if let Some((rival, defect)) = rival::older(context, &case) {
        local.look_at(Looked::at(&context.cluster, [rival, case.key.clone()]));
        return refused(context, &live, key, local, &[defect]).await;
    }
    let case = match whole(context, case, local).await {
        Ok(case) => case,
        Err(after) => return after,
    };
    let remarks = complain::remarks(context, &case, local);
    let mut after = decide(context, case, local).await;
    after.deliveries.extend(remarks);
    after
}

/// A Canary that cannot be processed as it is written. Nothing new is begun, and what is in force stays safe.
async fn refused(
    context: &Context,
    live: &Arc<Value>,
    key: &ObjectKey,
    local: &mut Local,
    defects: &[Defect],
) -> After {
    let (mut after, refused) = refuse::refuse(context, live, key, local, defects);
    match refused {
        Refused::Halted(case) => {
            let decided = decide(context, *case, local).await;
            after.deliveries.extend(decided.deliveries);
            after.wake_ms = after.wake_ms.into_iter().chain(decided.wake_ms).min();
        }
        Refused::Left => {
            let text = format!("invalid canary spec: {}", summary(defects));
            if let Err(error) = refuse::mark(context, live, key, &text).await {
                tracing::warn!(canary = %format!("{}.{}", key.name(), key.namespace()), "status: {error}");
                after.wake_ms = Some(pause_ms(local.status_failures));
                local.status_failures = local.status_failures.saturating_add(1);
            }
        }
    }
    after
}

/// Nothing is touched on a memory that may lack something. Every status of ours has the number of its run: one without
/// is another operator's, or the CRD drops what is ours (design, section 3). One write tells.
async fn whole(context: &Context, case: Case, local: &mut Local) -> Result<Case, After> {
    if status::is_whole(&case.status()) {
        return Ok(case);
    }
    let memory = recall(context, &case).await.map_err(|pause_ms| unanswered(local, pause_ms))?;
    match write(context, &case, &memory).await {
        Ok(live) => match live.map(|live| Case::open(live, context)) {
            Some(Ok(case)) => Ok(case),
            // Deleted or edited into nonsense meanwhile: the watch brings the next tick.
            Some(Err(_)) | None => Err(After::default()),
        },
        Err(error) => Err(status_refused(context, &case, local, &error)),
    }
}

/// A write of the Canary itself has an unknown outcome: one GET settles it. Before the first list there is nothing to
/// ask.
async fn settle_unknown(context: &Context, key: &ObjectKey, local: &mut Local) -> After {
    if local.attempts > 0 || local.status_failures > 0 {
        let _settled = context.cluster.fetch(key).await;
    }
    After { wake_ms: Some(local.pause_ms()), ..After::default() }
}

async fn decide(context: &Context, mut case: Case, local: &mut Local) -> After {
    let mut after = After::default();
    let started = context.clock.now();
    for _ in 0..MOST_DECISIONS {
        let memory = match recall(context, &case).await {
            Ok(memory) => memory,
            Err(pause_ms) => return unanswered(local, pause_ms),
        };
        let converged = converge(context, &case, &memory, local).await;
        local.look_at(converged.view.looked(context, &case));
        let transition = match consider(context, &case, &memory, local, &converged).await {
            Decision::Made(transition) => transition,
            // What was seen is no longer so, and matters more than the answers.
            Decision::Disturbed => match reopened(context, &case) {
                Some(again) => {
                    case = again;
                    continue;
                }
                None => return After { wake_ms: Some(0), ..after },
            },
            Decision::Unlawful(law) => {
                let message = refuse::unlawful(context, &case, law);
                return status_refused(context, &case, local, &WriteError::Invalid { message });
            }
        };
        local.waiting = transition.waiting;
        observe(context, &case, &transition.memory, &converged);
        if transition.memory == memory && status_says(context, &case, &memory) {
            settle_looks(context, &converged).await;
            after.deliveries = offers(&case, &memory, local);
            after.deliveries.extend(complain::altered(context, &case, local));
            after.deliveries.extend(complain::rivals(context, &case, &converged.view, local));
            let unseen = complain::unseen(context, &case, &converged.view, local);
            after.deliveries.extend(unseen.deliveries);
            let wake = wake(&transition, &converged, context.clock.now());
            after.wake_ms = wake.into_iter().chain(unseen.wake_ms).min();
            return after;
        }
        match write(context, &case, &transition.memory).await {
            Ok(live) => {
                if transition.memory.last_step > memory.last_step {
                    context.telemetry.stepped(&case, context.clock.now().since(started));
                }
                tell(context, &case, &memory, &transition);
                local.forget_delivered(&transition.memory.outbox);
                local.status_failures = 0;
                match live.and_then(|_| reopened(context, &case)) {
                    Some(next) => case = next,
                    // Deleted, or refused as it is written: the next tick looks at that.
                    None => return After { wake_ms: Some(0), ..after },
                }
            }
            Err(error) => return status_refused(context, &case, local, &error),
        }
    }
    after.wake_ms = Some(0);
    after
}

/// The Canary as it is now; `None` when it is gone or is not accepted.
fn reopened(context: &Context, case: &Case) -> Option<Case> {
    let live = context.cluster.look(&case.key).object().cloned().map(Arc::new)?;
    let going = !meta::text(&live, "/metadata/deletionTimestamp").is_empty();
    let next = Case::open(live, context).ok().filter(|_| !going)?;
    (case.plan.spec_error.is_none() && rival::older(context, &next).is_none()).then_some(next)
}

/// The API server did not answer a question that has to be answered first.
fn unanswered(local: &mut Local, pause_ms: Option<u64>) -> After {
    let own_ms = local.pause_ms();
    After { wake_ms: Some(pause_ms.unwrap_or(own_ms)), ..After::default() }
}

/// Whether the status already says what is remembered, for the Canary as it is written now.
fn status_says(context: &Context, case: &Case, memory: &Memory) -> bool {
    let before = case.status();
    status::store(memory, &told_with(context, case), &before) == before
}

fn told_with<'a>(context: &Context, case: &'a Case) -> conditions::Context<'a> {
    conditions::Context {
        kind: &case.canary.spec.target_ref.kind,
        generation: refuse::generation(&case.live),
        refused: case.plan.spec_error.as_deref(),
        now: context.clock.now(),
    }
}

/// The memory, with what another operator left behind made comparable.
///
/// # Errors
/// When the API server did not answer; with the pause that it asks for, in milliseconds, if any.
async fn recall(context: &Context, case: &Case) -> Result<Memory, Option<u64>> {
    let mut memory = status::load(&case.status());
    if memory.from_flagger && memory.held.is_none() {
        memory.held = ask::adopted(context, case).await?;
        // What the routes say counts: the other operator's status does not always tell the weight.
        let view = View::of(context, case, &memory, context.clock.now());
        if let LiveRoutes::Present { routes, .. } = view.seen.routes {
            memory.weight = routes.canary();
        }
    }
    Ok(memory)
}

/// Objects whose last write has an unknown outcome, or that are outside of the watched namespace, are read once.
async fn settle_looks(context: &Context, converged: &Converged) {
    if !matches!(converged.state, Convergence::Pending(vexil_analysis::Pending::NotObserved))
        || converged.retry_ms.is_none()
    {
        return;
    }
    for (key, seen) in converged.view.have.iter() {
        if !seen.is_known() {
            let _settled = context.cluster.fetch(key).await;
        }
    }
}

/// Writes the new memory, fenced by the object that was read. Returns the Canary as it is now.
async fn write(context: &Context, case: &Case, next: &Memory) -> Result<Option<Arc<Value>>, WriteError> {
    let before = case.status();
    let after = status::store(next, &told_with(context, case), &before);
    let live = case.live.get("status").cloned().unwrap_or_default();
    let wanted = serde_json::to_value(&after).unwrap_or_default();
    context.cluster.write_status(&case.key, &Precondition::of(&case.live), &live, &wanted).await?;
    Ok(context.cluster.look(&case.key).object().cloned().map(Arc::new))
}

fn status_refused(context: &Context, case: &Case, local: &mut Local, error: &WriteError) -> After {
    context.telemetry.write_failed(error);
    let (failures, wake_ms) = (local.status_failures, Some(pause_ms(local.status_failures)));
    local.status_failures = failures.saturating_add(1);
    let wake_ms = match error {
        WriteError::Throttled { retry_after_ms } => wake_ms.max(Some(*retry_after_ms)),
        _ => wake_ms,
    };
    let text = match error {
        // Somebody knows more, or it may work in a moment.
        WriteError::Conflict { .. }
        | WriteError::AlreadyExists
        | WriteError::NotFound { .. }
        | WriteError::Throttled { .. }
        | WriteError::Unknown { .. } => {
            tracing::warn!(canary = %case.name(), "status could not be written: {error}");
            return After { wake_ms, ..After::default() };
        }
        WriteError::Pruned { fields } => format!(
            "updating canary {} status failed: the CRD canaries.flagger.app of this cluster drops {}; nothing is done \
             until the one of this release is applied",
            case.name(),
            fields.join(", ")
        ),
        WriteError::Forbidden { .. } | WriteError::Invalid { .. } | WriteError::NotServed { .. }
            if failures < WORTH_TELLING =>
        {
            tracing::warn!(canary = %case.name(), "status could not be written: {error}");
            return After { wake_ms, ..After::default() };
        }
        error => format!("updating canary {} status failed: {error}", case.name()),
    };
    After { wake_ms, ..complain::once(context, &case.live, &case.key, local, &text) }
}

/// A status that is refused so often in a row has been refused for some seconds.
const WORTH_TELLING: u32 = 3;

/// What was decided goes to the log and to the counters.
fn tell(context: &Context, case: &Case, memory: &Memory, transition: &Transition) {
    for notice in &transition.notices {
        let canary = case.name();
        match notice.level {
            vexil_analysis::Level::Info => tracing::info!(%canary, "{}", notice.message),
            vexil_analysis::Level::Error => tracing::error!(%canary, "{}", notice.message),
        }
    }
    context.telemetry.decided(case, memory, &transition.memory);
}

fn observe(context: &Context, case: &Case, memory: &Memory, converged: &Converged) {
    context.telemetry.phase(case, memory.phase);
    context.telemetry.accepted(&case.key, conditions::accepted(memory, &told_with(context, case)));
    if let LiveRoutes::Present { routes, .. } = &converged.view.seen.routes {
        context.telemetry.weights(case, routes);
    }
}

/// Notices that have not been handed to the deliverer by this process.
fn offers(case: &Case, memory: &Memory, local: &mut Local) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    let waiting = memory.outbox.entries.iter().flat_map(|e| e.to.iter().map(move |to| (e.seq, to)));
    let waiting: std::collections::BTreeSet<_> = waiting.map(|(seq, to)| (seq, to.clone())).collect();
    local.offered.retain(|offer| waiting.contains(offer));
    for entry in &memory.outbox.entries {
        for to in &entry.to {
            if local.offered.insert((entry.seq, to.clone())) {
                deliveries.push(Delivery::of(case, entry, to.clone()));
            }
        }
    }
    deliveries
}

fn wake(transition: &Transition, converged: &Converged, now: Millis) -> Option<u64> {
    let engine = transition.wake.map(|time| time.since(now));
    engine.into_iter().chain(converged.retry_ms).min()
}
