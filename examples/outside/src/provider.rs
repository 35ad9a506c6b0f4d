//! A metric provider of this controller's own: the value of a query is the number of its letters.

use async_trait::async_trait;
use vexil_api::MetricProviderSpec;
use vexil_metrics::{Credentials, Environment, MetricProvider, ProviderError, Query, QueryError};

/// The `spec.provider.type` of its MetricTemplates.
pub const TYPE: &str = "letters";

/// Makes the provider of a MetricTemplate.
///
/// # Errors
/// Never: it has no address and no credentials.
pub fn build(
    _: &MetricProviderSpec,
    _: Option<&Credentials>,
) -> Result<Box<dyn MetricProvider>, ProviderError> {
    Ok(Box::new(Letters))
}

struct Letters;

#[async_trait]
impl MetricProvider for Letters {
    async fn query(&self, _: &Environment<'_>, query: &Query<'_>) -> Result<f64, QueryError> {
        let letters = u32::try_from(query.text.chars().filter(|c| c.is_alphabetic()).count());
        letters.map(f64::from).map_err(|_| QueryError::NoValues)
    }

    async fn online(&self, _: &Environment<'_>) -> Result<(), QueryError> {
        Ok(())
    }
}
