//! The script of a story: settings, then actions, one a line.

use vexil_analysis::{
    Acceptance, Hook, HookKind, Memory, Millis, Phase, Plan, Revision, Steps, Strategy, TargetScaler, Weight,
};

use super::{plan::plan, world::World};

pub struct Script {
    pub plan: Plan,
    pub ready_after_ms: u64,
    /// How long the deletion of pods takes.
    pub leave_after_ms: u64,
    /// The revision that the target has at first never becomes ready.
    pub broken_first: bool,
    /// The route cannot be made yet.
    pub unroutable_first: bool,
    /// Hooks that fail until the script says otherwise.
    pub closed: Vec<String>,
    pub actions: Vec<Action>,
}

type OnMemory = Box<dyn Fn(&Memory) -> bool>;
type OnWorld = Box<dyn Fn(&mut World, Millis)>;
type OnPlan = Box<dyn Fn(&mut Plan)>;

pub enum Action {
    Wait(u64),
    WaitFor(String, OnMemory),
    User(String, OnWorld),
    Plan(String, OnPlan),
    CrashEachEffect,
    /// The operator is restarted on a machine whose clock differs by so many milliseconds.
    Clock(i64),
    /// No operator runs for so many milliseconds.
    Down(u64),
    TakeOver(Option<Phase>),
}

fn span_ms(text: &str) -> u64 {
    let seconds: f64 = text.trim_end_matches('s').parse().unwrap_or_else(|_| panic!("no span: {text}"));
    (seconds * 1000.0).round() as u64
}

fn weight(text: &str) -> Weight {
    Weight::new(text.parse().unwrap_or_else(|_| panic!("no weight: {text}"))).unwrap()
}

impl Script {
    pub fn parse(text: &str) -> Script {
        let mut script = Script {
            plan: plan(),
            ready_after_ms: 300,
            leave_after_ms: 0,
            broken_first: false,
            unroutable_first: false,
            closed: Vec::new(),
            actions: Vec::new(),
        };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            if !script.setting(&words) {
                script.actions.push(action(line, &words));
            }
        }
        script
    }

    fn setting(&mut self, words: &[&str]) -> bool {
        if let ["matches", "for", n] = words {
            self.plan.strategy = Strategy::AbTesting { iterations: n.parse().unwrap() };
            return true;
        }
        if let ["iterations", n] = words {
            self.plan.strategy = Strategy::BlueGreen { iterations: n.parse().unwrap() };
            return true;
        }
        if self.steps(words) {
            return true;
        }
        match words {
            ["interval", span] => self.plan.interval_ms = span_ms(span),
            ["deadline", span] => self.plan.deadline_ms = span_ms(span),
            ["threshold", n] => self.plan.threshold = n.parse().unwrap(),
            ["step", "back", back] => self.plan.promotion_step = weight(back),
            ["mirror", percent] => self.plan.mirror = Some(weight(percent)),
            ["sticky"] => self.plan.sticky = true,
            ["no", "routes"] => self.plan.routed = false,
            ["warn", rest @ ..] => self.plan.warnings.push(rest.join(" ")),
            ["check", name] => self.plan.checks.push((*name).to_owned()),
            ["hook", kind, name] => {
                let kind = match *kind {
                    "confirm-rollout" => HookKind::ConfirmRollout,
                    "confirm-traffic-increase" => HookKind::ConfirmTrafficIncrease,
                    "confirm-promotion" => HookKind::ConfirmPromotion,
                    "rollback" => HookKind::Rollback,
                    "pre-rollout" => HookKind::PreRollout,
                    "rollout" => HookKind::Rollout,
                    "post-rollout" => HookKind::PostRollout,
                    other => panic!("no hook kind: {other}"),
                };
                self.plan.hooks.push(Hook::new(*name, kind));
            }
            ["mute", name] => {
                let hook = self.plan.hooks.iter_mut().find(|hook| hook.name == *name);
                hook.unwrap_or_else(|| panic!("no hook: {name}")).muted = true;
            }
            ["closed", name] => self.closed.push((*name).to_owned()),
            ["first", "image", "is", "broken"] => self.broken_first = true,
            ["first", "route", "is", "unreadable"] => self.unroutable_first = true,
            ["skip", "analysis"] => self.plan.skip_analysis = true,
            ["pods", "leave", "after", span] => self.leave_after_ms = span_ms(span),
            ["pods", "ready", "after", span] => self.ready_after_ms = span_ms(span),
            _ => return false,
        }
        true
    }
}

