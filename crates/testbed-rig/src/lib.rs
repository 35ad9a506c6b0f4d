//! The real operator on the cluster in the process: what its own tests and `cargo xtask torture` both play on.
//!
//! * [`Process`]: an operator with all routers, which can be killed and started again.
//! * [`Leash`]: its connection to the API server, which can be cut behind a write.
//! * [`SkewedClock`]: its clock, which can be set wrong.
//! * [`ErrorLog`]: what it logs as an error.
//! * [`manifests`]: a Canary and what belongs to it.

mod clock;
mod leash;
mod log;
pub mod manifests;
mod process;
mod watchdog;
mod wire;

pub use clock::SkewedClock;
pub use leash::Leash;
pub use log::ErrorLog;
pub use process::{OPERATOR, Options, Process, registry};
pub use watchdog::Watchdog;
pub use wire::Wire;
