//! The living world of the cluster: controllers, pods that serve HTTP, the network, a gateway, hooks, load, metrics.
//!
//! [`Cluster`] puts it all together over the API server. In the process nothing opens a socket, so that tests run on
//! paused time and the same test always goes the same way; over sockets the same pieces are real HTTP servers on
//! 127.0.0.1. What each piece does not do is in its own module.

mod cluster;
mod controllers;
mod discovery;
mod gateway;
mod hooks;
mod kinds;
mod load;
mod metrics;
mod network;
pub mod objects;
mod pods;
mod process;
mod request;
mod settings;
mod system;
#[cfg(test)]
mod tests;
mod view;
mod watch;

pub use cluster::{Cluster, install};
pub use discovery::scrape_file;
pub use load::{Load, Running, Tally};
pub use network::{FromFn, Handler, Network, NetworkError, Refused, plain};
pub use pods::{HOSTNAME_HEADER, VERSION_HEADER};
pub use process::Process;
pub use request::send;
pub use settings::{Settings, Wire};
pub use system::{GATEWAY, KEDA, LOAD_TESTER, METRIC_SERVER, System};
pub use watch::{Change, follow};
