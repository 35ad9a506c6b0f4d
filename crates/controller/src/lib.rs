//! Composes engine, routers, workloads, metrics and hooks into an operator.
//!
//! [`Operator`] is the whole of it: it is given a [`Context`] (cluster, registry, settings, a way out, a clock) and
//! runs until it is told to stop. Each Canary is ticked by itself, one tick at a time ([`tick`]): look at the caches,
//! make the world match the memory one effect at a time, ask what the engine wants to know, remember what it decides,
//! and do it again until nothing changes. Concrete routers are named by the binary that wires them into the
//! [`Registry`].

mod answers;
mod autoscalers;

mod clock;

mod context;
mod converge;
mod decide;
mod duplicate_target;
mod effects;
mod fair_queue;
mod fair_semaphore;
mod invalid_spec;
mod notifications;
mod observe;
mod operator;
mod orphaned_routes;

mod previous_bindings;
mod projections;
mod reconcile;
mod reconcile_result;

mod runtime;
mod session;
mod startup;
mod status_writes;

mod telemetry;
mod warning_events;
mod warnings;
mod watch_index;
mod work_queue;
mod write_conflict;

pub use clock::{Clock, SystemClock};
pub use context::Context;
pub use operator::Operator;
pub use projections::projections;
pub use telemetry::Telemetry;
pub use vexil_api::parse_duration_ms;
pub use vexil_plan::{Registry, Settings};
