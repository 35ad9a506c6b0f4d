//! What our programs share, so that they look alike from outside: flags in the spelling of Go programs, the log, and
//! how they listen.

mod listen;
mod log;
mod run;
mod spelling;

pub use listen::{Limits, Listener};
pub use log::{LogError, install_log};
pub use run::on_a_thread_of_its_own;
pub use spelling::double_dashed;
