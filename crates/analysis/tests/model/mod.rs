//! The exhaustive check: every order of ticks, crashes, late caches, users' edits and pods, in a small world.
//!
//! A [`Rollout`] is one configuration. [`stateright`] walks through all of its states; in each, the laws must hold
//! ([`laws`]), and when nothing happens any more, the rollout must come to rest ([`quiet`]).

mod act;
mod binding;
mod cure;
mod edit;
mod gates;
mod quiet;
mod state;
mod tick;
mod workload;
mod world;

use std::{collections::HashMap, sync::Mutex};

use stateright::{Checker, Model, Path, Property};
use vexil_analysis::{Binding, Hook, HookKind, Names, Phase, Plan, Revision, Steps, Strategy, Weight};

pub use act::{Action, Fault};
pub use binding::{Bound, Spec};
pub use state::State;
pub use tick::Reply;
pub use world::{Object, Rev, Side};

use world::{Pods, Workload};

pub const INTERVAL_MS: u64 = 10_000;
pub const DEADLINE_MS: u64 = 20_000;

/// What has to be among the states, or else the check does not go far enough.
const ENDS: [&str; 3] = ["a success", "a rollback", "a failed promotion"];

/// One configuration of the check.
pub struct Rollout {
    plan: Plan,
    plans: HashMap<Spec, Plan>,
    starts: Vec<State>,
    faults: Vec<Fault>,
    /// Whether checks and hooks may fail.
    fails: bool,
    /// Whether `rollback` hooks may pass.
    rolls_back: bool,
    known: Mutex<quiet::Known>,
}

/// `VEXIL_DEEPER=1` allows one fault more on each way; that takes some minutes.
fn deeper() -> u8 {
    u8::from(std::env::var_os("VEXIL_DEEPER").is_some())
}

/// A plan with one hook of each kind, one check, and the shortest times.
pub fn plan(list: &[u32], back: u32) -> Plan {
    let hook = |kind| Hook::new(format!("{kind:?}"), kind);
    let list: Vec<Weight> = list.iter().copied().map(Weight::clamped).collect();
    let max = list.last().copied().unwrap_or(Weight::FULL);
    Plan {
        names: Names {
            canary: "c".to_owned(),
            namespace: "n".to_owned(),
            target: "t".to_owned(),
            kind: "Deployment".to_owned(),
        },
        binding: Binding { target: "t".to_owned(), apex: "a".to_owned(), ..Binding::default() },
        spec_error: None,
        suspended: false,
        skip_analysis: false,
        interval_ms: INTERVAL_MS,
        threshold: 2,
        deadline_ms: DEADLINE_MS,
        strategy: Strategy::Progressive(Steps { list, by: Weight::ZERO, max }),
        mirror: None,
        sticky: false,
        promotion_step: Weight::clamped(back),
        routed: true,
        warnings: Vec::new(),
        remarks: Vec::new(),
        checks: vec!["check".to_owned()],
        hooks: vec![hook(HookKind::PreRollout), hook(HookKind::PostRollout)],
        receivers: Vec::new(),
        alerts: Vec::new(),
    }
}

/// The same with a hook of every kind that holds a rollout or ends it.
pub fn gated(list: &[u32]) -> Plan {
    let kinds = [
        HookKind::ConfirmRollout,
        HookKind::ConfirmTrafficIncrease,
        HookKind::ConfirmPromotion,
        HookKind::Rollback,
    ];
    let mut plan = plan(list, 0);
    plan.hooks.extend(kinds.map(|kind| Hook::new(format!("{kind:?}"), kind)));
    plan
}

impl Rollout {
    pub fn new(plan: Plan) -> Rollout {
        let plans = Spec::all().map(|spec| (spec, spec.plan(&plan))).collect();
        Rollout {
            plan,
            plans,
            starts: Vec::new(),
            faults: Vec::new(),
            fails: false,
            rolls_back: false,
            known: Mutex::default(),
        }
    }

    pub fn rolls_back(mut self) -> Rollout {
        self.rolls_back = true;
        self
    }

    pub fn fails(mut self) -> Rollout {
        self.fails = true;
        self
    }

    pub fn faults(mut self, faults: &[Fault]) -> Rollout {
        self.faults = faults.to_vec();
        self
    }

    /// Starts with a Canary that was not reconciled yet.
    pub fn starting_anew(mut self, budget: u8) -> Rollout {
        self.starts.push(State::new(budget + deeper()));
        self
    }

