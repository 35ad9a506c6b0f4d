//! The shell of the stories: the controller's tick, on virtual time, with a notebook.

use vexil_analysis::{
    Convergence, Effect, Facts, Memory, Millis, Next, Observed, Plan, Question, Receiver, Side, Step,
    Transition, Waiting, advance, next_effect,
};

use super::{script::Script, world::World};

pub struct Shell {
    pub plan: Plan,
    pub memory: Memory,
    pub world: World,
    pub now: Millis,
    pub timeline: Vec<String>,
    pub crash_each_effect: bool,
    wake: Option<Millis>,
    /// When the operator was started.
    started: Millis,
    waiting: Waiting,
    blocked: Option<Millis>,
    settled_as: Option<Memory>,
    asked: Vec<String>,
}

impl Shell {
    pub fn new(script: &Script) -> Shell {
        let mut shell = Shell {
            plan: script.plan.clone(),
            memory: Memory::default(),
            world: World::new(script.ready_after_ms, script.leave_after_ms, script.plan.deadline_ms),
            now: Millis(0),
            timeline: Vec::new(),
            crash_each_effect: false,
            wake: None,
            started: Millis(0),
            waiting: Waiting::default(),
            blocked: None,
            settled_as: None,
            asked: Vec::new(),
        };
        for hook in &script.closed {
            shell.world.answer(hook, "closed");
        }
        if script.broken_first {
            shell.world.break_first();
        }
        shell.world.unreadable = script.unroutable_first;
        shell.settle();
        shell
    }

    pub fn note(&mut self, kind: &str, what: &str) {
        let seconds = self.now.0 as f64 / 1000.0;
        let line = format!("{seconds:8.2} {kind:<9} {what}");
        self.timeline.push(line.trim_end().to_owned());
    }

    /// What a crash takes.
    fn forget(&mut self) {
        (self.wake, self.blocked, self.settled_as) = (None, None, None);
        self.started = self.now;
        self.waiting = Waiting::default();
    }

    /// Another process continues from the status.
    pub fn restart(&mut self, kind: &str, what: &str) {
        self.forget();
        self.note(kind, what);
        self.settle();
    }

    pub fn run_for(&mut self, span_ms: u64) {
        let end = self.now.plus(span_ms);
        self.run_while(|shell| shell.next_time().is_some_and(|time| time <= end));
        self.now = end;
        self.settle();
    }

    /// Lets time pass from one event to the next for as long as `going` holds.
    pub fn run_while(&mut self, going: impl Fn(&Shell) -> bool) {
        while going(self) {
            let Some(time) = self.next_time() else { return };
            self.now = time;
            self.settle();
        }
    }

    fn next_time(&self) -> Option<Millis> {
        self.world.next_change(self.now).into_iter().chain(self.wake.filter(|w| *w > self.now)).min()
    }

    /// Ticks until a tick changes nothing.
    pub fn settle(&mut self) {
        for _ in 0..40 {
            if !self.tick() {
                return;
            }
        }
        panic!("does not settle:\n{}", self.timeline.join("\n"));
    }

    fn tick(&mut self) -> bool {
        let drift = self.drift();
        let convergence = self.converge();
        let mut facts = Facts {
            now: self.now,
            due: Facts::is_due(self.memory.last_step, self.plan.interval_ms, self.now),
            convergence,
            seen: self.seen(),
            waiting: self.waiting,
            drift,
            warnings: Vec::new(),
            delivered: Vec::new(),
            answers: Default::default(),
        };
        let transition = loop {
            match advance(&self.plan, &self.memory, &facts) {
                Step::Done(transition) => break transition,
                Step::Ask(question) => {
                    let answer = self.ask(&question);
                    let twice = facts.answers.insert(question.clone(), answer).is_some();
                    assert!(!twice, "asked twice: {question:?}");
                }
                Step::Unlawful(law) => panic!("a decision breaks a law: {law}\n{:#?}", self.memory),
            }
        };
        self.remember(transition)
    }

    fn seen(&self) -> Observed {
        Observed { since: self.started, ..self.world.seen(self.now) }
    }

    fn drift(&self) -> Option<String> {
        let want = self.settled_as.as_ref()?.weight;
        let live = self.world.routes?;
        (self.settled_as.as_ref() == Some(&self.memory) && live.canary() != want)
            .then(|| format!("canary {}", live.canary()))
    }

