//! The kinds of metric servers and the sets of built-in queries that an operator supports. Both lists are open: an operator adds
//! its own to those of this crate.

use vexil_api::MetricProviderSpec;

use crate::{Credentials, MetricProvider, ProviderError, QuerySet, builtin, providers};

/// Makes a provider of the user's `spec.provider` block and the data of its secret.
///
/// # Errors
/// What the user has to correct.
pub type BuildProvider =
    fn(&MetricProviderSpec, Option<&Credentials>) -> Result<Box<dyn MetricProvider>, ProviderError>;

/// The kinds of metric servers and the sets of built-in queries that an operator supports.
///
/// ```
/// use vexil_metrics::{MetricCatalog, QuerySet, Unit};
///
/// static QUERIES: QuerySet = QuerySet {
///     name: "mine",
///     success_rate: r#"sum(rate(ok{app="{{ target }}"}[{{ interval }}]))"#,
///     duration: r#"avg(seconds{app="{{ target }}"})"#,
///     duration_unit: Unit::Seconds,
/// };
/// let catalog = MetricCatalog::default().with_queries(&QUERIES);
/// assert!(catalog.queries("mine").is_some() && catalog.queries("traefik").is_some());
/// ```
#[derive(Clone, Debug)]
pub struct MetricCatalog {
    providers: Vec<(&'static str, BuildProvider)>,
    queries: Vec<&'static QuerySet>,
}

/// Everything that this crate has.
impl Default for MetricCatalog {
    fn default() -> Self {
        MetricCatalog { providers: providers::PROVIDERS.to_vec(), queries: builtin::SETS.to_vec() }
    }
}

impl MetricCatalog {
    /// Adds a kind of metric server, by the `spec.provider.type` that users write. It replaces one of the same type.
    #[must_use]
    pub fn with_provider(mut self, type_: &'static str, build: BuildProvider) -> Self {
        self.providers.retain(|(known, _)| *known != type_);
        self.providers.push((type_, build));
        self
    }

    /// Adds a set of built-in queries, by the name that a router has for it. It replaces one of the same name.
    #[must_use]
    pub fn with_queries(mut self, queries: &'static QuerySet) -> Self {
        self.queries.retain(|known| known.name != queries.name);
        self.queries.push(queries);
        self
    }

    /// The set of built-in queries of this name.
    pub fn queries(&self, name: &str) -> Option<&'static QuerySet> {
        self.queries.iter().copied().find(|set| set.name == name)
    }

    /// Makes the provider of a MetricTemplate.
    ///
    /// # Errors
    /// If the type is unknown, or what the provider has to object.
    pub fn provider(
        &self,
        spec: &MetricProviderSpec,
        credentials: Option<&Credentials>,
    ) -> Result<Box<dyn MetricProvider>, ProviderError> {
        match self.providers.iter().find(|(type_, _)| *type_ == spec.type_) {
            Some((_, build)) => build(spec, credentials),
            None => Err(ProviderError::Unsupported(spec.type_.clone())),
        }
    }
}
