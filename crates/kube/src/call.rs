//! One request and its answer, with a bound on time and size, and the API server's words kept.

use std::time::Duration;

use http::{Request, header};
use http_body_util::{BodyExt, Limited};
use kube::{Client, core::Status};
use serde::de::DeserializeOwned;

use crate::watch_error::FailedAnswer;

/// How requests name their sender; requests of the operator are counted by it.
pub(crate) const USER_AGENT: &str = concat!("vexil/", env!("CARGO_PKG_VERSION"));

/// Longest wait for the answer of a read or write of one object.
pub(crate) const OBJECT_LIMIT: Duration = Duration::from_secs(15);

/// Longest wait for one page of a list.
pub(crate) const LIST_LIMIT: Duration = Duration::from_secs(20);

/// Largest answer that is taken, in bytes. A page of a list has at most 500 objects of at most 1.5 MiB, and never
/// reaches that.
pub(crate) const SIZE_LIMIT: usize = 256 << 20;

/// Longest message of the API server that is passed on, in characters.
const MESSAGE_LIMIT: usize = 400;

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The API server answered with an error.
    Status {
        code: u16,
        reason: String,
        message: String,
        /// Whether the answer names an object (or namespace); a 404 that does not is about the resource itself.
        names_object: bool,
        retry_after_ms: Option<u64>,
    },
    /// There was no answer, or none that can be read.
    Lost { message: String },
}

impl Refusal {
    pub(crate) fn lost(message: impl Into<String>) -> Self {
        Refusal::Lost { message: message.into() }
    }
}

/// Sends a request and reads the whole answer.
async fn call(client: &Client, request: Request<Vec<u8>>, limit: Duration) -> Result<Vec<u8>, Refusal> {
    let exchange = async {
        let answer = client.send(signed(request).map(kube::client::Body::from)).await;
        let (head, body) = answer.map_err(|error| lost(&error))?.into_parts();
        let body = Limited::new(body, SIZE_LIMIT).collect().await.map_err(|error| lost(&*error))?.to_bytes();
        if head.status.is_success() {
            return Ok(body.to_vec());
        }
        let retry_after = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        Err(refusal(head.status.as_u16(), retry_after, &body))
    };
    match tokio::time::timeout(limit, exchange).await {
        Ok(result) => result,
        Err(_) => Err(Refusal::lost(format!("no answer within {} s", limit.as_secs()))),
    }
}

/// Sends a request and decodes its answer.
pub(crate) async fn call_json<T: DeserializeOwned>(
    client: &Client,
    request: Request<Vec<u8>>,
    limit: Duration,
) -> Result<T, Refusal> {
    let body = call(client, request, limit).await?;
    serde_json::from_slice(&body).map_err(|error| Refusal::lost(format!("answer is no JSON: {error}")))
}

/// Adds the sender's name.
pub(crate) fn signed(mut request: Request<Vec<u8>>) -> Request<Vec<u8>> {
    request.headers_mut().insert(header::USER_AGENT, http::HeaderValue::from_static(USER_AGENT));
    request
}

/// What an error of the client means. `head` is the head of the answer, where it is known.
pub(crate) fn from_client(error: &kube::Error, head: Option<&FailedAnswer>) -> Refusal {
    match error {
        kube::Error::Api(status) => {
            let retry_after = head.and_then(|head| head.retry_after.as_deref());
            from_status(head.map_or(status.code, |head| head.code), retry_after, status)
        }
        other => lost(other),
    }
}

fn refusal(code: u16, retry_after: Option<&str>, body: &[u8]) -> Refusal {
    match serde_json::from_slice::<Status>(body) {
        Ok(status) => from_status(code, retry_after, &status),
        Err(_) => Refusal::Status {
            code,
            reason: String::new(),
            message: short(String::from_utf8_lossy(body).trim()),
            names_object: false,
            retry_after_ms: retry_after.and_then(milliseconds),
        },
    }
}

/// A [`Refusal`] from what the API server says; `code` is the HTTP one.
pub(crate) fn from_status(code: u16, retry_after: Option<&str>, status: &Status) -> Refusal {
    let details = status.details.as_ref();
    let asked = details.map(|details| u64::from(details.retry_after_seconds)).filter(|seconds| *seconds > 0);
    Refusal::Status {
        code,
        reason: status.reason.clone(),
        message: short(&status.message),
        names_object: details.is_some_and(|details| !details.name.is_empty()),
        retry_after_ms: retry_after.and_then(milliseconds).or(asked.map(|seconds| seconds * 1000)),
    }
}

/// The header in seconds; its other form, a date, is not sent by API servers.
fn milliseconds(retry_after: &str) -> Option<u64> {
    retry_after.trim().parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1000))
}

/// The innermost cause: what is around it only says that a request failed.
fn lost(error: &(dyn std::error::Error + 'static)) -> Refusal {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Refusal::lost(short(&cause.to_string()))
}

fn short(message: &str) -> String {
    let mut short: String =
        message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MESSAGE_LIMIT).collect();
    if message.chars().nth(MESSAGE_LIMIT).is_some() {
        short.push('…');
    }
    short
}
