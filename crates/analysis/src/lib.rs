//! The analysis engine of Vexil: what a rollout does next, decided by two pure functions.
//!
//! * [`advance`] changes the memory: it asks for what it needs and then decides ([`Step::Ask`], [`Step::Done`]).
//! * [`next_effect`] makes the cluster match the memory, one safe effect at a time ([`Next`]).
//!
//! Neither does IO, reads a clock, draws a random number or awaits. A [`Plan`] is what the user wants, the [`Memory`]
//! what survives a crash, [`Facts`] and [`Observed`] what was observed, a [`Transition`] what was decided, an
//! [`Effect`] what is to be changed, a [`Notice`] what is to be reported.
//!
//! ```
//! use vexil_analysis::{
//!     Binding, Effect, Facts, Known, Memory, Millis, Names, Next, Observed, Phase, Plan, Pods, Revision, Step, Steps,
//!     Strategy, SyncState, Weight, advance, next_effect,
//! };
//!
//! let names = Names {
//!     canary: "podinfo".to_owned(),
//!     namespace: "test".to_owned(),
//!     target: "podinfo".to_owned(),
//!     kind: "Deployment".to_owned(),
//! };
//! let steps = Steps { by: Weight::clamped(10), max: Weight::clamped(50), list: Vec::new() };
//! let plan = Plan {
//!     interval_ms: 10_000,
//!     ..Plan::new(names, Binding::default(), Strategy::Progressive(steps))
//! };
//! let seen = Observed {
//!     target: Known::Present(Pods::ready(Revision::new("6.0.0"), 2)),
//!     primary: Known::Absent,
//!     backends: SyncState::InSync,
//!     ..Observed::default()
//! };
//!
//! // The first decision about a new Canary: remember its revision and initialise.
//! let facts = Facts { seen: seen.clone(), ..Facts::default() };
//! let Step::Done(decision) = advance(&plan, &Memory::default(), &facts) else { panic!("asks nothing") };
//! assert_eq!(decision.memory.phase, Phase::Initializing);
//!
//! // Then the cluster follows the memory: the primary is created from that revision.
//! let next = next_effect(&plan, &decision.memory, &seen, Millis(0));
//! assert_eq!(next, Next::Do(Effect::CreatePrimary(Revision::new("6.0.0"))));
//! ```

mod advance;
mod binding;
mod bounded_text;
mod draft;
mod exposure;
mod facts;
mod failover;
pub mod laws;
pub mod limits;
mod memory;
mod message;
mod next_effect;
mod notice;
mod observed;
mod outbox;
mod pending;
mod phase;
mod plan;
mod reported;
mod strategy;
mod types;
mod wait;
mod wait_clock;

pub use advance::{Step, Transition, advance, refuse};
pub use binding::{Binding, Route, ServicePort};
pub use bounded_text::{bounded, bounded_to, digest};
pub use exposure::Exposure;
pub use facts::{Answer, Convergence, Facts, Question, Side};
pub use memory::{Cause, Drain, Ending, Memory, Outcome, Phase};
pub use message::Message;
pub use next_effect::{Effect, Next, next_effect};
pub use notice::{Alert, AlertSeverity, EventType, Level, Notice};
pub use observed::{Acceptance, Known, LiveRoutes, Observed, Pods, SyncState, TargetScaler};
pub use outbox::{Entry, Outbox};
pub use pending::Pending;
pub use plan::{AlertReceiver, Hook, HookKind, Limits, Names, Plan, Receiver};
pub use reported::Reported;
pub use strategy::{Steps, Strategy};
pub use types::{Millis, Readiness, Revision, Routes, Verdict, Weight, WeightError};
pub use wait::{Wait, WaitKind};
pub use wait_clock::{Polls, Waiting};
