//! Routes that outlive their Canary unless somebody sweeps them.

use serde_json::Value;
use vexil_object::{Change, Kind, ObjectKey, Seen};

/// Routes that cannot have their Canary as an owner, because they stand in another namespace or in none: no garbage
/// collector removes them when it is gone, so an operator does.
pub trait Unowned: Send + Sync {
    /// The kinds that may hold such routes.
    fn kinds(&self) -> Vec<Kind>;

    /// The Canary that a route was made for; `None` for one of a user's own.
    fn made_for(&self, route: &Value) -> Option<ObjectKey>;

    /// The deletion of a route whose Canary is gone, given what was seen of that Canary. `None` when it is there, when
    /// nobody has looked, or when the route is a user's own.
    fn abandoned(&self, key: &ObjectKey, route: &Value, canary: &Seen) -> Option<Change>;
}
