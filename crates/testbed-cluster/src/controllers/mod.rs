//! The controllers of the cluster, each a pure function from what was seen to what shall be written, and their loop.
//!
//! All of them run in one task, one after the other, so that the same events lead to the same writes in the same order.

mod autoscaler;
mod daemon_set;
mod deployment;
mod endpoints;
mod hands;
mod op;
mod replica_set;
mod run;

pub(crate) use deployment::owner;
pub(crate) use hands::write;
pub(crate) use op::{Op, Plan, Snapshot, Target, status_patch};
pub(crate) use run::{Controllers, crash};
