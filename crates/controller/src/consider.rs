//! Asks the engine, and whoever it wants to have asked, until it has decided or the world has moved on.

use std::collections::BTreeMap;

use vexil_analysis::{Convergence, Facts, Memory, Next, Observed, Step, Transition, advance, next_effect};

use crate::{Context, ask, case::Case, converge::Converged, local::Local, look::View};

/// What a decision came to.
pub(crate) enum Decision {
    /// It was made.
    Made(Transition),
    /// Something changed meanwhile that cannot wait for the answers: a hook may take its time, a canary that crashes or
    /// another revision may not.
    Disturbed,
    /// It breaks this law, by a defect of the engine: nothing is written.
    Unlawful(&'static str),
}

/// Decides, with the answers that the engine asks for.
pub(crate) async fn consider(
    context: &Context,
    case: &Case,
    memory: &Memory,
    local: &Local,
    converged: &Converged,
) -> Decision {
    let now = context.clock.now();
    let mut facts = Facts {
        now,
        due: Facts::is_due(memory.last_step, case.plan.interval_ms, now),
        convergence: converged.state.clone(),
        seen: converged.view.seen.clone(),
        waiting: local.waiting,
        drift: converged.drift.clone(),
        delivered: local.delivered.clone(),
        answers: BTreeMap::new(),
    };
    loop {
        let question = match advance(&case.plan, memory, &facts) {
            Step::Done(transition) => return Decision::Made(transition),
            Step::Unlawful(law) => return Decision::Unlawful(law),
            Step::Ask(question) => question,
        };
        let answer = tokio::select! {
            biased;
            () = disturbed(context, case, memory, local, converged) => return Decision::Disturbed,
            answer = local.outside(question, ask::answer(context, case, &converged.view, memory, question)) => {
                answer
            }
        };
        facts.answers.insert(question, answer);
    }
}

/// Ready when there is something to do at once, another revision to look at, or another spec: an edit, `suspend` and
/// deletion take effect at once.
async fn disturbed(context: &Context, case: &Case, memory: &Memory, local: &Local, before: &Converged) {
    let revision = |seen: &Observed| seen.target.present().and_then(|pods| pods.revision.clone());
    loop {
        local.disturbed().await;
        if edited(context, case) {
            return;
        }
        let now = context.clock.now();
        let seen = View::of(context, case, memory, before.view.seen.since).seen;
        let pushed = revision(&seen) != revision(&before.view.seen);
        let was_settled = before.state == Convergence::Settled;
        let to_do = matches!(next_effect(&case.plan, memory, &seen, now), Next::Do(_));
        if pushed || was_settled && to_do {
            return;
        }
    }
}

/// The Canary itself is another one than was read: its spec or annotations, or it is being deleted.
fn edited(context: &Context, case: &Case) -> bool {
    const MATTERS: [&str; 4] =
        ["/metadata/uid", "/metadata/generation", "/metadata/annotations", "/metadata/deletionTimestamp"];
    let live = context.cluster.look(&case.key);
    live.object().is_none_or(|live| MATTERS.iter().any(|path| live.pointer(path) != case.live.pointer(path)))
}
