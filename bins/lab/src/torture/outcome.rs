//! What came of a case.

use std::collections::BTreeMap;

use super::finding::Finding;

/// The revision that every case ends with.
pub const LAST: &str = "6.9.0";

/// What came of a case.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What broke a law.
    pub findings: Vec<Finding>,
    /// Requests of clients.
    pub requests: u64,
    /// Errors that routing made, by cause; excused or not.
    pub lost: BTreeMap<String, u64>,
    /// Errors that a version made.
    pub by_version: u64,
    /// How often the operator was killed.
    pub kills: u32,
    /// How many requests of the operator were answered wrongly.
    pub faults: u64,
    /// Writes of the first operator.
    pub writes: u32,
    /// Requests of the operator that read: what faults can befall.
    pub reads: Reads,
    /// Events about the Canary, with their number.
    pub events: BTreeMap<String, usize>,
    /// Whether the API server refused an edit.
    pub refused: bool,
    /// Everything that happened, for people; only when asked for.
    pub story: String,
}

/// How many requests read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reads {
    pub lists: u32,
    /// Of single objects.
    pub gets: u32,
    pub watches: u32,
}
