//! The `flagger.app` custom resources as Rust types, with validation that names every defect.
//!
//! The types hold what the manifest says and nothing else: every field may be absent, nothing is defaulted when reading
//! and nothing is added when writing. Accessors give the effective value of a field (`canary/defaults.rs`).
//!
//! ```
//! use vexil_api::{Capabilities, ValidationContext, parse, summary, validate};
//!
//! let canary = serde_json::json!({
//!     "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
//!     "metadata": {"name": "podinfo", "namespace": "test"},
//!     "spec": {
//!         "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
//!         "service": {"port": 80},
//!         "analysis": {"interval": "1 minute", "threshold": 5, "maxWeight": 50, "stepWeight": 10},
//!     },
//! });
//! let canary = parse(&canary).map_err(|defects| summary(&defects))?;
//! assert_eq!(canary.spec.service.port, Some(80));
//!
//! let provider = Capabilities { weights: true, ..Capabilities::default() };
//! let context = ValidationContext { router: Some(provider), ..ValidationContext::default() };
//! let found = validate(&canary, &context);
//! let paths: Vec<&str> = found.defects.iter().map(|defect| defect.path.as_str()).collect();
//! assert_eq!(paths, ["spec.analysis.interval"]);
//! # Ok::<(), String>(())
//! ```

pub mod alert_provider;
pub mod canary;
mod capabilities;
pub mod crd;
pub mod duration;
mod limits;
pub mod metric_template;
mod number;
mod query_set;
pub mod validation;

pub use alert_provider::{AlertProvider, AlertProviderSpec};
pub use canary::*;
pub use capabilities::{Capabilities, Feature};
pub use crd::{Crd, CrdError, crds};
pub use duration::{DurationError, parse_duration_ms};
pub use metric_template::{MetricProviderSpec, MetricTemplate, MetricTemplateSpec};
pub use query_set::{DurationUnit, LabelNames, QuerySet};
pub use validation::{
    Defect, Remark, Validation, ValidationContext, is_dns_name, parse, parse_alert_provider,
    parse_metric_template, summary, validate,
};
