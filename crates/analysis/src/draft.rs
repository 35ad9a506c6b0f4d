//! A decision in the making: the next memory, what is reported, and when to reconcile again.

use crate::{
    Alert, Answer, Convergence, Exposure, Facts, Known, Memory, Message, Millis, Notice, Phase, Plan,
    Question, Transition, Waiting, Weight, bounded,
};

/// Collects one decision. The functions of [`crate::phase`] change it; [`Draft::done`] completes it.
pub(crate) struct Draft<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) facts: &'a Facts,
    pub(crate) memory: Memory,
    before: &'a Memory,
    notices: Vec<Notice>,
    wake: Option<Millis>,
    pub(crate) waiting: Waiting,
}

/// The result of a step of a decision. `Err` is no failure: it is the question whose answer is missing, so that `?`
/// means "stop here and ask". With the answer among the facts, the decision is made again from its beginning.
pub(crate) type Need<T> = Result<T, Question>;

impl<'a> Draft<'a> {
    pub(crate) fn new(plan: &'a Plan, memory: &'a Memory, facts: &'a Facts) -> Self {
        let waiting = Waiting::resumed(memory, &facts.waiting, facts.now);
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

    /// Sets times that lie in the future to now. They were stored before the clock was set back, or by a machine whose
    /// clock is ahead.
    pub(crate) fn clamp_future_times(&mut self) {
        let (now, drain_ms) = (self.facts.now, self.plan.drain_ms());
        self.memory.last_step = self.memory.last_step.map(|last| last.min(now));
        if self.memory.runs() {
            self.memory.changed = self.memory.changed.map(|changed| changed.min(now.whole_second()));
        }
        if let Some(drain) = &mut self.memory.drain {
            drain.until = drain.until.min(now.plus(drain_ms));
        }
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

    /// What is reported when there is no target.
    pub(crate) fn target_missing(&self) -> Message {
        Message::TargetMissing { kind: self.plan.names.kind.to_lowercase(), target: self.target() }
    }

    /// Reports something.
    pub(crate) fn notify(&mut self, message: Message) {
        self.notify_muted(message, false);
    }

    /// Reports something, without its alert if `muted`.
    pub(crate) fn notify_muted(&mut self, message: Message, muted: bool) {
        let alert = message.alert().filter(|_| !muted);
        let alert = alert.map(|alert| Alert { message: bounded(alert.message), ..alert });
        self.notices.push(Notice {
            event_type: message.event_type(),
            level: message.level(),
            message: bounded(message.to_string()),
            phase: self.memory.phase,
            time: self.facts.now,
            alert,
        });
    }

    /// Look again at `time`, or earlier.
    pub(crate) fn wake_at(&mut self, time: Millis) {
        self.wake = Some(self.wake.map_or(time, |earlier| earlier.min(time)));
    }

    /// The answer to `question`; asks it when there is none yet.
    pub(crate) fn ask(&self, question: Question) -> Need<&'a Answer> {
        self.facts.answers.get(&question).ok_or(question)
    }

    /// Moves to another phase; a new phase starts without an old wait.
    pub(crate) fn enter(&mut self, phase: Phase) {
        self.memory.phase = phase;
        self.memory.wait = None;
        self.waiting = Waiting { since: self.facts.now, ..Waiting::default() };
        self.reset_wait_time();
    }

    /// The share of all requests that the canary is to have.
    pub(crate) fn set_weight(&mut self, weight: Weight) {
        self.memory.weight = weight;
        self.memory.exposure = Exposure::Share;
        self.memory.withheld = None;
    }

    /// The cluster matches the memory, and both workloads have been observed.
    pub(crate) fn is_settled(&self) -> bool {
        let seen = &self.facts.seen;
        let observed = seen.target != Known::NotKnown && seen.primary != Known::NotKnown;
        observed && self.facts.convergence == Convergence::Settled
    }

    /// Reports warnings that hold nothing up, each once. The remarks about a spec are not known while it is invalid.
    fn report_warnings(&mut self) {
        let plan = self.plan;
        let defects = plan.spec_error.clone().map(|defects| Message::InvalidSpec { defects }.to_string());
        let valid = defects.is_none();
        let of_spec = defects.into_iter().chain(plan.remarks.iter().cloned()).map(bounded).collect();
        let of_cluster = self.facts.warnings.iter().cloned().map(bounded).collect();
        let mut new = self.memory.reported.new_of_spec(of_spec, valid);
        new.extend(self.memory.reported.new_of_cluster(of_cluster));
        for text in new {
            self.notify(Message::Remark { text });
        }
    }

    /// Completes the decision.
    pub(crate) fn done(mut self) -> Transition {
        self.end_all_waits();
        self.report_warnings();
        if self.plan.spec_error.is_none() {
            self.memory.outbox.keep_for(self.plan);
        }
        let counted = |m: &Memory| (m.phase, m.weight, m.exposure, m.iterations, m.failed_checks, m.prepared);
        if counted(&self.memory) != counted(self.before) {
            self.memory.changed = Some(self.facts.now.whole_second());
        }
        let settled = self.memory == *self.before && self.notices.is_empty();
        let delivered = |entry: &crate::Entry| {
            entry
                .to
                .iter()
                .all(|to| self.facts.delivered.iter().any(|(seq, by)| *seq == entry.seq && by == to))
        };
        // What was delivered leaves with the next change; at rest one write of its own takes all of it.
        let idle = self.memory.at_rest() || self.memory.phase == Phase::New;
        let at_rest = idle && self.memory.outbox.entries.iter().all(delivered);
        if !settled || at_rest {
            self.memory.outbox.prune(&self.facts.delivered, self.facts.now);
        }
        for notice in &self.notices {
            self.memory.outbox.push(notice.clone(), &self.plan.receivers_of(notice));
        }
        Transition { memory: self.memory, notices: self.notices, wake: self.wake, waiting: self.waiting }
    }
}
