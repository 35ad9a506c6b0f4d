//! The contract of a router: how weights become changes of route objects, and back.
//!
//! A router is a pure value: it is given the objects that were seen and answers with the changes it wants. It never
//! waits, never talks to the API server and keeps nothing between calls, so it can be tested with data and used by any
//! controller. A new router is one crate that implements [`Router`] and passes the `laws` (a feature of this crate, for
//! tests), plus one line where the operator is wired.
//!
//! What every router shares stands here: [`Claim`] decides whose an object is, [`Entries`] holds our two entries in a
//! list among those of others, [`declare`] and [`mark`] write metadata that is ours among metadata that is not.

mod claim;
mod entries;
mod error;
#[cfg(any(test, feature = "laws"))]
pub mod laws;
mod metadata;
mod router;
mod services;
mod target;
mod unowned;

pub use claim::Claim;
pub use entries::{Entries, NAMELESS, Side, agreed, items, pointer, put};
pub use error::RouteError;
pub use metadata::{MARKERS, WRITTEN, declare, mark, unmark};
pub use router::{Capabilities, QuerySet, Router};
pub use services::Services;
pub use target::{BoundKind, PodLabels, RouteTarget};
pub use unowned::Unowned;
pub use vexil_analysis::{Routes, Weight};