impl Script {
    fn steps(&mut self, words: &[&str]) -> bool {
        let Strategy::Progressive(steps) = &mut self.plan.strategy else { return false };
        match words {
            ["step", by, "max", max] => (steps.by, steps.max) = (weight(by), weight(max)),
            ["steps", list @ ..] => {
                steps.list = list.iter().map(|w| weight(w)).collect();
                steps.max = *steps.list.last().unwrap();
            }
            _ => return false,
        }
        true
    }
}

fn phase(name: &str) -> Phase {
    [
        Phase::Initializing,
        Phase::Initialized,
        Phase::Waiting,
        Phase::Progressing,
        Phase::WaitingPromotion,
        Phase::Promoting,
        Phase::Finalising,
        Phase::Succeeded,
        Phase::Failed,
        Phase::Terminating,
        Phase::Terminated,
    ]
    .into_iter()
    .find(|phase| phase.as_str() == name)
    .unwrap_or_else(|| panic!("no phase: {name}"))
}

fn user(line: &str, change: impl Fn(&mut World, Millis) + 'static) -> Action {
    Action::User(line.to_owned(), Box::new(change))
}

/// An edit of the spec.
fn plan_edit(line: &str, words: &[&str]) -> Action {
    let change: OnPlan = match words {
        ["target", name] => {
            let name = (*name).to_owned();
            Box::new(move |plan| plan.binding.target.clone_from(&name))
        }
        ["provider", name] => {
            let name = (*name).to_owned();
            Box::new(move |plan| plan.binding.provider.clone_from(&name))
        }
        ["step", by, "max", max] => {
            let steps = Steps { list: Vec::new(), by: weight(by), max: weight(max) };
            Box::new(move |plan| plan.strategy = Strategy::Progressive(steps.clone()))
        }
        ["valid"] => Box::new(|plan| plan.spec_error = None),
        ["invalid", rest @ ..] => {
            let text = rest.join(" ");
            Box::new(move |plan| plan.spec_error = Some(text.clone()))
        }
        _ => panic!("no such edit: {line}"),
    };
    Action::Plan(line.to_owned(), change)
}

