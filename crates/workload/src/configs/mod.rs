//! Config tracking: the ConfigMaps and Secrets of a target are part of its revision, and the primary uses copies of
//! them. docs/config-tracking.md describes it.

mod adoption;
mod checksum;
mod copies;
mod references;
mod tracked;

pub(crate) use adoption::neutral;
pub use checksum::{checksum, opted_out, reduced};
pub(crate) use copies::{COPIED, copied_kinds, hold_flaggers_content};
pub use copies::{has_copies, outdated_copies, unused_copies, write_copy};
pub(crate) use references::rename;
pub use references::{ConfigName, ConfigReferences};
pub use tracked::{TrackedConfigs, config_needs, tracked, untracked_revision};
pub(crate) use tracked::{copied, revision};
