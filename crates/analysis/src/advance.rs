//! The first of the two pure functions: from what is remembered and what was seen to what is remembered next.

use crate::{Facts, Memory, Millis, Notice, Phase, Plan, Question, WaitKind, draft::Draft, phase};

/// What [`advance`] says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "lives for one return; nobody keeps many of them")]
pub enum Step {
    /// Answer these, then ask again with the answers among the facts.
    Ask(Vec<Question>),
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

/// Called in every tick. Asks for what it needs, in the order of the contract, and then decides.
///
/// Questions come one group at a time and only when their answer matters, so the number of rounds is bounded by the
/// number of questions that a plan can raise.
pub fn advance(plan: &Plan, memory: &Memory, facts: &Facts) -> Step {
    let mut draft = Draft::new(plan, memory, facts);
    match decide(&mut draft) {
        Ok(()) => draft.done(),
        Err(questions) => Step::Ask(questions),
    }
}

/// The only match on the phase.
fn decide(draft: &mut Draft<'_>) -> Result<(), Vec<Question>> {
    if draft.plan.suspended {
        return phase::idle::suspended(draft);
    }
    draft.waited(WaitKind::Suspended);
    draft.bring_back_times();
    phase::drifted(draft);
    if phase::rebinding::look(draft)? {
        return Ok(());
    }
    if draft.memory.foreign && draft.memory.phase != Phase::Initializing {
        return phase::takeover::adopt(draft);
    }
    match draft.memory.phase {
        Phase::New => phase::initializing::begin(draft),
        Phase::Initializing => phase::initializing::go_on(draft),
        Phase::Initialized | Phase::Waiting | Phase::Succeeded | Phase::Failed => phase::idle::look(draft),
        Phase::Progressing | Phase::WaitingPromotion => phase::progressing::look(draft),
        Phase::Promoting => phase::promoting::look(draft),
        Phase::Finalising => phase::ending::go_on(draft),
        Phase::Terminating | Phase::Terminated => Ok(()),
    }
}
