//! A service that answers from a list, for tests of the types that call one.

use std::sync::Mutex;

use async_trait::async_trait;
use vexil_egress::{CallError, Reply, Request, Transport};

/// Answers each call with the next of its replies and keeps what was asked.
pub struct StandIn {
    replies: Mutex<Vec<Result<Reply, CallError>>>,
    asked: Mutex<Vec<Request>>,
}

impl StandIn {
    /// Answers with these, in this order; when there is none left, never.
    pub fn new(replies: impl IntoIterator<Item = Result<Reply, CallError>>) -> Self {
        let mut replies: Vec<_> = replies.into_iter().collect();
        replies.reverse();
        StandIn { replies: Mutex::new(replies), asked: Mutex::default() }
    }

    /// With status 200 and these bodies.
    pub fn saying(bodies: &[&str]) -> Self {
        StandIn::new(bodies.iter().map(|body| Ok(Reply::new(200, *body))))
    }

    /// `Post http://host/path`, for each call.
    pub fn calls(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|request| format!("{:?} {}", request.method, request.url)).collect()
    }

    /// The calls.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Transport for StandIn {
    async fn call(&self, request: Request) -> Result<Reply, CallError> {
        self.asked.lock().unwrap().push(request);
        let reply = self.replies.lock().unwrap().pop();
        match reply {
            Some(reply) => reply,
            None => std::future::pending().await,
        }
    }
}

/// A call that got no answer, this time.
pub fn unreachable() -> CallError {
    CallError::Unreachable { host: "server".to_owned(), cause: "connection refused".to_owned() }
}
