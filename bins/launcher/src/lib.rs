//! Builds and starts the programs behind `cargo xtask`: the lab for what plays on a cluster, and the chores.
//!
//! It has no dependencies, so that it is built at once and the same in every call of cargo.

mod programs;
mod root;

pub use programs::{LAB, build, chore, folder, lab};
pub use root::root;
