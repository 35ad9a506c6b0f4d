//! The first of the two pure functions: from what is remembered and what was seen to what is remembered next.

use crate::{
    Facts, Memory, Millis, Notice, Phase, Plan, Question, WaitKind,
    draft::{Draft, Need},
    phase,
};

/// What [`advance`] says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "lives for one return; nobody keeps many of them")]
pub enum Step {
    /// Answer this, then call [`advance`] again with the answer among the facts.
    Ask(Question),
    /// The decision.
    Done(Transition),
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transition {
    /// What is to be remembered. Equal to the old memory when nothing changes.
    pub memory: Memory,
    /// What happened, for the log; those to be delivered are in the memory's outbox as well.
    pub notices: Vec<Notice>,
    /// When to look again although nothing changed.
    pub wake: Option<Millis>,
    /// What is being waited for; comes back in [`Facts::waiting`] with the time at which it was first said.
    pub waiting: Option<WaitKind>,
}

/// Decides what the memory is to become. Called in every reconcile.
///
/// When the decision depends on something outside (a webhook, a metric), it returns [`Step::Ask`] with one question, and
/// only when the answer matters: hooks and checks are asked in the order of the spec, and the first failure ends the
/// round. The number of calls is bounded by the number of hooks and checks of the plan.
///
/// ```
/// use vexil_analysis::{
///     Answer, Binding, Convergence, Facts, Memory, Millis, Names, Phase, Plan, Step, Steps, Strategy, Weight, advance,
/// };
///
/// # fn main() -> Result<(), vexil_analysis::WeightError> {
/// let plan = Plan {
///     names: Names {
///         canary: "podinfo".to_owned(),
///         namespace: "test".to_owned(),
///         target: "podinfo".to_owned(),
///         kind: "Deployment".to_owned(),
///     },
///     binding: Binding { target: "podinfo".to_owned(), apex: "podinfo".to_owned(), ..Binding::default() },
///     suspended: false,
///     spec_error: None,
///     skip_analysis: false,
///     interval_ms: 60_000,
///     threshold: 5,
///     deadline_ms: 600_000,
///     strategy: Strategy::Progressive(Steps { list: vec![], by: Weight::new(10)?, max: Weight::new(50)? }),
///     promotion_step: Weight::ZERO,
///     routed: true,
///     warnings: vec![],
///     checks: vec!["request-success-rate".to_owned()],
///     hooks: vec![],
///     receivers: vec![],
/// };
///
/// // A Canary that was just created: nothing is remembered.
/// let mut facts = Facts { now: Millis(1_000), ..Facts::default() };
/// let Step::Done(decision) = advance(&plan, &Memory::default(), &facts) else { panic!("it asks") };
/// assert_eq!(decision.memory.phase, Phase::Initializing);
///
/// // The memory is stored, the effects of `next_effect` are carried out, and with new facts it is called again. The
/// // answer to a question is added to the facts:
/// facts.convergence = Convergence::Settled;
/// while let Step::Ask(question) = advance(&plan, &decision.memory, &facts) {
///     facts.answers.insert(question, Answer::Passed);
/// }
/// # Ok(())
/// # }
/// ```
pub fn advance(plan: &Plan, memory: &Memory, facts: &Facts) -> Step {
    let mut draft = Draft::new(plan, memory, facts);
    match decide(&mut draft) {
        Ok(()) => draft.done(),
        Err(question) => Step::Ask(question),
    }
}

/// The only match on the phase.
fn decide(draft: &mut Draft<'_>) -> Need<()> {
    if draft.plan.suspended {
        return phase::idle::suspended(draft);
    }
    draft.end_wait(WaitKind::Suspended);
    draft.clamp_future_times();
    phase::report_drift(draft);
    if phase::migration::decide(draft)? {
        return Ok(());
    }
    if draft.memory.from_flagger && draft.memory.phase != Phase::Initializing {
        return phase::takeover::adopt(draft);
    }
    match draft.memory.phase {
        Phase::New => phase::initializing::begin(draft),
        Phase::Initializing => phase::initializing::proceed(draft),
        Phase::Initialized | Phase::Waiting | Phase::Succeeded | Phase::Failed => phase::idle::decide(draft),
        Phase::Progressing | Phase::WaitingPromotion => phase::progressing::decide(draft),
        Phase::Promoting => phase::promoting::decide(draft),
        Phase::Finalising => phase::ending::proceed(draft),
        Phase::Terminating | Phase::Terminated => Ok(()),
    }
}
