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

    /// 400: the caller has to correct its request.
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

    /// The result of a task whose caller waits for it.
    pub fn result(task: &Task, outcome: &Outcome, timeout: &str) -> Self {
        match outcome.end {
            End::Succeeded if task.returns_output => Reply::ok(outcome.output.clone()),
            End::Succeeded => Reply::ok(""),
            _ => {
                let output = if task.returns_output { &outcome.output } else { &end_of(&outcome.output) };
                let text = task.work.failure(output, &outcome.end, timeout);
                Reply::new(StatusCode::INTERNAL_SERVER_ERROR, text)
            }
        }
    }
}

/// How much output a failure shows unless it is asked for, in bytes. The operator shows the first KiB of an answer, and
/// how the command ended comes after its output.
const SHOWN: usize = 512;

/// The end of a text, from the beginning of a line where there is one.
fn end_of(text: &str) -> String {
    let Some(cut) = text.len().checked_sub(SHOWN).filter(|cut| *cut > 0) else { return text.to_owned() };
    let end = text.get(text.ceil_char_boundary(cut)..).unwrap_or_default();
    let end = end.split_once('\n').filter(|(_, rest)| !rest.is_empty()).map_or(end, |(_, rest)| rest);
    format!("[... the log has more ...]\n{end}")
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        (self.status, self.text).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_the_last_lines() {
        let line = "not ok 1 - the canary answers\n";
        assert_eq!(end_of(line), line);
        assert_eq!(end_of(&"x".repeat(SHOWN)), "x".repeat(SHOWN));
        let expect = format!("[... the log has more ...]\n{}", line.repeat(17));
        assert_eq!(end_of(&line.repeat(100)), expect);
        assert_eq!(end_of(&"€".repeat(1000)), format!("[... the log has more ...]\n{}", "€".repeat(170)));
        let one_line = "x".repeat(600) + "\n";
        assert_eq!(end_of(&one_line), format!("[... the log has more ...]\n{}\n", "x".repeat(511)));
    }
}
