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
mod converge;
mod draft;
mod facts;
pub mod laws;
mod memory;
mod notice;
mod observed;
mod outbox;
mod pause;
mod phase;
mod plan;
mod text;
mod words;

pub use advance::{Step, Transition, advance};
pub use binding::{Binding, Route};
pub use converge::{Effect, Next, next_effect};
pub use facts::{Answer, Facts, Question, Side, World};
pub use memory::{Cause, Ending, Entry, Memory, Outbox, Outcome, Phase, Wait, WaitKind};
pub use notice::{Alert, AlertSeverity, Kind, Level, Notice};
pub use observed::{Fit, Known, LiveRoutes, Observed, Pods, TargetScaler};
pub use pause::Pause;
pub use plan::{Hook, HookKind, Limits, Names, Plan, Receiver, Steps, Strategy};
pub use text::{LONGEST_TEXT, bounded, bounded_to};
pub use words::{Millis, Readiness, Revision, Routes, Verdict, Weight, WeightError};
