//! Answers, as hooks and people read them.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{process::End, process::Outcome, tasks::Task};

/// A status and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub text: String,
}

impl Reply {
    /// An answer.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Reply { status, text: text.into() }
    }

    /// 200.
    pub fn ok(text: impl Into<String>) -> Self {
        Reply::new(StatusCode::OK, text)
    }

    /// 202 without words: it is being done, or has been.
    pub fn accepted() -> Self {
        Reply::new(StatusCode::ACCEPTED, "")
    }

    /// 400: whoever calls has to correct something.
    pub fn bad(text: impl Into<String>) -> Self {
        Reply::new(StatusCode::BAD_REQUEST, text)
    }

    /// 403: a closed gate, or a namespace that may not ask.
    pub fn forbidden() -> Self {
        Reply::new(StatusCode::FORBIDDEN, "Forbidden")
    }

    /// 429: later, perhaps.
    pub fn too_many(text: impl Into<String>) -> Self {
        Reply::new(StatusCode::TOO_MANY_REQUESTS, text)
    }

    /// 503: the process ends.
    pub fn stopping() -> Self {
        Reply::new(StatusCode::SERVICE_UNAVAILABLE, "the load tester is stopping")
    }

    /// A gate that was asked.
    pub fn gate(open: bool) -> Self {
        if open { Reply::ok("Approved") } else { Reply::forbidden() }
    }

    /// What came of a task whose caller waits for it (`loadtester-and-charts.md` A6).
    pub fn result(task: &Task, outcome: &Outcome, timeout: &str) -> Self {
        match outcome.end {
            End::Succeeded if task.returns_output => Reply::ok(outcome.output.clone()),
            End::Succeeded => Reply::ok(""),
            _ => {
                let text = task.work.failure(&outcome.output, &outcome.end, timeout);
                Reply::new(StatusCode::INTERNAL_SERVER_ERROR, text)
            }
        }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        (self.status, self.text).into_response()
    }
}
