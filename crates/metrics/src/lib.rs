//! Metric checks: which query goes to which server, and whether its value is within the thresholds.
//!
//! [`vexil_api::checks`] lists the checks of an analysis in order; [`needs`] lists the objects that a check depends on;
//! [`check()`] makes one, and [`available`] finds out whether the servers can be queried at all. The Event texts are
//! composed here, where the thresholds are known. The queries of a mesh are one file in `builtin`, a kind of metric
//! server one file in
//! `providers`; each has one line in the list of its folder. An operator can add its own ([`MetricCatalog`]).
//!
//! ```
//! use vexil_api::MetricProviderSpec;
//! use vexil_metrics::MetricCatalog;
//!
//! let spec = MetricProviderSpec {
//!     type_: "prometheus".to_owned(),
//!     address: Some("http://prometheus.monitoring:9090".to_owned()),
//!     ..MetricProviderSpec::default()
//! };
//! let provider = MetricCatalog::default().provider(&spec, None).expect("a known type with an address");
//! assert!(provider.check("sum(rate(requests[1m]))").is_ok());
//!
//! let unknown = MetricProviderSpec { type_: "abacus".to_owned(), ..spec };
//! assert!(MetricCatalog::default().provider(&unknown, None).is_err());
//! ```

mod available;
mod builtin;
mod catalog;
mod check;
mod checks;
mod credentials;
mod environment;
mod judge;
mod lookup;
mod number;
mod provider;
mod providers;
mod query_error;
mod subject;
mod template;

pub use available::{Unavailable, available, server_available};
pub use catalog::{BuildProvider, MetricCatalog};
pub use check::{Checked, check};
pub use checks::needs;
pub use credentials::Credentials;
pub use environment::{ApiMethod, ApiRequest, Environment, Platform};
pub use lookup::MissingObject;
pub use provider::{HttpProvider, MetricProvider, Query};
pub use providers::ProviderError;
pub use query_error::QueryError;
pub use subject::Subject;
pub use template::{Template, TemplateError};
pub use vexil_api::{DurationUnit, QuerySet};
