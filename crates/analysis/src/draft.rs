//! A decision in the making: the next memory, what is told about it, and when to look again.

use crate::{
    Alert, AlertSeverity, Answer, Convergence, EventType, Facts, Known, Level, Memory, Millis, Notice, Phase,
    Plan, Question, Step, Transition, Wait, WaitKind, Weight, bounded,
};

/// How long a wait lasts before it is worth telling.
pub(crate) const REPORT_WAIT_AFTER_MS: u64 = 5_000;

/// Collects one decision. Leaves of [`crate::phase`] change it and return; [`Draft::done`] seals it.
pub(crate) struct Draft<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) facts: &'a Facts,
    pub(crate) memory: Memory,
    before: &'a Memory,
    notices: Vec<Notice>,
    wake: Option<Millis>,
    waiting: Option<WaitKind>,
}

/// The result of a step of a decision. `Err` is no failure: it is the question whose answer is missing, so that `?` means
/// "stop here and ask". With the answer among the facts, the decision is made again from its beginning.
pub(crate) type Need<T> = Result<T, Question>;

impl<'a> Draft<'a> {
    pub(crate) fn new(plan: &'a Plan, memory: &'a Memory, facts: &'a Facts) -> Self {
        let waiting = None;
        Draft {
            plan,
            facts,
            memory: memory.clone(),
            before: memory,
            notices: Vec::new(),
            wake: None,
            waiting,
        }
    }

    /// A stored time that lies in the future counts as now: the clock was set back, or it was another machine's.
    pub(crate) fn clamp_future_times(&mut self) {
        let (now, drain_ms) = (self.facts.now, self.plan.drain_ms());
        self.memory.last_step = self.memory.last_step.map(|last| last.min(now));
        self.memory.drain_until = self.memory.drain_until.map(|until| until.min(now.plus(drain_ms)));
    }

    /// `podinfo.test`, the Canary.
    pub(crate) fn canary(&self) -> String {
        format!("{}.{}", self.plan.names.canary, self.plan.names.namespace)
    }

    /// `podinfo.test`, the target.
    pub(crate) fn target(&self) -> String {
        format!("{}.{}", self.plan.names.target, self.plan.names.namespace)
    }

    /// `podinfo-primary.test`.
    pub(crate) fn primary(&self) -> String {
        format!("{}-primary.{}", self.plan.names.target, self.plan.names.namespace)
    }

    pub(crate) fn normal(&mut self, message: String) {
        self.notify(EventType::Normal, message, None);
    }

    pub(crate) fn warn(&mut self, message: String) {
        self.notify(EventType::Warning, message, None);
    }

    /// A normal notice with an informational alert of other words.
    pub(crate) fn normal_with_alert(&mut self, message: String, alert: String) {
        self.notify(
            EventType::Normal,
            message,
            Some(Alert { severity: AlertSeverity::Info, message: alert }),
        );
    }

    /// A warning with an error alert of other words.
    pub(crate) fn warn_with_alert(&mut self, message: String, alert: String) {
        self.notify(
            EventType::Warning,
            message,
            Some(Alert { severity: AlertSeverity::Error, message: alert }),
        );
    }

    fn notify(&mut self, event_type: EventType, message: String, alert: Option<Alert>) {
        let (phase, time) = (self.memory.phase, self.facts.now);
        let message = bounded(message);
        let alert = alert.map(|alert| Alert { message: bounded(alert.message), ..alert });
        self.notices.push(Notice { event_type, level: Level::Info, message, phase, time, alert });
    }

    /// The last warning is about our own trouble and logged as an error.
    pub(crate) fn as_error(&mut self) {
        if let Some(notice) = self.notices.last_mut() {
            notice.level = Level::Error;
        }
    }

    /// Look again at `time`, or earlier.
    pub(crate) fn wake_at(&mut self, time: Millis) {
        self.wake = Some(self.wake.map_or(time, |earlier| earlier.min(time)));
    }

