//! Routes that cannot have their Canary as owner, so that the operator deletes them and not the garbage collector.

use serde_json::Value;
use vexil_object::{Change, Kind, ObjectKey, Seen};

/// Finds routes that are in another namespace than their Canary, or in none: an owner reference cannot express that, so
/// no garbage collector deletes them when the Canary is gone.
pub trait Unowned: Send + Sync {
    /// The kinds of such routes.
    fn kinds(&self) -> Vec<Kind>;

    /// The Canary that a route was created for; `None` for a route of the user.
    fn made_for(&self, route: &Value) -> Option<ObjectKey>;

    /// The deletion of a route whose Canary is gone, given what was observed of that Canary. `None` when it exists, was
    /// not observed, or the route is the user's.
    fn abandoned(&self, key: &ObjectKey, route: &Value, canary: &Seen) -> Option<Change>;
}
