//! Lets the engine decide: answers its questions until it has decided, or until the cluster has changed meanwhile.

use std::collections::BTreeMap;

use vexil_analysis::{Convergence, Facts, Memory, Next, Observed, Step, Transition, advance, next_effect};
use vexil_plan::CanaryContext;

use crate::{Context, answers, configs, converge::Converged, observe::Observation, runtime::CanaryRuntime};

/// The result of [`decide`].
#[expect(clippy::large_enum_variant, reason = "lives for one return; nothing keeps many of them")]
pub(crate) enum Decision {
    /// It was made.
    Made(Transition),
    /// The cluster changed while an answer was awaited: a hook may take minutes, but a crashing canary or a new
    /// revision is handled at once.
    Overtaken,
    /// It breaks this law, by a defect of the engine: nothing is written.
    Unlawful(&'static str),
}

/// Decides, with the answers that the engine asks for. `warnings` are about the cluster; each is reported once.
pub(crate) async fn decide(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    runtime: &CanaryRuntime,
    converged: &Converged,
    warnings: &[String],
) -> Decision {
    let mut facts = facts(context, canary, memory, runtime, converged, warnings);
    loop {
        let question = match advance(canary.plan(), memory, &facts) {
            Step::Done(transition) => return Decision::Made(transition),
            Step::Unlawful(law) => return Decision::Unlawful(law),
            Step::Ask(question) => question,
        };
        let answer = answers::answer(context, canary, &converged.observation, memory, &question);
        let answer = tokio::select! {
            biased;
            () = overtaken(context, canary, memory, runtime, converged) => return Decision::Overtaken,
            answer = runtime.ask_outside(&question, answer) => answer,
        };
        facts.answers.insert(question, answer);
    }
}

/// What is known without asking.
pub(crate) fn facts(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    runtime: &CanaryRuntime,
    converged: &Converged,
    warnings: &[String],
) -> Facts {
    let now = context.clock.now();
    Facts {
        now,
        due: Facts::is_due(memory.last_step, canary.plan().interval_ms, now),
        convergence: converged.state.clone(),
        seen: converged.observation.observed.clone(),
        waiting: runtime.waiting,
        drift: converged.drift.clone(),
        warnings: warnings.to_vec(),
        delivered: runtime.delivered.clone(),
        answers: BTreeMap::new(),
    }
}

/// Resolves when there is an effect to carry out, a new revision, or another spec: an edit, `suspend` and deletion take
/// effect at once.
async fn overtaken(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    runtime: &CanaryRuntime,
    before: &Converged,
) {
    let revision = |seen: &Observed| seen.target.present().and_then(|pods| pods.revision.clone());
    loop {
        runtime.woken().await;
        if edited(context, canary) {
            return;
        }
        if configs::read(context, canary).await.is_err() {
            continue;
        }
        let now = context.clock.now();
        let seen = Observation::take(context, canary, memory, before.observation.observed.since).observed;
        let pushed = revision(&seen) != revision(&before.observation.observed);
        let was_settled = before.state == Convergence::Settled;
        let to_do = matches!(next_effect(canary.plan(), memory, &seen, now), Next::Do(_));
        if pushed || was_settled && to_do {
            return;
        }
    }
}

/// Whether the Canary itself was edited or deleted since it was read.
fn edited(context: &Context, canary: &CanaryContext) -> bool {
    const MATTERS: [&str; 4] =
        ["/metadata/uid", "/metadata/generation", "/metadata/annotations", "/metadata/deletionTimestamp"];
    let live = context.cluster.look(canary.key());
    live.object()
        .is_none_or(|live| MATTERS.iter().any(|path| live.pointer(path) != canary.live().pointer(path)))
}
