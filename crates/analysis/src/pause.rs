//! Why the world cannot be made to match the memory now, and what of that is told.

use crate::{Millis, WaitKind};

/// Why nothing can be done now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pause {
    /// Something has not been looked at yet; it will be.
    Look,
    /// The target does not exist.
    TargetMissing,
    /// The target moved on from the revision that was to be copied.
    TargetMoved,
    /// The primary is gone, and the target is not at the revision it had.
    PrimaryMissing,
    /// The primary has no pod that can take traffic; the text is its readiness, when that tells.
    Primary(Option<String>),
    /// The canary has no pod that can take traffic.
    Canary,
    /// An object cannot be written by us; the text says what the user has to do.
    Broken(String),
    /// The same, and all else is as the memory says: an ending goes on without it.
    Unmended(String),
    /// The canary has traffic again although its connections were given time to end: that has to be taken back in
    /// the memory first, so that its pods do not go at once when its traffic does.
    Traffic,
    /// Connections are given time to end.
    Drain(Millis),
}

impl Pause {
    /// What the wait is remembered as; `None` for those that end by themselves and are not worth telling.
    pub fn kind(&self) -> Option<WaitKind> {
        match self {
            Pause::Look | Pause::TargetMoved | Pause::Traffic | Pause::Drain(_) => None,
            Pause::TargetMissing => Some(WaitKind::TargetMissing),
            Pause::PrimaryMissing => Some(WaitKind::PrimaryMissing),
            Pause::Primary(_) => Some(WaitKind::Primary),
            Pause::Canary => Some(WaitKind::Canary),
            Pause::Broken(text) | Pause::Unmended(text) => Some(WaitKind::Broken(digest(text))),
        }
    }
}

/// FNV-1a, 32 bit: compared with the one before it only.
fn digest(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
