//! From a Canary to what the engine decides on, and back: parse, validate, lower to a plan, read and write the status.
//!
//! [`Planner::open`] turns the JSON of a Canary into a [`CanaryContext`]: its spec, router, workload, warnings and
//! [`vexil_analysis::Plan`]. [`load`] turns its status into the engine's [`vexil_analysis::Memory`] and [`store`] the
//! memory into the next status. Nothing here awaits, reads a clock or talks to a cluster, so a command-line tool can
//! plan, simulate and explain a rollout from a file: see `examples/explain.rs`. The operator (`vexil-controller`) uses
//! the same functions for every reconcile.
//!
//! ```
//! use std::sync::Arc;
//!
//! use vexil_analysis::{Phase, Weight};
//! use vexil_plan::{Planner, Registry, Settings, load};
//! use vexil_routing_kubernetes::KubernetesServices;
//! use vexil_routing_traefik::Traefik;
//!
//! let registry = Registry::new(KubernetesServices).with(Traefik::new(None));
//! let settings = Settings { provider: "traefik".to_owned(), ..Settings::default() };
//! let canary = serde_json::json!({
//!     "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
//!     "metadata": {"name": "podinfo", "namespace": "test", "uid": "1"},
//!     "spec": {
//!         "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
//!         "service": {"port": 80},
//!         "analysis": {"interval": "30s", "threshold": 5, "maxWeight": 50, "stepWeight": 10},
//!     },
//!     "status": {"phase": "Progressing", "canaryWeight": 20},
//! });
//! let planner = Planner::new(&registry, &settings);
//! let canary = planner.open(Arc::new(canary)).map_err(|defects| vexil_api::summary(&defects))?;
//! assert_eq!(canary.plan().interval_ms, 30_000);
//!
//! let memory = load(canary.status());
//! assert_eq!((memory.phase, memory.weight), (Phase::Progressing, Weight::clamped(20)));
//! # Ok::<(), String>(())
//! ```

mod alerts;
mod binding;
mod cache;
mod canary_context;
mod checks;
mod conditions;
mod cookies;
mod hooks;
mod in_force;
mod lower;
mod registry;
mod settings;
mod status;
mod unique_names;
mod validated;

pub use alerts::{GLOBAL_ALERT, alert_entry};
pub use binding::{bound_kind, route};
pub use canary_context::{CanaryContext, Planner};
pub use checks::named_check;
pub use conditions::{StatusContext, Tracked, is_ready};
pub use hooks::{GLOBAL_HOOK, deciding_hook, event_hook};
pub use registry::Registry;
pub use settings::Settings;
pub use status::{STATUS_LIMIT, has_run_number, load, store};
