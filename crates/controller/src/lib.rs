//! Composes engine, routers, workloads, metrics and hooks into an operator.
//!
//! [`Operator`] is the whole of it: it is given a [`Context`] (cluster, registry, settings, a way out, a clock) and
//! runs until it is told to stop. Each Canary is ticked by itself, one tick at a time ([`tick`]): look at the caches,
//! make the world match the memory one effect at a time, ask what the engine wants to know, remember what it decides,
//! and do it again until nothing changes. Concrete routers are named by the binary that wires them into the
//! [`Registry`].

mod act;
mod after;
mod ask;
mod binding;
mod case;
mod clock;
mod complain;
mod conditions;
mod consider;
mod contest;
mod context;
mod converge;
mod deliver;
mod desk;
mod fair;
mod first;
mod interest;
mod local;
mod look;
mod plan;
mod projections;
mod queue;
mod readings;
mod refuse;
mod registry;
mod release;
mod remark;
mod rival;
mod run;
mod scalers;
mod status;
mod sweep;
mod telemetry;
mod tick;
mod turns;

pub use clock::{Clock, SystemClock};
pub use context::{Context, Settings};
pub use projections::projections;
pub use registry::Registry;
pub use run::Operator;
pub use telemetry::Telemetry;
pub use vexil_api::parse_duration_ms;
