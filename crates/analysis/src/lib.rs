//! The analysis engine of Vexil: what a rollout does next, decided by two pure functions.
//!
//! * [`advance`] moves the memory: it asks for what it needs and then decides ([`Step::Ask`], [`Step::Done`]).
//! * [`next_effect`] makes the world match the memory, one safe effect at a time ([`Next`]).
//!
//! Neither does IO, reads a clock, draws a random number or awaits. The words are those of the field: a [`Plan`] is
//! what the user wants, the [`Memory`] what survives a crash, [`Facts`] and [`Observed`] what was seen, a
//! [`Transition`] what was decided, an [`Effect`] what is to be done, a [`Notice`] what is to be told.

mod advance;
mod binding;
mod draft;
mod facts;
pub mod laws;
mod memory;
mod next_effect;
mod notice;
mod observed;
mod outbox;
mod pending;
mod phase;
mod plan;
mod text;
mod types;

pub use advance::{Step, Transition, advance};
pub use binding::{Binding, Route};
pub use facts::{Answer, Convergence, Facts, Question, Side};
pub use memory::{Cause, Ending, Memory, Outcome, Phase, Wait, WaitKind};
pub use next_effect::{Effect, Next, next_effect};
pub use notice::{Alert, AlertSeverity, EventType, Level, Notice};
pub use observed::{Known, LiveRoutes, Observed, Pods, SyncState, TargetScaler};
pub use outbox::{Entry, Outbox};
pub use pending::Pending;
pub use plan::{Hook, HookKind, Limits, Names, Plan, Receiver, Steps, Strategy};
pub use text::{MAX_TEXT_BYTES, bounded, bounded_to};
pub use types::{Millis, Readiness, Revision, Routes, Verdict, Weight, WeightError};
