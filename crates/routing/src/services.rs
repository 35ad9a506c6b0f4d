//! The trait of the three Services that every provider builds on.

use vexil_object::{Change, ObjectKey, Objects};

use crate::{RouteError, RouteTarget};

/// Keeps the `-canary`, `-primary` and apex Services (`routing.md` section 4).
pub trait Services: Send + Sync {
    /// The Services it looks at.
    fn needs(&self, target: &RouteTarget<'_>) -> Vec<ObjectKey>;

    /// The changes that make the `-canary` and `-primary` Services as wanted. None when they are.
    ///
    /// # Errors
    /// When a Service has not been looked at, or is not this Canary's: these two are never adopted.
    fn backends(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError>;

    /// The changes that make the apex Service select the primary's pods. None when it does. One without a controller is
    /// its user's and is adopted for its ports and selector only.
    ///
    /// # Errors
    /// When it has not been looked at, or belongs to another controller.
    fn apex(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError>;

    /// What the user should know of the Services though they are as wanted, one sentence each.
    fn remarks(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<String> {
        let _ = (target, have);
        Vec::new()
    }

    /// The changes that give an apex that is the user's own back to the target's pods. None when it is gone, the
    /// Canary's, or somebody else's.
    ///
    /// # Errors
    /// When it has not been looked at, or its user's record of it cannot be read.
    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError>;
}
