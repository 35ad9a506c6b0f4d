//! Builds and starts the programs behind `cargo xtask`: the lab for what plays on a cluster, and the chores.
//!
//! It has no dependencies. Cargo chooses the features of dependencies for the packages that one call of it builds, and
//! those of the chores alone differ from those of operator and lab together: a command of the lab that was started by
//! the program of the chores compiled 78 units twice, `tokio`, `kube` and `k8s-openapi` among them.

mod programs;
mod root;

pub use programs::{LAB, chore, lab};
pub use root::root;
