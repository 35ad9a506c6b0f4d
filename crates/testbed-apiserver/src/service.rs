//! The server as a tower service: every request goes through here, from whichever client.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, HttpBody};
use futures::StreamExt as _;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;

use super::{
    answer::{Answer, answer},
    audit::AuditEntry,
    errors::Status,
    faults::{FaultAction, Loss},
    request::Request,
    server::Inner,
};

/// A connection to the server that needs no socket.
#[derive(Clone)]
pub(crate) struct Service {
    server: Arc<Inner>,
    user_agent: Option<String>,
}

impl Service {
    /// A connection whose requests carry `user_agent`, when given.
    pub fn new(server: Arc<Inner>, user_agent: Option<String>) -> Self {
        Service { server, user_agent }
    }
}

impl<B> tower::Service<http::Request<B>> for Service
where
    B: HttpBody<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let (server, user_agent) = (self.server.clone(), self.user_agent.clone());
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            if let Some(agent) = user_agent.and_then(|agent| HeaderValue::from_str(&agent).ok()) {
                parts.headers.insert(header::USER_AGENT, agent);
            }
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            serve(&server, &Request::new(parts, body)).await
        })
    }
}

/// Answers a request, unless a fault says otherwise.
async fn serve(server: &Arc<Inner>, request: &Request) -> io::Result<Response<Body>> {
    let fault = server.faults.strike(request);
    if let Some(FaultAction::Delay(late)) = fault {
        tokio::time::sleep(late).await;
    }
    let revision = server.state().store.revision();
    let answered = match fault {
        None | Some(FaultAction::Delay(_)) => answer(server, request),
        Some(FaultAction::Answer { code, retry_after }) => faulty(code, retry_after),
        Some(FaultAction::Hang) => {
            record(server, request, 0, revision);
            return std::future::pending().await;
        }
        Some(FaultAction::DropWatches) => {
            server.epoch.ring_next();
            answer(server, request)
        }
        Some(FaultAction::Compact) => {
            server.state().store.compact();
            answer(server, request)
        }
        Some(FaultAction::Replay) => {
            server.state().store.compact();
            server.epoch.ring_next();
            answer(server, request)
        }
        Some(FaultAction::DelayWatch(late)) => answer(server, request).late(late),
        Some(FaultAction::LoseAnswer(loss)) => {
            answer(server, request);
            if let Loss::Timeout = loss {
                faulty(504, None)
            } else {
                record(server, request, 0, revision);
                if let Loss::Silence = loss {
                    return std::future::pending().await;
                }
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        }
    };
    record(server, request, answered.code, revision);
    Ok(answered.into_response())
}

fn faulty(code: u16, retry_after: Option<u32>) -> Answer {
    let (reason, message) = match code {
        403 => ("Forbidden", "forbidden by a fault of the testbed"),
        409 => ("Conflict", "the object has been modified; please apply your changes to the latest version"),
        429 => ("TooManyRequests", "Too many requests, please try again later."),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
        504 => ("Timeout", "the server was unable to return a response in the time allotted"),
        _ => ("InternalError", "an error on the server has prevented the request from succeeding"),
    };
    let mut answer = Answer::refused(&Status::plain(code, reason, message));
    answer.retry_after = retry_after;
    answer
}

fn record(server: &Inner, request: &Request, code: u16, revision: u64) {
    let address = request.address.clone().unwrap_or_default();
    let resource = if address.plural.is_empty() { request.path.clone() } else { address.plural };
    server.audit.record(AuditEntry {
        at: server.clock.now(),
        user_agent: request.header(header::USER_AGENT).to_owned(),
        verb: request.verb().to_owned(),
        group: address.group,
        resource,
        subresource: address.subresource,
        namespace: address.namespace,
        name: address.name,
        code,
        changed: server.state().store.revision() != revision,
    });
}

impl Answer {
    /// The same answer, each piece of it too late.
    fn late(mut self, late: Duration) -> Answer {
        let pieces = std::mem::replace(&mut self.body, Body::empty()).into_data_stream();
        self.body = Body::from_stream(pieces.then(move |piece| async move {
            tokio::time::sleep(late).await;
            piece
        }));
        self
    }

    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        for warning in self.warnings {
            let text = format!("299 - {}", Value::String(warning));
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.append(header::WARNING, value);
            }
        }
        response
    }
}
