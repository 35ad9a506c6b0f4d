//! The first of the two pure functions: from what is remembered and what was seen to what is remembered next.

use crate::{
    Binding, Facts, Memory, Millis, Names, Notice, Phase, Plan, Question, Receiver, Strategy, WaitKind,
    Waiting,
    draft::{Draft, Need},
    laws, phase,
};

/// What [`advance`] says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "lives for one return; no collection holds them")]
pub enum Step {
    /// Answer this, then call [`advance`] again with the answer among the facts.
    Ask(Question),
    /// The decision.
    Done(Transition),
    /// The decision breaks this law, by a defect of the engine. Nothing may be written; it is to be reported.
    Unlawful(&'static str),
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transition {
    /// What is to be remembered. Equal to the old memory when nothing changes.
    pub memory: Memory,
    /// What happened, for the log; those to be delivered are in the memory's outbox as well.
    pub notices: Vec<Notice>,
    /// When to reconcile again although nothing changed.
    pub wake: Option<Millis>,
    /// What is being waited for. The process keeps it and passes it back in [`Facts::waiting`].
    pub waiting: Waiting,
}

/// Decides what the memory is to become. Called in every reconcile.
///
/// When the decision depends on something outside (a webhook, a metric), it returns [`Step::Ask`] with one question,
/// and only when the answer matters: hooks and checks are asked in the order of the spec, and the first failure ends
/// the round. The number of calls is bounded by the number of hooks and checks of the plan.
pub fn advance(plan: &Plan, memory: &Memory, facts: &Facts) -> Step {
    let mut draft = Draft::new(plan, memory, facts);
    if let Err(question) = decide(&mut draft) {
        return Step::Ask(question);
    }
    let transition = draft.done();
    match laws::broken_by_transition(memory, &transition.memory, facts) {
        None => Step::Done(transition),
        Some(law) => Step::Unlawful(law),
    }
}

/// What becomes of a Canary with this defect of which nothing is in force: the defect is reported as an Event, once,
/// and nothing else changes.
pub fn refuse(memory: &Memory, defect: &str, delivered: &[(u64, Receiver)], now: Millis) -> Transition {
    let strategy = Strategy::BlueGreen { iterations: 1 };
    let plan = Plan {
        spec_error: Some(defect.to_owned()),
        ..Plan::new(Names::default(), Binding::default(), strategy)
    };
    let facts = Facts { now, delivered: delivered.to_vec(), ..Facts::default() };
    Draft::new(&plan, memory, &facts).done()
}

/// The only match on the phase.
fn decide(draft: &mut Draft<'_>) -> Need<()> {
    if phase::terminating::decide(draft)? {
        return Ok(());
    }
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
        Phase::Terminating | Phase::Terminated => phase::terminating::decide(draft).map(drop),
    }
}
