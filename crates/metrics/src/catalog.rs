//! The kinds of metric servers that an operator supports. The list is open: an operator adds its own to those of this
//! crate.

use vexil_api::MetricProviderSpec;

use crate::{Credentials, MetricProvider, ProviderError, providers};

/// Makes a provider of the user's `spec.provider` block and the data of its secret.
///
/// # Errors
/// What the user has to correct.
pub type BuildProvider =
    fn(&MetricProviderSpec, Option<&Credentials>) -> Result<Box<dyn MetricProvider>, ProviderError>;

/// The kinds of metric servers that an operator supports, by the `spec.provider.type` of a MetricTemplate.
#[derive(Clone, Debug)]
pub struct MetricCatalog {
    providers: Vec<(&'static str, BuildProvider)>,
}

/// Everything that this crate has.
impl Default for MetricCatalog {
    fn default() -> Self {
        MetricCatalog { providers: providers::PROVIDERS.to_vec() }
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
