//! Why a query gave no number, one variant for each way in which the caller can react.

use vexil_egress::CallError;

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
    /// The query is not one that the server can be sent; its author has to correct it.
    #[error("{0}")]
    Query(String),
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
    /// A step before the query failed, such as the request for a token.
    #[error("{step}: {source}")]
    Before {
        /// What was tried.
        step: &'static str,
        /// Why it failed.
        source: Box<QueryError>,
    },
}

impl QueryError {
    /// The same error of a step before the query.
    pub(crate) fn before(self, step: &'static str) -> Self {
        QueryError::Before { step, source: Box::new(self) }
    }

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
            QueryError::Before { step, source } => source.without_reply_text().before(step),
            error @ (QueryError::NoValues
            | QueryError::ManyValues
            | QueryError::ManySeries(_)
            | QueryError::Query(_)
            | QueryError::Call(_)) => error,
        }
    }
}
