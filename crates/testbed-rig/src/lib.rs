//! What plays the operator shares: one record per system, one operator process, one client of API servers, one observer
//! and one player of the guides; and the operator inside the process, on virtual time, for tests and `torture`.
//!
//! * [`systems`]: everything in which two systems differ; [`target`]: everything in which two kinds of
//!   target differ; [`guide`]: what a page of `docs/guides/` has its reader do.
//! * [`operator`]: the operator's binary as a process of its own.
//! * [`api`], [`crds`]: a client of API servers, and the definitions that are applied with it.
//! * [`player`]: plays a guide on any [`player::Environment`], and [`outcome`] says what that came to.
//! * [`cast`], [`route`], [`scene`], [`record`]: the names of a Canary's objects, what they say, what clients got.
//! * [`Process`]: an operator in this process with all routers, which can be killed and started again, on a connection
//!   that can be cut ([`KillSwitch`]) and a clock that can be set wrong ([`SkewedClock`]).

mod acts;
pub mod api;
pub mod cast;
pub mod checks;
mod clock;
pub mod crds;
mod environment;
pub mod guide;
mod guide_objects;
mod kill_switch;
mod log;
pub mod manifests;
pub mod operator;
pub mod outcome;
pub mod page;
pub mod player;
mod process;
pub mod record;
pub mod report;
pub mod route;
pub mod scene;
pub mod styled_line;
pub mod systems;
pub mod target;
mod watchdog;
mod wire;

pub use acts::INTERVAL;
pub use clock::SkewedClock;
pub use kill_switch::KillSwitch;
pub use log::ErrorLog;
pub use process::{OPERATOR, Options, Process, registry};
pub use watchdog::Watchdog;
pub use wire::Wire;
