//! Workloads behind a Canary: the primary copy, readiness, revisions. Pure: objects in, changes out.
//!
//! A [`Workload`] is one kind of target. It is given the [`Subject`] (the Canary as a workload sees it) and the
//! objects that were seen, and answers with facts ([`vexil_analysis::Readiness`], [`vexil_analysis::Revision`]) or
//! with the [`vexil_object::Change`]s it wants. It never waits and never talks to the API server. A new kind is one
//! folder that implements [`Workload`] and one line in `KINDS`, or is added by the operator ([`WorkloadCatalog`]). A
//! [`Scaler`] is the same for what scales the target.
//!
//! What caches hold are projections ([`DeploymentProjection`]): enough for every fact, not enough for a copy. The two
//! copies, [`Workload::create_primary`] and [`Workload::promote`], therefore take the target as one GET returned it.
//!
//! ```
//! use serde_json::json;
//! use vexil_api::{CanarySpec, CanaryView, TargetRef};
//! use vexil_object::{ObjectKey, Objects, Owner, Seen, kinds};
//! use vexil_workload::{PrimaryCopy, Settings, Subject, WorkloadCatalog};
//!
//! let target = json!({
//!     "metadata": {"name": "podinfo", "namespace": "test"},
//!     "spec": {
//!         "selector": {"matchLabels": {"app": "podinfo"}},
//!         "template": {
//!             "metadata": {"labels": {"app": "podinfo"}},
//!             "spec": {"containers": [{"name": "podinfo", "image": "podinfo:6.0.0"}]},
//!         },
//!     },
//! });
//! let owner = Owner { name: "podinfo".to_owned(), uid: "1".to_owned() };
//! let target_ref = TargetRef { name: "podinfo".to_owned(), ..TargetRef::default() };
//! let spec = CanarySpec { target_ref, ..CanarySpec::default() };
//! let subject = Subject { view: CanaryView::new(&owner, "test", &spec), settings: &Settings::default() };
//!
//! let seen = |name: &str, seen| (ObjectKey::new(kinds::DEPLOYMENT, "test", name), seen);
//! let have = [seen("podinfo", Seen::present(target.clone())), seen("podinfo-primary", Seen::Absent)];
//! let have: Objects = have.into_iter().collect();
//!
//! let workload = WorkloadCatalog::default().workload("Deployment")?;
//! let copy = workload.create_primary(&subject, &target, None, &have)?;
//! assert!(matches!(copy, PrimaryCopy::Write { change, .. } if change.key.name() == "podinfo-primary"));
//! # Ok::<(), vexil_workload::WorkloadError>(())
//! ```

mod affinity;
mod catalog;
mod configs;
mod core_service;
mod daemon_set;
mod deployment;
mod deployment_view;
mod digests;
mod endpoints;
mod error;
mod knative_service;
mod metadata;
mod mixed;
mod pod_workload;
mod pods;
mod ports;
mod primary_drift;
mod primary_template;
mod projection;
mod promoted_metadata;
mod revision;
mod scaler;
mod selector;
mod strangers;
mod subject;
mod workload;

pub use catalog::WorkloadCatalog;
pub use configs::{
    ConfigName, ConfigReferences, TrackedConfigs, checksum, config_needs, has_copies, opted_out,
    outdated_copies, reduced, tracked, untracked_revision, unused_copies, write_copy,
};
pub use core_service::CoreServices;
pub use daemon_set::{DaemonSetProjection, DaemonSets};
pub use deployment::Deployments;
pub use deployment_view::DeploymentView;
pub use endpoints::{lacks_ports, ready_endpoints, service_of};
pub use error::WorkloadError;
pub use knative_service::{KnativeServices, RevisionProjection};
pub use metadata::Settings;
pub use mixed::{Mixed, mixed};
pub use pods::explain;
pub use ports::ServicePort;
pub use primary_drift::PrimaryTemplate;
pub use projection::{
    BY_CONTROLLER, BY_OWNER, BY_SCALED, BY_SERVICE, ConfigProjection, DeploymentProjection,
    EndpointSliceProjection, ScalerProjection, ServiceProjection,
};
pub use revision::{flagger_id, is_our_revision};
pub use scaler::{Scaler, abandoned, rivals};
pub use selector::Selector;
pub use strangers::strangers;
pub use subject::{Ownership, Subject};
pub use vexil_analysis::Side;
pub use workload::{Demand, PrimaryCopy, Scaling, Workload, Write};
