//! The trait for the three Services that every provider needs.

use vexil_object::{Change, ObjectKey, Objects};

use crate::{RouteError, RouteTarget};

/// Creates and corrects the apex, `-primary` and `-canary` Services.
pub trait Services: Send + Sync {
    /// The Services that it reads.
    fn needs(&self, target: &RouteTarget<'_>) -> Vec<ObjectKey>;

    /// The changes that create or correct the `-canary` and `-primary` Services; none when they are as wanted.
    ///
    /// # Errors
    /// When a Service was not observed, or the Canary does not own it: these two are never adopted.
    fn backends(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError>;

    /// The changes that make the apex Service select the primary's pods; none when it does. A Service without a
    /// controller is the user's: only its ports and selector are adopted.
    ///
    /// # Errors
    /// When it was not observed, or has another controller.
    fn apex(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError>;

    /// What the user should know about the Services although they are as wanted, one sentence each.
    fn remarks(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<String> {
        let _ = (target, have);
        Vec::new()
    }

    /// The changes that make an apex of the user select the target's pods again. None when it is gone, or has an owner.
    ///
    /// # Errors
    /// When it was not observed, or the manifest that the user applied cannot be read.
    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError>;
}
