//! The `flagger.app` custom resources as Rust types, with validation that names every defect.
//!
//! The types hold what the manifest says and nothing else: every field may be absent, nothing is defaulted when reading
//! and nothing is added when writing. Accessors give the effective value of a field (`canary/defaults.rs`).

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
pub use query_set::{DurationUnit, QuerySet};
pub use validation::{
    Defect, Remark, Validation, ValidationContext, is_dns_name, parse, parse_alert_provider,
    parse_metric_template, summary, validate,
};
