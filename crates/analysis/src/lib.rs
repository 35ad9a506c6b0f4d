//! The analysis engine of Vexil: what a rollout does next, decided by two pure functions.
//!
//! * [`advance`] moves the memory: it asks for what it needs and then decides ([`Step::Ask`], [`Step::Done`]).
//! * [`next_effect`] makes the world match the memory, one safe effect at a time ([`Next`]).
//!
//! Neither does IO, reads a clock, draws a random number or awaits. The words are those of the field: a [`Plan`] is
//! what the user wants, the [`Memory`] what survives a crash, [`Facts`] and [`Observed`] what was seen, a
//! [`Transition`] what was decided, an [`Effect`] what is to be done, a [`Notice`] what is to be told.

mod words;

pub use words::{Millis, Readiness, Revision, Routes, Verdict, Weight, WeightError};