fn action(line: &str, words: &[&str]) -> Action {
    let own = |text: &str| text.to_owned();
    match words {
        ["wait", "for", "weight", w] => {
            let (line, w) = (own(line), weight(w));
            Action::WaitFor(line, Box::new(move |memory| memory.weight == w))
        }
        ["wait", "for", "event", ..] => {
            let part = own(line.trim_start_matches("wait for event "));
            Action::WaitFor(
                own(line),
                Box::new(move |m| m.outbox.entries.iter().any(|entry| entry.notice.message.contains(&part))),
            )
        }
        ["wait", "for", name] => {
            let (line, phase) = (own(line), phase(name));
            Action::WaitFor(line, Box::new(move |memory| memory.phase == phase))
        }
        ["wait", span] => Action::Wait(span_ms(span)),
        ["push", revision] => {
            let revision = Revision::new(*revision);
            user(line, move |world, now| world.push(revision.clone(), now))
        }
        ["answer", name, rest @ ..] => {
            let (name, text) = (own(name), rest.join(" "));
            user(line, move |world, _| world.answer(&name, &text))
        }
        ["scale", "target", "to", replicas] => {
            let replicas = replicas.parse().unwrap();
            user(line, move |world, _| world.target_mut().replicas = replicas)
        }
        ["crash", "canary"] => user(line, |world, _| world.target_mut().crashed = true),
        ["heal", "canary"] => user(line, |world, _| world.target_mut().crashed = false),
        ["crash", "primary"] => user(line, |world, _| world.primary_mut().crashed = true),
        ["heal", "primary"] => user(line, |world, _| world.primary_mut().crashed = false),
        ["break", "revision", revision] => {
            let revision = Revision::new(*revision);
            user(line, move |world, _| {
                world.broken.insert(revision.clone());
            })
        }
        ["break", "primary", "of", revision] => {
            let revision = Revision::new(*revision);
            user(line, move |world, _| {
                world.broken_primary.insert(revision.clone());
            })
        }
        ["fix", "primary"] => user(line, |world, now| world.fix_primary(now)),
        ["create", "target", revision] => {
            let revision = Revision::new(*revision);
            user(line, move |world, now| world.create(revision.clone(), now))
        }
        ["scale", "primary", "to", replicas] => {
            let replicas = replicas.parse().unwrap();
            user(line, move |world, _| world.primary_mut().replicas = replicas)
        }
        ["edit", "primary"] => user(line, |world, _| world.edited = true),
        ["disown", "primary"] => {
            let text = "podinfo-primary.test has no owner reference; add one, or delete it".to_owned();
            user(line, move |world, _| world.foreign = Some(text.clone()))
        }
        ["own", "primary"] => user(line, |world, _| world.foreign = None),
        ["set", rest @ ..] => plan_edit(line, rest),
        ["clock", "jumps", "ahead", span] => Action::Clock(i64::try_from(span_ms(span)).unwrap()),
        ["clock", "jumps", "back", span] => Action::Clock(-i64::try_from(span_ms(span)).unwrap()),
        ["operator", "down", span] => Action::Down(span_ms(span)),
        ["delete", "canary"] => user(line, |world, _| world.deleted = true),
        ["delete", "target"] => user(line, |world, _| world.target = None),
        ["delete", "primary"] => user(line, |world, _| world.primary = None),
        ["route", w] => {
            let w = weight(w);
            user(line, move |world, _| world.route(w))
        }
        ["refuse", what] => {
            let what = own(what);
            user(line, move |world, _| world.refused = Some(what.clone()))
        }
        ["gateway", "refuses", rest @ ..] => {
            let text = rest.join(" ");
            user(line, move |world, _| world.acceptance = Acceptance::Refused(text.clone()))
        }
        ["gateway", "lags", rest @ ..] => {
            let text = rest.join(" ");
            user(line, move |world, _| world.acceptance = Acceptance::Outdated(text.clone()))
        }
        ["routes", "are", "unreadable"] => user(line, |world, _| world.unreadable = true),
        ["routes", "are", "readable"] => user(line, |world, _| world.unreadable = false),
        ["gateway", "accepts"] => user(line, |world, _| world.acceptance = Acceptance::Accepted),
        ["allow", "all"] => user(line, |world, _| world.refused = None),
        ["change", "config", "copies"] => user(line, |world, _| world.copies = false),
        ["change", "scaler"] => user(line, |world, _| world.scaler = Ok(false)),
        ["scaler", "that", "must", "rest"] => {
            user(line, |world, _| world.target_scaler = TargetScaler::Scales)
        }
        ["break", "scaler", text @ ..] => {
            let text = text.join(" ");
            user(line, move |world, _| world.scaler = Err(text.clone()))
        }
        ["hide", "canary", "addresses"] => user(line, |world, _| world.hidden = true),
        ["show", "canary", "addresses"] => user(line, |world, _| world.hidden = false),
        ["hide", "primary", "addresses"] => user(line, |world, _| world.primary_hidden = true),
        ["show", "primary", "addresses"] => user(line, |world, _| world.primary_hidden = false),
        ["delete", "services"] => {
            user(line, |world, _| (world.services_deleted, world.backends, world.apex) = (true, false, false))
        }
        ["edit", "apex"] => user(line, |world, _| world.apex = false),
        ["suspend"] => Action::Plan(own(line), Box::new(|plan| plan.suspended = true)),
        ["resume"] => Action::Plan(own(line), Box::new(|plan| plan.suspended = false)),
        ["take", "over", "from", "flagger"] => Action::TakeOver(None),
        ["take", "over", "from", "flagger", "in", name] => Action::TakeOver(Some(phase(name))),
        ["crash", "the", "operator", "after", "each", "effect"] => Action::CrashEachEffect,
        _ => panic!("no such action: {line}"),
    }
}
