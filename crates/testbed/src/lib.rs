//! A cluster in the process: API server, controllers, pods that serve HTTP, a gateway that splits it, a metric store.
//!
//! Everything runs on tokio's clock, so that tests use virtual time and need no sockets; over TCP the same pieces are
//! what the demo shows and what `kubectl` talks to.
//! * [`api`]: the Kubernetes API server.
//! * [`promql`]: the metric store that answers PromQL.
//! * [`Clock`]: wall time derived from tokio's clock.

pub mod api;
mod clock;
pub mod promql;
pub mod world;

pub use clock::Clock;
