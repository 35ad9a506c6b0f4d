//! The whole operator on a cluster in the process: real requests, virtual time, no sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers outside of #[test] functions are not exempt by clippy.toml"
)]

mod adoption;
mod altered;
mod autoscalers;
mod bad_input;
mod belongings;
mod bounds;
mod cluster;
mod contest;
mod crashes;
mod edits;
mod faults;
mod guides;
mod identity;
mod load;
mod migrations;
mod rollouts;
mod sweep;
mod systems;
