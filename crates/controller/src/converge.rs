//! Makes the world match the memory, one effect at a time, until the engine says that it does or that it must wait.

use vexil_analysis::{Convergence, LiveRoutes, Memory, Millis, Next, Pending, next_effect};

use crate::{
    Context,
    act::{Acted, act},
    case::Case,
    contest::Contest,
    local::{Local, Settled},
    look::View,
    refuse,
};

/// What converging came to.
pub(crate) struct Converged {
    /// Whether the world matches the memory now.
    pub(crate) state: Convergence,
    /// What was seen last.
    pub(crate) view: View,
    /// Somebody changed the routes since they were last seen as wanted: what they said.
    pub(crate) drift: Option<String>,
    /// When to try again although nothing changes, in milliseconds.
    pub(crate) retry_ms: Option<u64>,
}

/// More effects than this in a row mean that two writers fight, or a defect; the rest waits for the next tick.
const MOST_EFFECTS: usize = 16;

/// Converges.
pub(crate) async fn converge(
    context: &Context,
    case: &Case,
    memory: &Memory,
    local: &mut Local,
) -> Converged {
    let since = *local.since.get_or_insert(context.clock.now());
    let before = View::of(context, case, memory, since);
    let drift = drift(memory, local, &before);
    let converged = settle(context, case, memory, local, before).await;
    Converged { drift, ..converged }
}

/// Routes that differ although neither the memory has changed since they were right, nor we have written them.
fn drift(memory: &Memory, local: &Local, view: &View) -> Option<String> {
    local.settled_as.filter(|settled| *settled == Settled::of(memory))?;
    match &view.seen.routes {
        LiveRoutes::Present { routes, .. } if routes.canary() != memory.weight => {
            Some(format!("primary {}, canary {}", routes.primary(), routes.canary()))
        }
        LiveRoutes::Absent if view.edited.is_none() => Some("deleted".to_owned()),
        _ => view.edited.clone(),
    }
}

async fn settle(
    context: &Context,
    case: &Case,
    memory: &Memory,
    local: &mut Local,
    before: View,
) -> Converged {
    let since = before.seen.since;
    let mut view = before;
    for _ in 0..MOST_EFFECTS {
        let now = context.clock.now();
        let effect = match next_effect(&case.plan, memory, &view.seen, now) {
            Next::Settled => return settled(memory, now, local, view),
            Next::Wait(pause) => return waits(pause, local, view),
            Next::Unlawful(law) => return blocked(refuse::unlawful(context, case, law), now, local, view),
            Next::Do(effect) => effect,
        };
        if let Some(rest) = local.contest.pause_ms(memory, &effect, now) {
            return Converged { retry_ms: Some(rest), ..blocked(Contest::text(&effect), now, local, view) };
        }
        match act(context, case, memory, &view, &effect).await {
            Acted::Done => {
                local.contest.done(memory, &effect, context.clock.now());
                view = View::of(context, case, memory, since);
            }
            Acted::Moved => return waits(Pending::TargetChanged, local, view),
            Acted::Again => return again(local, View::of(context, case, memory, since), None),
            Acted::Later(ms) => return again(local, view, Some(ms)),
            Acted::Refused(error) => return blocked(error, now, local, view),
            Acted::Altered(text) => {
                view = View::of(context, case, memory, since);
                if next_effect(&case.plan, memory, &view.seen, now) == Next::Do(effect) {
                    return blocked(text, now, local, view);
                }
                // It does as it shall all the same: worth a remark, and no reason to wait.
                local.altered.insert(text);
            }
        }
    }
    again(local, view, None)
}

fn settled(memory: &Memory, now: Millis, local: &mut Local, view: View) -> Converged {
    if let Some((effect, rest)) = local.contest.doubt(now) {
        let text = Contest::text(effect);
        return Converged { retry_ms: Some(rest), ..blocked(text, now, local, view) };
    }
    local.blocked_since = None;
    local.attempts = 0;
    local.unsure = false;
    // Before the first route is wanted none is missing.
    let routed = matches!(view.seen.routes, LiveRoutes::Present { .. });
    local.settled_as = routed.then(|| Settled::of(memory));
    Converged { state: Convergence::Settled, view, drift: None, retry_ms: None }
}

/// A target that moved is seen by the watch in a moment; if not, the next try looks again. So do we after a write whose
/// outcome is not known: no watch tells that nothing has happened.
fn waits(pause: Pending, local: &mut Local, view: View) -> Converged {
    local.blocked_since = None;
    let retry = pause == Pending::TargetChanged || pause == Pending::NotObserved && local.unsure;
    let retry_ms = retry.then(|| local.pause_ms());
    Converged { state: Convergence::Pending(pause), view, drift: None, retry_ms }
}

fn again(local: &mut Local, view: View, after_ms: Option<u64>) -> Converged {
    local.unsure = true;
    let pause = local.pause_ms();
    Converged {
        state: Convergence::Pending(Pending::NotObserved),
        view,
        drift: None,
        retry_ms: Some(after_ms.unwrap_or(pause)),
    }
}

fn blocked(error: String, now: Millis, local: &mut Local, view: View) -> Converged {
    let since = *local.blocked_since.get_or_insert(now);
    let retry_ms = Some(local.pause_ms());
    Converged { state: Convergence::Blocked { error, since }, view, drift: None, retry_ms }
}
