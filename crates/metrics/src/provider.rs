//! The trait of metric servers, and an adapter for those that answer one HTTP request.

use async_trait::async_trait;
use vexil_egress::{Reply, Request};

use crate::{Environment, QueryError};

/// One query of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// The rendered template.
    pub text: &'a str,
    /// The metric's `interval`, in milliseconds. Servers whose queries have no range of their own get one from it.
    pub interval_ms: u64,
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// The same text for each query of one check of one Canary, and another for every other check.
    pub check: &'a str,
}

impl Query<'_> {
    /// The range that Flagger gives servers whose queries have none: ten intervals up to now, in whole seconds.
    pub(crate) fn window_s(&self) -> (u64, u64) {
        let to = self.now_ms / 1_000;
        (to.saturating_sub(self.interval_ms.saturating_mul(10) / 1_000), to)
    }
}

/// A source of numbers.
#[async_trait]
pub trait MetricProvider: Send + Sync {
    /// Checks what can be known of a query without sending it. It is called before the first rollout.
    ///
    /// # Errors
    /// [`QueryError::Query`] with what the user has to correct.
    fn check(&self, _query: &str) -> Result<(), QueryError> {
        Ok(())
    }

    /// The one number that a query returns. A number that is not finite counts as no value.
    ///
    /// # Errors
    /// [`QueryError::NoValues`] when there is no data, the others when there is no certain answer.
    async fn query(&self, environment: &Environment<'_>, query: &Query<'_>) -> Result<f64, QueryError>;

    /// Whether queries can be expected to work.
    ///
    /// # Errors
    /// Why they cannot.
    async fn online(&self, environment: &Environment<'_>) -> Result<(), QueryError>;
}

/// A metric server that answers one HTTP request with one document: most do. Implementors do no IO; those that need
/// several requests implement [`MetricProvider`] itself.
pub trait HttpProvider: Send + Sync {
    /// As [`MetricProvider::check`].
    ///
    /// # Errors
    /// [`QueryError::Query`] with what the user has to correct.
    fn check(&self, _query: &str) -> Result<(), QueryError> {
        Ok(())
    }

    /// The request for a query.
    fn request(&self, query: &Query<'_>) -> Request;

    /// The number in its reply.
    ///
    /// # Errors
    /// As [`MetricProvider::query`].
    fn parse(&self, reply: &Reply) -> Result<f64, QueryError>;

    /// A request whose reply shows whether the server works.
    fn probe(&self) -> Request;

    /// Whether its reply shows a working server.
    ///
    /// # Errors
    /// Why they cannot.
    fn parse_probe(&self, reply: &Reply) -> Result<(), QueryError>;
}

#[async_trait]
impl<P: HttpProvider> MetricProvider for P {
    fn check(&self, query: &str) -> Result<(), QueryError> {
        HttpProvider::check(self, query)
    }

    async fn query(&self, environment: &Environment<'_>, query: &Query<'_>) -> Result<f64, QueryError> {
        HttpProvider::check(self, query.text)?;
        let reply = environment.transport.call(self.request(query)).await?;
        kept(&reply, self.parse(&reply))
    }

    async fn online(&self, environment: &Environment<'_>) -> Result<(), QueryError> {
        match environment.transport.call(self.probe()).await {
            Ok(reply) => kept(&reply, self.parse_probe(&reply)),
            Err(error) => {
                Err(QueryError::Offline(format!("running query failed: {}", QueryError::Call(error))))
            }
        }
    }
}

/// Of a reply that is for the operator's pod alone, no error repeats the text.
pub(crate) fn kept<T>(reply: &Reply, result: Result<T, QueryError>) -> Result<T, QueryError> {
    result.map_err(|error| if reply.private { error.without_reply_text() } else { error })
}
