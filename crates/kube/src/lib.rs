//! The only crate that talks to the Kubernetes API: caches, reads, fenced writes, events, the lease.
//!
//! [`Cluster`] is the handle: [`Cluster::look`] answers from caches that watches keep up to date, behind our own
//! writes; [`Cluster::fetch`] asks the API server; [`Cluster::apply`] and [`Cluster::write_status`] write, always
//! fenced by uid and resourceVersion. [`Watches`] drives the watches and is polled by the program.
//!
//! ```
//! use futures::StreamExt;
//! use serde_json::json;
//! use vexil_kube::{Cluster, Scope};
//! use vexil_object::{Change, Kind, ObjectKey};
//! # use vexil_testbed_apiserver::{ApiServer, Clock};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! const CONFIG_MAP: Kind = Kind::namespaced("", "v1", "ConfigMap", "configmaps");
//! // `vexil_kube::connect` makes a client from a kubeconfig or from the pod's service account.
//! # let client = ApiServer::new(Clock::default()).client();
//! let (cluster, watches) = Cluster::new(client, Scope::Namespace("default".to_owned()), Vec::new());
//!
//! let example = async {
//!     let key = ObjectKey::new(CONFIG_MAP, "default", "settings");
//!     let mut changes = cluster.changes();
//!     while !cluster.look(&key).is_known() {
//!         changes.next().await;
//!     }
//!     let settings = json!({"metadata": {"name": "settings", "namespace": "default"}, "data": {"colour": "blue"}});
//!     cluster.apply(&Change::create(key.clone(), settings)).await?;
//!     // A write that was answered is seen at once, whatever the watch has received.
//!     let seen = cluster.look(&key);
//!     assert_eq!(seen.object().expect("it was created")["data"]["colour"], "blue");
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! };
//! tokio::select! {
//!     biased;
//!     result = example => result,
//!     () = watches.run() => Err("the watches have ended".into()),
//! }
//! # }
//! ```

mod altered;
mod cache;
mod call;
mod changes;
mod cluster;
mod connect;
mod definition_fields;
mod dry_run;
mod error;
mod events;
mod lean;
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
pub use dry_run::{DryRun, DryWrite};
pub use error::{ReadError, WriteError};
pub use events::{EventRecord, timestamp};
pub use lease::{Election, LEASE_NAME, LeaderState, identity};
pub use raw::Method;
