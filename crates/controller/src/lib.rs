//! Composes engine, routers, workloads, metrics and hooks into an operator.
//!
//! An [`Operator`] runs on a [`Context`] (cluster, registry, settings, HTTP client, clock) until it is stopped. It
//! reconciles each Canary by itself, one reconcile at a time: observe the caches, make the cluster match the memory one
//! effect at a time, answer the engine's questions, write the decision to the status, and again until nothing changes.
//! The binary names the routers in the [`Registry`].
//!
//! A small operator of one namespace, with one router, which stops at once:
//!
//! ```
//! use vexil_controller::{Context, Operator, Registry, Settings, projections};
//! use vexil_egress::Egress;
//! use vexil_kube::{Cluster, Scope};
//! use vexil_routing_kubernetes::KubernetesServices;
//! use vexil_routing_traefik::Traefik;
//! # use vexil_testbed_apiserver::{ApiServer, Clock};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # rustls::crypto::ring::default_provider().install_default().map_err(|_| "TLS is set up already")?;
//! let registry = Registry::new(KubernetesServices).with(Traefik::new(None));
//! let settings = Settings { provider: "traefik".to_owned(), ..Settings::default() };
//!
//! // `vexil_kube::connect` makes a client from a kubeconfig or from the pod's service account.
//! # let client = ApiServer::new(Clock::default()).client();
//! let scope = Scope::Namespace("test".to_owned());
//! let (cluster, watches) = Cluster::new(client, scope, projections(&registry, &settings));
//! let context = Context::new(cluster, registry, settings, Egress::new()?);
//!
//! let stop = async {}; // Usually a signal.
//! tokio::select! {
//!     biased;
//!     () = Operator::new(context).run(stop) => Ok(()),
//!     () = watches.run() => Err("the watches have ended".into()),
//! }
//! # }
//! ```

mod alerts;
mod answers;
mod apply;
mod autoscalers;

mod clock;

mod config_copies;
mod configs;
mod context;
mod converge;
mod decide;
mod deletion;
mod deliveries;
mod duplicate_target;
mod effects;
mod fair_queue;
mod fair_semaphore;
mod finalizer;
mod former_primary;
mod invalid_spec;
mod kept_runtime;
mod limits;
mod notification;
mod notifications;
mod observe;
mod operator;
mod orphaned_routes;
mod outages;
mod outbox;
mod platform;
mod preview;
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
pub use preview::{Next, Preview, preview};
pub use projections::projections;
pub use telemetry::Telemetry;
pub use vexil_api::parse_duration_ms;
pub use vexil_plan::{Registry, Settings};