    /// Starts with a new Canary, whose image does not exist.
    pub fn starting_with_a_broken_image(mut self, budget: u8) -> Rollout {
        let mut state = State::new(budget + deeper());
        state.world.broken = Some(Rev::H0);
        state.world.target = Some(Workload::new(Rev::H0, Pods::Coming));
        self.starts.push(state);
        self
    }

    /// Starts from rest, with whatever `change` makes of it.
    pub fn starting_at_rest(mut self, budget: u8, change: impl Fn(&mut State)) -> Rollout {
        let mut state = self.rested(State::new(budget + deeper()));
        change(&mut state);
        state.process.idle = false;
        state.cut();
        self.starts.push(state);
        self
    }

    /// Starts with what Flagger may have left behind.
    pub fn starting_taken_over(mut self, budget: u8) -> Rollout {
        let phases = [
            Phase::Initialized,
            Phase::Progressing,
            Phase::Promoting,
            Phase::Finalising,
            Phase::Succeeded,
            Phase::Failed,
        ];
        for phase in phases {
            for (target, primary) in [(Rev::H0, Rev::H0), (Rev::H1, Rev::H0), (Rev::H1, Rev::H1)] {
                for (live, scaled, pods) in [
                    (0, false, Pods::Ready),
                    (0, true, Pods::Ready),
                    (50, true, Pods::Ready),
                    (100, true, Pods::Ready),
                    (100, true, Pods::Coming),
                ] {
                    self = self.starting_at_rest(budget, |state| {
                        let of = |rev, pods| Workload { foreign: true, ..Workload::new(rev, pods) };
                        state.world.primary = Some(of(primary, pods));
                        state.world.target = Some(Workload { scaled, ..Workload::new(target, Pods::Ready) });
                        state.world.routes = Some(live);
                        state.scaled_by_user = scaled;
                        state.memory.phase = phase;
                        state.memory.from_flagger = true;
                        state.prepared = true;
                        state.memory.applied = Some(Revision::new("theirs"));
                        state.memory.promoted = state.memory.applied.clone();
                        state.memory.held = None;
                    });
                }
            }
        }
        self
    }

    /// Starts right after a push.
    pub fn starting_with_a_push(self, budget: u8) -> Rollout {
        self.starting_at_rest(budget, |state| state.push(Rev::H1))
    }

    /// Walks through every state. Fails with the shortest way to the first broken law.
    #[track_caller]
    pub fn check(self, most: usize) {
        let started = std::time::Instant::now();
        let checker = self.checker().threads(1).spawn_bfs().join();
        println!(
            "{} states, {} deep, {:?}",
            checker.unique_state_count(),
            checker.max_depth(),
            started.elapsed()
        );
        let mut found = checker.discoveries();
        let ends = ENDS.map(|end| found.remove(end).is_some());
        let broken: Vec<String> =
            found.iter().map(|(name, path)| checker.model().describe(name, path)).collect();
        assert!(broken.is_empty(), "{}", broken.join("\n\n"));
        assert_eq!(ends, [true; ENDS.len()], "not among the states: one of {ENDS:?}");
        assert!(checker.unique_state_count() > most, "so few states check nothing");
    }
}

impl Rollout {
    /// The shortest way to a state in which a law is broken.
    fn describe(&self, name: &str, path: &Path<State, Action>) -> String {
        let last = path.last_state();
        let law = last.broken.or_else(|| self.unrest(last)).or_else(|| self.uncured(last));
        let way: Vec<String> =
            path.clone().into_actions().iter().map(|action| format!("{action:?}")).collect();
        format!("{name}: {law:?} {:?}\n{}\nends in {last:?}", self.restless_under(last), way.join(", "))
    }
}

impl Model for Rollout {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        self.starts.clone()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        act::possible(self, state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        act::next(self, state, action).filter(|next| next != state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("laws", |_, state: &State| state.broken.is_none()),
            Property::always("cure", |model: &Rollout, state: &State| model.uncured(state).is_none()),
            Property::always("rest", |model: &Rollout, state: &State| model.unrest(state).is_none()),
            Property::sometimes(ENDS[0], |_, state: &State| state.memory.phase == Phase::Succeeded),
            Property::sometimes(ENDS[1], |_, state: &State| {
                state.memory.phase == Phase::Failed && !state.memory.promotion_failed()
            }),
            Property::sometimes(ENDS[2], |_, state: &State| state.memory.promotion_failed()),
        ]
    }
}
