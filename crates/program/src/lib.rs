//! What our programs share, so that they look alike from outside: flags in the spelling of Go programs, and the log.

mod log;
mod spelling;

pub use log::{LogError, install_log};
pub use spelling::double_dashed;
