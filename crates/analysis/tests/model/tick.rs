//! One small step of a shell: one effect, or one decision. A tick is as many of them as it takes; a crash can come
//! between any two.

use vexil_analysis::{
    Answer, Convergence, Effect, Exposure, Facts, HookKind, LiveRoutes, Memory, Next, Observed, Pending,
    Phase, Plan, Question, Step, Strategy, Transition, Weight, advance, laws, next_effect,
};

use super::{
    INTERVAL_MS, Rollout,
    binding::Spec,
    state::{GAVE_UP, NOW, Process, State},
    world::{Acted, Object},
};

/// What hooks, checks and providers say in this tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    Pass,
    Fail,
    /// As `Pass`, and a `rollback` hook passes too.
    RollBack,
}

impl Rollout {
    pub fn plan_of(&self, spec: Spec) -> &Plan {
        self.plans.get(&spec).unwrap()
    }

    /// One effect or one decision. `None` when the reply makes no difference, because nothing was asked.
    pub fn step(&self, state: &State, reply: Reply) -> Option<State> {
        let mut next = state.clone();
        let (seen, memory) = (state.seen(), state.recalled());
        let world = match next_effect(self.plan_of(state.spec), &memory, &seen, NOW) {
            Next::Settled => Convergence::Settled,
            Next::Wait(pending) => Convergence::Pending(pending),
            Next::Unlawful(law) => {
                next.breaks(Some(law));
                return Some(next);
            }
            Next::Do(effect) => match self.affect(&mut next, &seen, &effect) {
                Acted::Done => return (reply == Reply::Pass).then_some(next),
                Acted::Moved => Convergence::Pending(Pending::TargetChanged),
                Acted::Refused => {
                    let since = *next.process.blocked.get_or_insert(NOW);
                    Convergence::Blocked { error: "refused".to_owned(), since }
                }
            },
        };
        if !matches!(world, Convergence::Blocked { .. }) {
            next.process.blocked = None;
        }
        let facts = self.facts(&memory, &next.process, world, seen);
        match self.decide(state.spec, &memory, facts, reply)? {
            Ok((transition, facts)) => self.remember(&mut next, &facts, transition),
            Err(law) => next.breaks(Some(law)),
        }
        // A cache that has caught up brings the next tick.
        next.process.idle &= next.stale.is_some() == state.stale.is_some();
        Some(next)
    }

    /// The effect of the next step is done, but its answer is lost.
    pub fn step_unanswered(&self, state: &State) -> Option<State> {
        let seen = state.seen();
        let plan = self.plan_of(state.spec);
        let Next::Do(effect) = next_effect(plan, &state.memory, &seen, NOW) else { return None };
        let mut next = state.clone();
        let done = self.affect(&mut next, &seen, &effect) == Acted::Done && next.world != state.world;
        next.process.unknown = Some(Object::of(&effect));
        done.then_some(next)
    }

    /// Does an effect. A write on what a late cache says is refused, and the cache catches up.
    fn affect(&self, next: &mut State, seen: &Observed, effect: &Effect) -> Acted {
        let object = Object::of(effect);
        let late = next.stale.as_ref().is_some_and(|(of, _)| *of == object);
        if late {
            let mut fresh = seen.clone();
            object.copy(&next.world.seen(), &mut fresh);
            next.stale = None;
            if fresh != *seen {
                next.process.idle = false;
                return Acted::Done;
            }
        }
        next.breaks(laws::broken_by_effect(&next.memory, seen, effect));
        let before = next.world.clone();
        let acted = next.world.act(effect);
        match acted {
            Acted::Done => {
                let mut after = seen.clone();
                object.copy(&next.world.seen(), &mut after);
                next.breaks(laws::broken_by_outcome(seen, &after));
                next.touched(object);
                next.judge_effect(&before, effect);
                next.linger(seen, effect);
                let plan = self.plan_of(next.spec);
                let again = next_effect(plan, &next.memory, &after, NOW) == Next::Do(effect.clone());
                next.breaks(again.then_some("an effect is done twice"));
            }
            // The target was read for the copy: what the cache said of it is over.
            Acted::Moved if next.stale.as_ref().is_some_and(|(of, _)| *of == Object::Target) => {
                next.stale = None;
            }
            Acted::Moved | Acted::Refused => {}
        }
        acted
    }

