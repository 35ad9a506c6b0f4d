//! Why the cluster cannot be changed towards the memory now, and which of these waits are reported.

use crate::{Millis, WaitKind, bounded_text::digest};

/// Why nothing can be done now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pending {
    /// Something has not been observed yet.
    NotObserved,
    /// The target does not exist.
    TargetMissing,
    /// The target is no longer at the revision that is to be copied.
    TargetChanged,
    /// The primary does not exist, and the target is not at the revision that it had.
    PrimaryMissing,
    /// No pod of the primary can take traffic; the text is its readiness message, if it has one.
    PrimaryNotReady(Option<String>),
    /// No pod of the canary can take traffic.
    CanaryNotReady,
    /// The target is scaled to zero, and its controller has not yet deleted its pods.
    TargetScalingDown,
    /// An object cannot be written as it is; the text says what the user has to do.
    Invalid(String),
    /// As `Invalid`, for an object that carries no traffic, while everything else matches the memory. An ending
    /// continues without it.
    DegradedOptional(String),
    /// The canary has traffic again although its drain had begun. The memory restarts the drain first, so that the
    /// pods are not removed at the moment when their traffic is.
    TrafficReturned,
    /// The drain was over when this process started: by which clock is not known. The memory restarts it.
    DrainNotObserved,
    /// Open connections get time to end, until this moment.
    Draining(Millis),
}

impl Pending {
    /// What the wait is remembered as; `None` for waits that end by themselves and are not reported.
    pub fn kind(&self) -> Option<WaitKind> {
        match self {
            Pending::NotObserved
            | Pending::TargetChanged
            | Pending::TrafficReturned
            | Pending::DrainNotObserved
            | Pending::Draining(_) => None,
            Pending::TargetMissing => Some(WaitKind::TargetMissing),
            Pending::PrimaryMissing => Some(WaitKind::PrimaryMissing),
            Pending::PrimaryNotReady(_) => Some(WaitKind::Primary),
            Pending::CanaryNotReady | Pending::TargetScalingDown => Some(WaitKind::Canary),
            Pending::Invalid(text) | Pending::DegradedOptional(text) => {
                Some(WaitKind::InvalidObject(digest(text)))
            }
        }
    }
}
