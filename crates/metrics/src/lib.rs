//! Metric checks: what is asked, of whom, and what the answer means for the canary (`metrics.md`).
//!
//! [`vexil_api::checks`] lists the checks of an analysis, in order; [`needs`] says which objects a check depends on; [`check()`] asks
//! and judges, and [`available`] only asks whether asking will work. The event texts are composed here, where the
//! thresholds are known. A query of a mesh is one file in `builtin`, a kind of metric server one file in `providers`;
//! each has one line in a list beside it. An operator can add kinds and queries of its own ([`MetricCatalog`]).

mod available;
mod builtin;
mod catalog;
mod check;
mod checks;
mod credentials;
mod judge;
mod lookup;
mod number;
mod provider;
mod providers;
mod subject;
mod template;

pub use available::{Unavailable, available, server_available};
pub use catalog::{BuildProvider, MetricCatalog};
pub use check::{Checked, check};
pub use checks::needs;
pub use credentials::Credentials;
pub use lookup::NotKnown;
pub use provider::{HttpProvider, MetricProvider, QueryError};
pub use providers::ProviderError;
pub use subject::Subject;
pub use template::{Template, TemplateError};
pub use vexil_api::{DurationUnit, QuerySet};