    pub fn facts(
        &self,
        memory: &Memory,
        process: &Process,
        convergence: Convergence,
        seen: Observed,
    ) -> Facts {
        Facts {
            now: NOW,
            due: Facts::is_due(memory.last_step, self.plan.interval_ms, NOW),
            convergence,
            seen,
            waiting: process.waiting,
            ..Facts::default()
        }
    }

    /// Asks the engine until it has decided. `None` when a failing reply was not asked for, the law when the decision
    /// breaks one.
    pub fn decide(
        &self,
        spec: Spec,
        memory: &Memory,
        mut facts: Facts,
        reply: Reply,
    ) -> Option<Result<(Transition, Facts), &'static str>> {
        let mut asked = false;
        loop {
            let plan = self.plan_of(spec);
            let question = match advance(plan, memory, &facts) {
                Step::Done(transition) => {
                    return (asked || reply == Reply::Pass).then_some(Ok((transition, facts)));
                }
                Step::Ask(question) => question,
                Step::Unlawful(law) => return Some(Err(law)),
            };
            let answer = match &question {
                Question::Pods(_) => Answer::Passed,
                Question::Hook(id, _) if plan.hooks_of(HookKind::Rollback).any(|hook| hook.id == *id) => {
                    asked |= reply == Reply::RollBack;
                    if reply == Reply::RollBack { Answer::Passed } else { Answer::Failed("no".to_owned()) }
                }
                Question::Hook(..) | Question::Check(_) | Question::Providers => {
                    asked |= reply == Reply::Fail;
                    match reply {
                        Reply::Pass | Reply::RollBack => Answer::Passed,
                        Reply::Fail => Answer::Failed("no".to_owned()),
                    }
                }
            };
            let twice = facts.answers.insert(question.clone(), answer).is_some();
            assert!(!twice, "asked twice: {question:?}");
        }
    }

    /// Stores a decision, as the status write and the process do.
    pub fn remember(&self, next: &mut State, facts: &Facts, transition: Transition) {
        let before = std::mem::replace(&mut next.memory, transition.memory);
        next.breaks(laws::broken_by_transition(&before, &next.memory, facts));
        next.judge_clock(&before, &facts.seen);
        if let (Some(old), Some(new)) = (&before.binding, &next.memory.binding) {
            next.world.rebind(old, new);
        }
        next.vet(&self.plan, &before, facts);
        next.vet_gates(&self.plan, &before, facts);
        next.alert(&before, &transition.notices);
        next.judge_release(&before);
        next.process.waiting = transition.waiting;
        next.process.wake = transition.wake;
        next.memory.run = 0;
        next.cut();
        let looked = next.process.unknown.take().is_none();
        next.process.idle = false;
        if before != next.memory {
            next.touched(Object::Status);
        } else if looked {
            next.process.idle = true;
            let hot = transition.wake.is_some_and(|wake| wake <= NOW);
            next.breaks(hot.then_some("looks again at once although nothing changes"));
        }
    }
}

impl State {
    /// Connections get time to end before pods go.
    fn linger(&mut self, before: &Observed, effect: &Effect) {
        match effect {
            Effect::Route(routes) if routes.canary().is_zero() => {
                let had =
                    matches!(before.routes, LiveRoutes::Present { routes, .. } if !routes.canary().is_zero());
                self.lingering_ms =
                    if had && before.canary_serves() { INTERVAL_MS } else { self.lingering_ms };
            }
            Effect::ScaleToZero => {
                self.scaled_by_user = false;
                let cut = (self.lingering_ms > 0).then_some("connections to the canary were cut");
                self.breaks(cut);
            }
            _ => {}
        }
    }