    fn converge(&mut self) -> Convergence {
        for _ in 0..100 {
            match next_effect(&self.plan, &self.memory, &self.seen(), self.now) {
                Next::Settled => {
                    self.blocked = None;
                    self.settled_as = Some(self.memory.clone());
                    return Convergence::Settled;
                }
                Next::Wait(pending) => return Convergence::Pending(pending),
                Next::Unlawful(law) => panic!("an effect breaks a law: {law}\n{:#?}", self.memory),
                Next::Do(effect) => match self.act(&effect) {
                    Ok(change) => {
                        if let Some((kind, what)) = change {
                            self.note(kind, &what);
                        }
                        if self.crash_each_effect {
                            self.forget();
                        }
                    }
                    Err(error) => {
                        let since = *self.blocked.get_or_insert(self.now);
                        return Convergence::Blocked { error, since };
                    }
                },
            }
        }
        panic!("does not converge:\n{}", self.timeline.join("\n"));
    }

    fn act(&mut self, effect: &Effect) -> Result<Option<(&'static str, String)>, String> {
        self.world.act(effect, self.now)
    }

    fn ask(&mut self, question: &Question) -> vexil_analysis::Answer {
        let name = match question {
            Question::Hook(id, phase) => {
                self.note("hook", &format!("{id} phase={phase}"));
                id.clone()
            }
            Question::Check(name) => name.clone(),
            Question::Providers => "providers".to_owned(),
            Question::Pods(Side::Primary) => "primary-pods".to_owned(),
            Question::Pods(Side::Canary) => "canary-pods".to_owned(),
        };
        self.asked.push(name.clone());
        self.world.ask(&name)
    }

    fn remember(&mut self, transition: Transition) -> bool {
        self.wake = transition.wake;
        self.waiting = transition.waiting;
        let before = std::mem::replace(&mut self.memory, transition.memory);
        if let (Some(old), Some(new)) = (&before.binding, &self.memory.binding) {
            if !old.same_target(new) {
                self.world.retarget(self.now);
            } else if old.provider != new.provider {
                self.world.reroute();
            }
        }
        let brief = |m: &Memory| (m.phase, m.weight, m.iterations, m.failed_checks);
        if brief(&before) != brief(&self.memory) {
            let m = &self.memory;
            let status =
                format!("{} weight={} it={} failed={}", m.phase, m.weight, m.iterations, m.failed_checks);
            self.note("status", &status);
        }
        if before.drain != self.memory.drain && self.memory.drain.is_some() {
            self.note("status", "drains  [drain]");
        }
        for notice in &transition.notices {
            let alert = if notice.alert.is_some() { " (alert)" } else { "" };
            let row = row_of(&notice.message).map(|row| format!("  [{row}]")).unwrap_or_default();
            self.note("event", &format!("{} {}{alert}{row}", notice.event_type.as_str(), notice.message));
        }
        let events: Vec<u64> = self.memory.outbox.entries.iter().map(|e| e.seq).collect();
        debug_assert!(self.memory.outbox.entries.iter().all(|e| e.to == [Receiver::Events]), "{events:?}");
        before != self.memory
    }
}

/// The row of `docs/differences.md` that explains a message that Flagger does not send.
fn row_of(message: &str) -> Option<&'static str> {
    const ROWS: [(&str, &str); 15] = [
        ("no approval is needed", "withdrawn"),
        ("ending the rollout of", "rebind"),
        ("anew", "rebind"),
        ("Restarting initialization", "way-out"),
        ("stands still", "safe-when-invalid"),
        ("Rolling back podinfo.test deployment", "target-deleted"),
        ("was changed by someone else and does not run", "primary-edited"),
        ("progress deadline exceeded", "deadline-alert"),
        ("is back at the revision of the primary", "revert"),
        ("has recovered and serves again", "failed-promotion"),
        ("No pod of", "no-ready-pod"),
        ("have been put back", "drift"),
        ("is gone and", "primary-gone"),
        ("is forbidden", "wait-once"),
        ("was scaled up between rollouts", "zero-is-an-act"),
    ];
    ROWS.iter().find(|(part, _)| message.contains(part)).map(|(_, row)| *row)
}