    /// The answer to `question`; asks it when there is none yet.
    pub(crate) fn ask(&self, question: Question) -> Need<&'a Answer> {
        self.facts.answers.get(&question).ok_or(question)
    }

    /// Waits for something: reported once, when it has lasted a while.
    pub(crate) fn wait(&mut self, kind: WaitKind, text: impl FnOnce(&mut Self) -> Need<String>) -> Need<()> {
        self.waiting = Some(kind);
        if self.memory.wait.as_ref().is_some_and(|wait| wait.kind == kind) {
            return Ok(());
        }
        let now = self.facts.now;
        let since = self.facts.waiting.filter(|(of, _)| *of == kind).map_or(now, |(_, since)| since);
        let waited_ms = now.since(since);
        if waited_ms < REPORT_WAIT_AFTER_MS {
            self.wake_at(since.plus(REPORT_WAIT_AFTER_MS));
            return Ok(());
        }
        let text = text(self)?;
        self.stop_wait_clock();
        // In a step that waited before, a wait counts from when it is reported, as it does after a restart.
        let waited_ms = if self.memory.waited_ms == 0 { waited_ms } else { 0 };
        self.memory.wait = Some(Wait { kind, since, waited_ms, at: now, text: text.clone() });
        self.warn(text);
        Ok(())
    }

    /// Waits for something that has a deadline. What earlier waits took of this step counts, so that flapping does not
    /// start it anew. Returns whether the deadline has passed.
    pub(crate) fn wait_with_deadline(
        &mut self,
        kind: WaitKind,
        text: impl FnOnce(&mut Self) -> Need<String>,
    ) -> Need<bool> {
        let other =
            self.memory.wait.as_ref().filter(|wait| wait.kind != kind && wait.kind != WaitKind::Suspended);
        let earlier_ms = other.map_or(0, |wait| wait.lasted_ms(self.plan, self.facts.now));
        if self.memory.runs() && self.memory.waited_ms.saturating_add(earlier_ms) >= self.plan.deadline_ms {
            return Ok(true);
        }
        self.wait(kind, text)?;
        let (plan, now) = (self.plan, self.facts.now);
        let Some(wait) = self.memory.wait.as_mut().filter(|wait| wait.kind == kind) else { return Ok(false) };
        let lasted_ms = wait.lasted_ms(plan, now);
        // Stored now and then, so that a restart does not take it back; and what lies in the future is brought back.
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

    /// What `wait` would wait for has come.
    pub(crate) fn end_wait(&mut self, kind: WaitKind) {
        if self.memory.wait.as_ref().is_some_and(|wait| wait.kind == kind) {
            self.stop_wait_clock();
        }
    }

    /// The time that was waited stays counted until the step is done.
    fn stop_wait_clock(&mut self) {
        let counts = self.memory.runs();
        if let Some(wait) = self.memory.wait.take().filter(|wait| counts && wait.kind != WaitKind::Suspended)
        {
            let lasted_ms = wait.lasted_ms(self.plan, self.facts.now);
            self.memory.waited_ms =
                self.memory.waited_ms.saturating_add(lasted_ms).min(self.plan.deadline_ms);
        }
    }

    /// A step is done: the next one has all of its time.
    pub(crate) fn reset_wait_time(&mut self) {
        self.memory.waited_ms = 0;
    }

    /// Moves to another phase; a new phase starts without an old wait.
    pub(crate) fn enter(&mut self, phase: Phase) {
        self.memory.phase = phase;
        self.memory.wait = None;
        self.waiting = None;
        self.reset_wait_time();
    }

    /// The share of the canary that the routes are to have.
    pub(crate) fn set_weight(&mut self, weight: Weight) {
        self.memory.weight = weight;
        self.memory.withheld = None;
    }

    /// Nothing is waited for any more, whatever it was.
    fn settle_wait(&mut self) {
        let seen = &self.facts.seen;
        let looked = seen.target != Known::NotKnown && seen.primary != Known::NotKnown;
        let told = self.memory.wait.as_ref().is_some_and(|wait| wait.kind != WaitKind::Suspended);
        if told && looked && self.waiting.is_none() && self.facts.convergence == Convergence::Settled {
            self.stop_wait_clock();
        }
    }

    /// Seals the decision.
    pub(crate) fn done(mut self) -> Step {
        self.settle_wait();
        let counted = |m: &Memory| (m.phase, m.weight, m.iterations, m.failed_checks);
        if counted(&self.memory) != counted(self.before) {
            self.memory.changed = Some(self.facts.now);
        }
        let settled = self.memory == *self.before && self.notices.is_empty();
        let delivered = |entry: &crate::Entry| {
            entry
                .to
                .iter()
                .all(|to| self.facts.delivered.iter().any(|(seq, by)| *seq == entry.seq && by == to))
        };
        // What was delivered leaves with the next change; at rest one write of its own takes all of it.
        let at_rest = self.memory.at_rest() && self.memory.outbox.entries.iter().all(delivered);
        if !settled || at_rest {
            self.memory.outbox.prune(&self.facts.delivered, self.facts.now);
        }
        for notice in &self.notices {
            self.memory.outbox.push(notice.clone(), &self.plan.receivers);
        }
        Step::Done(Transition {
            memory: self.memory,
            notices: self.notices,
            wake: self.wake,
            waiting: self.waiting,
        })
    }
}
