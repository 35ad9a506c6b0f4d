//! Shared parts of the programs: command-line flags in Go's spelling, the log, and the HTTP listener.

mod listen;
mod log;
mod run;
mod spelling;

pub use listen::{Limits, Listener};
pub use log::{LogError, install_log};
pub use run::on_a_thread_of_its_own;
pub use spelling::double_dashed;
