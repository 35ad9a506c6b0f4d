//! Gates in the exhaustive check: what may not go on without the hooks that hold it up.

use vexil_analysis::{Answer, Cause, Facts, Hook, HookKind, Memory, Phase, Plan, Question};

use super::state::State;

impl State {
    /// Nothing goes on without the hooks that hold it up, and no hook ends a rollout but a `rollback` hook.
    pub fn vet_gates(&mut self, plan: &Plan, before: &Memory, facts: &Facts) {
        let open = |kind: HookKind| {
            let passed = |hook: &Hook| {
                let asked =
                    |question: &&Question| matches!(question, Question::Hook(of, _) if *of == hook.id);
                let question = facts.answers.keys().find(asked);
                question.and_then(|question| facts.answers.get(question)) == Some(&Answer::Passed)
            };
            plan.hooks_of(kind).all(passed)
        };
        let after = &self.memory;
        let starts =
            matches!(before.phase, Phase::Initialized | Phase::Waiting | Phase::Succeeded | Phase::Failed)
                && after.phase == Phase::Progressing
                && before.ending.is_none();
        let more = after.weight > before.weight
            && before.phase == Phase::Progressing
            && (before.ending.is_none(), before.withheld, after.withheld) == (true, None, None);
        let promotes = before.phase != Phase::Promoting && after.phase == Phase::Promoting;
        let manual = before.ending.is_none()
            && after.ending.as_ref().is_some_and(|ending| ending.cause == Cause::Manual);
        let laws = [
            (
                starts && before.weight.is_zero() && !open(HookKind::ConfirmRollout),
                "a rollout starts without approval",
            ),
            (more && !open(HookKind::ConfirmTrafficIncrease), "traffic grows without approval"),
            (
                promotes && !plan.skip_analysis && !open(HookKind::ConfirmPromotion),
                "a promotion begins without approval",
            ),
            (manual && !open(HookKind::Rollback), "a rollback that no hook asked for"),
        ];
        let broken = laws.iter().find(|(broken, _)| *broken).map(|(_, law)| *law);
        self.breaks(broken);
    }
}
