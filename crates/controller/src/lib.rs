//! Composes engine, routers, workloads, metrics and hooks into an operator.
//!
//! An [`Operator`] runs on a [`Context`] (cluster, registry, settings, HTTP client, clock) until it is stopped. It
//! reconciles each Canary by itself, one reconcile at a time: observe the caches, make the cluster match the memory one
//! effect at a time, answer the engine's questions, write the decision to the status, and again until nothing changes.
//! The binary names the routers in the [`Registry`].

mod alerts;
mod answers;
mod autoscalers;

mod clock;

mod config_copies;
mod configs;
mod context;
mod converge;
mod decide;
mod deletion;
mod duplicate_target;
mod effects;
mod fair_queue;
mod fair_semaphore;
mod invalid_spec;
mod limits;
mod notifications;
mod observe;
mod operator;
mod orphaned_routes;
mod outages;
mod outbox;
mod platform;
mod previous_bindings;
mod projections;
mod reconcile;
mod reconcile_result;
mod revert;

mod runtime;
mod session;
mod startup;
mod status_writes;

mod telemetry;
mod warnings;
mod watch_index;
mod work_queue;
mod write_conflict;

pub use alerts::Alerts;
pub use clock::{Clock, SystemClock};
pub use context::Context;
pub use operator::Operator;
pub use projections::projections;
pub use telemetry::Telemetry;
pub use vexil_api::parse_duration_ms;
pub use vexil_plan::{Registry, Settings};
