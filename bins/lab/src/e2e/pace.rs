//! How fast rollouts go in scenes that act between two steps.

use std::time::Duration;

use serde_json::{Value, json};

use super::manifests;

/// The time between two steps in which something is done: a slow machine does it before the next one, too.
pub const LONG_INTERVAL: Duration = Duration::from_secs(6);

/// Changes of a Canary, with [`LONG_INTERVAL`] between its steps.
pub fn unhurried(mut changes: Value) -> Value {
    let interval = format!("{}s", LONG_INTERVAL.as_secs());
    manifests::merge(&mut changes, &json!({"analysis": {"interval": interval}}));
    changes
}