    /// Traffic grows by the steps of the plan, and nothing is promoted that did not go through all of it.
    fn vet(&mut self, plan: &Plan, before: &Memory, facts: &Facts) {
        let passed = |of: fn(&Question) -> bool| {
            facts.answers.iter().any(|(question, answer)| of(question) && *answer == Answer::Passed)
        };
        let after = &self.memory;
        let fresh = before.applied != after.applied || before.run != after.run;
        self.prepared &= !fresh || before.from_flagger;
        self.prepared |= passed(|question| matches!(question, Question::Hook(_, Phase::Progressing)));
        let heals = before.held != before.promoted || before.from_flagger;
        let Strategy::Progressive(steps) = &plan.strategy else {
            let matched = after.exposure == Exposure::Matched;
            let exposed = after.weight > before.weight && !matched && before.withheld.is_none();
            let heals = before.held != before.promoted || before.applied != after.applied;
            let rescued = facts.seen.primary_is_gone() || before.phase == Phase::Promoting;
            let broken = exposed && !heals && !rescued && matches!(plan.strategy, Strategy::AbTesting { .. });
            self.breaks(broken.then_some("requests that do not match go to the canary"));
            return;
        };
        let rescued = after.weight == Weight::FULL && facts.seen.primary_is_gone();
        let analysed = facts.seen.target.present().is_some_and(|pods| pods.revision == after.applied);
        let failed = before.phase == Phase::Promoting && after.phase == Phase::Failed && analysed;
        let expected = rescued || failed || before.withheld == Some(after.weight) || before.from_flagger;
        if after.weight > before.weight && after.weight != steps.after(before.weight) && !expected {
            self.breaks(Some("traffic grew by something else than a step"));
        }
        let promotes = before.phase != Phase::Promoting && self.memory.phase == Phase::Promoting;
        if promotes && !plan.skip_analysis {
            let done =
                steps.complete(before.weight) && passed(|question| matches!(question, Question::Check(_)));
            self.breaks((!done).then_some("a promotion begins before the analysis is complete"));
            let skipped = !self.prepared && !heals;
            self.breaks(skipped.then_some("a promotion begins without the hooks before the rollout"));
        }
    }

    /// No alert is sent twice for the same cause.
    fn alert(&mut self, before: &Memory, notices: &[vexil_analysis::Notice]) {
        let withdrawn = before.phase == Phase::Waiting && self.memory.phase != Phase::Waiting;
        if before.applied != self.memory.applied || before.run != self.memory.run || withdrawn {
            self.alerts = 0;
        }
        for alert in notices.iter().filter_map(|notice| notice.alert.as_ref()) {
            let words: Vec<&str> = alert.message.split(' ').collect();
            let bit = match words.as_slice() {
                ["New", ..] => 1,
                ["Promotion", ..] => 2,
                ["Progress" | "Failed" | "Target" | "Rolling", ..] => 4,
                ["Canary", "analysis", ..] => 8,
                // A deletion waits for the target, and then for apex and routes: each may be given up once.
                ["Canary", "deleted,", ..] if before.released => 128,
                ["Canary", "deleted,", ..] => GAVE_UP,
                ["Canary", "is", "waiting", ..] => 16,
                ["Canary", "promotion", "is", "waiting", ..] => 32,
                // Reported again after a wait for something else.
                ["Canary", "traffic", ..] => 0,
                other => panic!("an alert that the check does not know: {other:?}"),
            };
            self.breaks((self.alerts & bit != 0).then_some("an alert was sent twice for the same cause"));
            self.alerts |= bit;
            if bit == GAVE_UP {
                self.judge_giving_up();
            }
        }
    }
}
