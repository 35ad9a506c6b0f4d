//! What was seen of the cluster and what shall change in it, as data: no client, no clock, no logic of rollouts.
//!
//! Routers and workloads are pure functions from [`Objects`] to [`Change`]s. This crate is the language they share:
//! * [`Kind`] and [`ObjectKey`] name an object of the API server;
//! * [`Seen`] distinguishes "absent" from "not known": what a cache has not received yet may exist;
//! * [`Change`] is a create, a patch of named fields, or a delete, always fenced by a [`Precondition`];
//! * [`merge_patch`] computes the narrowest patch, so that only fields that are ours are written;
//! * [`Projection`] says what a cache keeps of a kind;
//! * [`Backoff`] says how long to wait between attempts;
//! * [`Store`] applies changes in memory, for laws and simulations.
//!
//! ```
//! use serde_json::json;
//! use vexil_object::{Change, ObjectKey, Store, kinds};
//!
//! let key = ObjectKey::new(kinds::SERVICE, "test", "podinfo");
//! let mut store = Store::default();
//! store.apply(&Change::create(key.clone(), json!({"spec": {"port": 80, "type": "ClusterIP"}})))?;
//!
//! let live = store.get(&key).cloned().expect("it was created");
//! let mut want = live.clone();
//! want["spec"]["port"] = json!(8080);
//! let change = Change::between(key.clone(), &live, &want).expect("they differ");
//! store.apply(&change)?;
//! assert_eq!(store.get(&key).expect("it exists")["spec"], json!({"port": 8080, "type": "ClusterIP"}));
//!
//! // The change was computed from a version that is no longer the latest one.
//! assert!(store.apply(&change).is_err());
//! # Ok::<(), vexil_object::Refused>(())
//! ```

mod backoff;
mod change;
pub mod definition;
mod key;
pub mod knative;
pub mod meta;
mod name_limits;
mod objects;
mod patch;
mod projection;
mod quantity;
pub mod service;
mod store;

pub use backoff::Backoff;
pub use change::{Action, Change, JsonOp, Precondition};
pub use definition::Definitions;
pub use key::{Kind, ObjectKey, kinds};
pub use meta::Owner;
pub use name_limits::{MAX_LABEL_BYTES, MAX_NAME_BYTES};
pub use objects::{Objects, Seen};
pub use patch::{merge, merge_patch};
pub use projection::{Metadata, Projection, Wanted, Whole};
pub use quantity::quantity;
pub use store::{Refused, Store};
