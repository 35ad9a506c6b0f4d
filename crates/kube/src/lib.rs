//! The only crate that talks to the Kubernetes API: caches, reads, fenced writes, events, the lease.
//!
//! [`Cluster`] is the handle: [`Cluster::look`] answers from caches that watches keep fed, with our own writes laid
//! over; [`Cluster::fetch`] asks the API server; [`Cluster::apply`] and [`Cluster::write_status`] write, always fenced
//! by uid and resourceVersion. [`Watches`] drives the watches and is polled by whoever runs the process.

mod altered;
mod answer;
mod cache;
mod call;
mod changes;
mod cluster;
mod connect;
mod error;
mod events;
mod fields;
mod hold;
mod hot;
mod lease;
mod overlay;
mod pace;
mod packed;
mod page;
mod paths;
mod pruned;
mod read;
mod setback;
mod shared;
mod watch;
mod write;

pub use altered::Altered;
pub use changes::{Changes, Listed, Noted};
pub use cluster::{Cluster, Mark, Scope, Watches};
pub use connect::{Access, ConnectError, connect};
pub use error::{ReadError, WriteError};
pub use events::{EventRecord, EventType};
pub use lease::{Election, LEASE_NAME, Standing, identity};
