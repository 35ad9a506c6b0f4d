//! How long a step has waited: when a wait is reported, and when its deadline has passed.
//!
//! A reported wait is part of the memory ([`crate::Wait`]). Before that the process counts it ([`Waiting`]), because
//! most waits are short and a status write for each would cost more than they do. Either way the time counts for the
//! step, not for its cause: two causes that take turns reach the deadline as one would.

use crate::{
    Memory, Message, Millis, Wait, WaitKind, bounded,
    draft::{Draft, Need},
    limits::REPORT_WAIT_AFTER_MS,
};

/// Time that was waited and is not part of the memory. The process keeps it between two reconciles of a Canary and
/// passes it back unchanged; a new process starts with the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// What is being waited for.
    pub kind: Option<WaitKind>,
    /// Since when.
    pub since: Millis,
    /// What earlier unreported waits took of the same step, in milliseconds.
    pub earlier_ms: u64,
    /// When hooks were called that are asked again and again.
    pub polls: Polls,
}

/// When hooks were called that are asked again and again without a change of the memory. The status does not have it: a
/// closed gate costs no request to the API server, and a new process asks at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Polls {
    /// When a gate was found closed.
    pub gate: Option<Millis>,
    /// When the `rollback` hooks were asked.
    pub rollback: Option<Millis>,
}

impl Waiting {
    /// How long this and earlier waits lasted, in milliseconds.
    fn total_ms(&self, now: Millis) -> u64 {
        let lasted_ms = if self.kind.is_some() { now.since(self.since) } else { 0 };
        self.earlier_ms.saturating_add(lasted_ms)
    }

    /// At the begin of a decision: nothing is waited for yet. The clock of a reported wait covers all time since.
    pub(crate) fn resumed(memory: &Memory, before: &Waiting, now: Millis) -> Self {
        let earlier_ms = if reported(memory).is_some() { 0 } else { before.total_ms(now) };
        Waiting { kind: None, since: now, earlier_ms, polls: before.polls }
    }
}

/// The wait that was reported. What the user decides on is reported as one, but it takes no time of a step.
fn reported(memory: &Memory) -> Option<&Wait> {
    memory.wait.as_ref().filter(|wait| !is_users(wait))
}

fn is_users(wait: &Wait) -> bool {
    matches!(wait.kind, WaitKind::Suspended | WaitKind::Approval)
}

