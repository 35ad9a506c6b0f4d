//! The only crate that talks to the Kubernetes API: caches, reads, fenced writes, events, the lease.
//!
//! [`Cluster`] is the handle: [`Cluster::look`] answers from caches that watches keep up to date, behind our own
//! writes; [`Cluster::fetch`] asks the API server; [`Cluster::apply`] and [`Cluster::write_status`] write, always
//! fenced by uid and resourceVersion. [`Watches`] drives the watches and is polled by the program.

mod altered;
mod cache;
mod call;
mod changes;
mod cluster;
mod connect;
mod definition_fields;
mod error;
mod events;
mod lease;
mod packed;
mod pending;
mod pruned;
mod raw;
mod read;
mod recent;
mod requests;
mod retry_after;
mod shared;
mod slots;
mod stored;
mod watch;
mod watch_client;
mod watch_error;
mod watch_pauses;
mod write;

pub use altered::Altered;
pub use changes::{CacheEvent, Changes, Listed};
pub use cluster::{Cluster, Mark, Scope, Watches};
pub use connect::{Access, ConnectError, connect};
pub use error::{ReadError, WriteError};
pub use events::{EventRecord, timestamp};
pub use lease::{Election, LEASE_NAME, LeaderState, identity};
pub use raw::Method;
