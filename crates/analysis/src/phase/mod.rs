//! One leaf per phase: what a tick decides there. Only [`crate::advance`] chooses among them.

pub(crate) mod ending;
pub(crate) mod idle;
pub(crate) mod initializing;
pub(crate) mod progressing;
pub(crate) mod promoting;
pub(crate) mod rebinding;
pub(crate) mod takeover;

mod analysis;
mod trouble;
mod turn;

pub(crate) use trouble::drifted;