impl Draft<'_> {
    /// Waits for something. Reported once, when it has lasted a while.
    pub(crate) fn wait(
        &mut self,
        kind: WaitKind,
        message: impl FnOnce(&mut Self) -> Need<Message>,
    ) -> Need<()> {
        if self.memory.wait.as_ref().is_some_and(|wait| wait.kind == kind) {
            self.waiting = Waiting { kind: Some(kind), since: self.facts.now, earlier_ms: 0, ..self.waiting };
            return Ok(());
        }
        self.count(kind);
        let (now, covered) = (self.facts.now, reported(&self.memory).is_some());
        // Once a wait of the step is reported, the next is when it has lasted by itself: waits that take turns would
        // else be reported at each turn.
        let first = !covered && self.memory.waited_ms == 0;
        let lasted_ms = if first { self.waiting.total_ms(now) } else { now.since(self.waiting.since) };
        if lasted_ms < REPORT_WAIT_AFTER_MS {
            self.wake_at(now.plus(REPORT_WAIT_AFTER_MS - lasted_ms));
            return Ok(());
        }
        let message = message(self)?;
        // The wait that was reported before has counted this time.
        let waited_ms = if covered { 0 } else { self.waiting.total_ms(now) };
        self.stop_wait_clock();
        self.memory.wait = Some(Wait {
            kind,
            since: self.waiting.since,
            waited_ms,
            at: now,
            text: bounded(message.to_string()),
        });
        self.waiting.earlier_ms = 0;
        self.notify(message);
        Ok(())
    }

    /// Goes on counting a wait that is not reported, or begins to.
    fn count(&mut self, kind: WaitKind) {
        let before = self.facts.waiting;
        let mut earlier_ms = self.waiting.earlier_ms;
        if before.kind == Some(kind) {
            let lasted_ms = self.facts.now.since(before.since);
            earlier_ms = earlier_ms.saturating_sub(lasted_ms);
            self.waiting = Waiting { kind: Some(kind), since: before.since, earlier_ms, ..self.waiting };
            return;
        }
        if self.memory.has_deadline() && earlier_ms >= self.plan.max_observed_gap_ms() {
            // Stored now and then, so that a restart does not take it back.
            self.memory.waited_ms =
                self.memory.waited_ms.saturating_add(earlier_ms).min(self.plan.deadline_ms);
            earlier_ms = 0;
        }
        self.waiting = Waiting { kind: Some(kind), since: self.facts.now, earlier_ms, ..self.waiting };
    }

    /// Waits for something that has a deadline. Returns whether the deadline has passed.
    pub(crate) fn wait_with_deadline(
        &mut self,
        kind: WaitKind,
        message: impl FnOnce(&mut Self) -> Need<Message>,
    ) -> Need<bool> {
        let (plan, now) = (self.plan, self.facts.now);
        let other_ms = reported(&self.memory)
            .filter(|wait| wait.kind != kind)
            .map_or(0, |wait| wait.lasted_ms(plan, now));
        if self.memory.has_deadline() && self.memory.waited_ms.saturating_add(other_ms) >= plan.deadline_ms {
            return Ok(true);
        }
        self.wait(kind, message)?;
        let Some(wait) = self.memory.wait.as_mut().filter(|wait| wait.kind == kind) else {
            return Ok(self.unreported_too_long());
        };
        let lasted_ms = wait.lasted_ms(plan, now);
        // Stored now and then, so that a restart does not take it back. A time in the future is corrected.
        if now.since(wait.at) >= plan.max_observed_gap_ms() || wait.at > now {
            (wait.waited_ms, wait.at) = (lasted_ms, now);
        }
        let next = wait.at.plus(plan.max_observed_gap_ms());
        let used_ms = self.memory.waited_ms.saturating_add(lasted_ms);
        if used_ms >= plan.deadline_ms {
            return Ok(true);
        }
        self.wake_at(next.min(now.plus(plan.deadline_ms - used_ms)));
        Ok(false)
    }

    /// Whether waits that are not reported, together with reported ones, have used up the time of the step.
    fn unreported_too_long(&mut self) -> bool {
        if !self.memory.has_deadline() || reported(&self.memory).is_some() {
            return false;
        }
        let (deadline_ms, now) = (self.plan.deadline_ms, self.facts.now);
        let used_ms = self.memory.waited_ms.saturating_add(self.waiting.total_ms(now));
        if used_ms < deadline_ms {
            self.wake_at(now.plus(deadline_ms - used_ms));
        }
        used_ms >= deadline_ms
    }

    /// What a wait of this kind waits for is there.
    pub(crate) fn end_wait(&mut self, kind: WaitKind) {
        if self.memory.wait.as_ref().is_some_and(|wait| wait.kind == kind) {
            self.stop_wait_clock();
        }
    }

    /// The time that was waited stays counted until the step is done.
    pub(crate) fn stop_wait_clock(&mut self) {
        let counts = self.memory.has_deadline();
        if let Some(wait) = self.memory.wait.take().filter(|wait| counts && !is_users(wait)) {
            let lasted_ms = wait.lasted_ms(self.plan, self.facts.now);
            self.memory.waited_ms =
                self.memory.waited_ms.saturating_add(lasted_ms).min(self.plan.deadline_ms);
        }
    }

    /// A step is done: the next one has all of its time.
    pub(crate) fn reset_wait_time(&mut self) {
        self.memory.waited_ms = 0;
        self.waiting.earlier_ms = 0;
    }

    /// At the end of a decision that waits for nothing.
    pub(crate) fn end_all_waits(&mut self) {
        if self.waiting.kind.is_some() {
            return;
        }
        if self.is_settled() && reported(&self.memory).is_some() {
            self.stop_wait_clock();
        }
        if self.memory.at_rest() {
            self.waiting.earlier_ms = 0;
        }
    }
}
