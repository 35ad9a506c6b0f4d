//! Every limit of the engine: spans of time, numbers and sizes that no user sets.

/// How long a wait lasts before it is reported, in milliseconds. Most pods start in less.
pub const REPORT_WAIT_AFTER_MS: u64 = 5_000;
/// The longest drain, in milliseconds. A drain is one interval of the analysis, up to this.
pub const MAX_DRAIN_MS: u64 = 30_000;
/// How often a drain is restarted because its end was not observed. Each restart takes a change of the process.
pub const MAX_DRAIN_RESTARTS: u8 = 3;
/// How long the deletion of a Canary waits for what is refused or cannot be observed, in milliseconds.
pub const MAX_REFUSED_DELETION_MS: u64 = 60_000;
/// Bounds of the time that one look adds to a wait, in milliseconds: a tenth of the deadline, within these.
pub const OBSERVED_GAP_MS: std::ops::RangeInclusive<u64> = 5_000..=60_000;
/// How long a notice is kept for a receiver that does not accept it, in milliseconds.
pub const NOTICE_LIFETIME_MS: u64 = 3_600_000;
/// How many notices are kept for one receiver.
pub const MAX_NOTICES_PER_RECEIVER: usize = 32;
/// How many warnings about a spec, and how many about a cluster, are remembered as reported.
pub const MAX_REPORTED_WARNINGS: usize = 16;
/// How many earlier bindings are remembered until their objects are released.
pub const MAX_PREVIOUS_BINDINGS: usize = 8;
/// The longest text, in bytes: a message, what a wait says, what a hook or a metric server answered. An Event of the
/// API holds no more.
pub const MAX_TEXT_BYTES: usize = 1_024;
