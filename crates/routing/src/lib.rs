//! The contract of a router: how weights become changes of route objects, and back.
//!
//! A router is a pure value: it is given the objects that were seen and answers with the changes it wants. It never
//! waits, never talks to the API server and keeps nothing between calls, so it can be tested with data and used by any
//! controller. A new router is one crate that implements [`Router`] and passes [`laws`], plus one line where the
//! operator is wired.

mod error;
pub mod laws;
mod router;
mod services;
mod target;

pub use error::RouteError;
pub use router::{Capabilities, QuerySet, Router};
pub use services::Services;
pub use target::RouteTarget;
