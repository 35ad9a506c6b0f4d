//! The trait of metric servers, and an adapter for those that answer one HTTP request.

use async_trait::async_trait;
use vexil_egress::{CallError, Reply, Request, Transport};

/// A source of numbers.
#[async_trait]
pub trait MetricProvider: Send + Sync {
    /// The one number that a query returns. A number that is not finite counts as no value.
    ///
    /// # Errors
    /// [`QueryError::NoValues`] when there is no data, the others when there is no certain answer.
    async fn query(&self, transport: &dyn Transport, query: &str) -> Result<f64, QueryError>;

    /// Whether queries can be expected to work.
    ///
    /// # Errors
    /// Why they cannot.
    async fn online(&self, transport: &dyn Transport) -> Result<(), QueryError>;
}

/// A metric server that answers one HTTP request with one document: most do. Implementors do no IO; the others
/// implement [`MetricProvider`] itself.
pub trait HttpProvider: Send + Sync {
    /// The request for a query.
    fn request(&self, query: &str) -> Request;

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

/// Why a query gave no number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The server has no data: the canary got no request, or the query names no series.
    #[error("no values found")]
    NoValues,
    /// A range of values came where one is needed.
    #[error("query returned multiple values")]
    ManyValues,
    /// Several series came where one is needed.
    #[error("query returned {0} series where one is needed, aggregate them")]
    ManySeries(usize),
    /// No reply.
    #[error("request failed: {0}")]
    Call(#[from] CallError),
    /// The server refused the query or failed.
    #[error("error response: {}{said}", status.as_ref().map(|line| format!("Status {line}: ")).unwrap_or_default())]
    Refused {
        /// The HTTP status line, when that shows it.
        status: Option<String>,
        /// What the server said.
        said: String,
    },
    /// The reply is not what the API promises.
    #[error("error unmarshaling result: {0}")]
    Malformed(String),
    /// The server answers, but not as a working one does.
    #[error("{0}")]
    Offline(String),
}

impl QueryError {
    /// The same error without what the server said, for readers who could not ask it themselves.
    #[must_use]
    pub(crate) fn without_reply_text(self) -> Self {
        const KEPT_BACK: &str = "its text is not repeated here";
        match self {
            QueryError::Refused { status, .. } => QueryError::Refused { status, said: KEPT_BACK.to_owned() },
            QueryError::Malformed(_) => {
                QueryError::Malformed(format!("it is no answer to a query, and {KEPT_BACK}"))
            }
            QueryError::Offline(_) => QueryError::Offline(format!("running query failed; {KEPT_BACK}")),
            other => other,
        }
    }
}

#[async_trait]
impl<P: HttpProvider> MetricProvider for P {
    async fn query(&self, transport: &dyn Transport, query: &str) -> Result<f64, QueryError> {
        self.parse(&transport.call(self.request(query)).await?)
    }

    async fn online(&self, transport: &dyn Transport) -> Result<(), QueryError> {
        match transport.call(self.probe()).await {
            Ok(reply) => self.parse_probe(&reply),
            Err(error) => {
                Err(QueryError::Offline(format!("running query failed: {}", QueryError::Call(error))))
            }
        }
    }
}
