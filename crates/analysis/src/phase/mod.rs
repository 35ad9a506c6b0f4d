//! One file per phase: what is decided there. Only [`crate::advance`] chooses among them.

pub(crate) mod ending;
pub(crate) mod gates;
pub(crate) mod idle;
pub(crate) mod initializing;
pub(crate) mod migration;
pub(crate) mod progressing;
pub(crate) mod promoting;
pub(crate) mod takeover;
pub(crate) mod terminating;

mod analysis_step;
mod binding;
mod restart;
mod transitions;
mod waits;

pub(crate) use waits::report_drift;
