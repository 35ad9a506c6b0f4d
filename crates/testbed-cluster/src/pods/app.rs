//! The application in a pod: the HTTP endpoints that the guides use, and `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::measures::Measures;
use super::{Behaviour, HOSTNAME_HEADER, VERSION_HEADER, grpc};
use crate::network::{Handler, Refused, is_grpc, plain};

/// The longest delay that `/delay/{s}` accepts.
const MAX_DELAY: u64 = 60;

/// What the pods of one ReplicaSet share: how much real traffic they got, and the moment they all crash.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    requests: AtomicU64,
    /// Goes up by one with each crash of all of them.
    crashes: AtomicU64,
    changed: Arc<Notify>,
}

impl Fate {
    /// A fate that wakes `changed` at each crash.
    pub fn new(changed: Arc<Notify>) -> Self {
        Fate { changed, ..Fate::default() }
    }

    /// How often all of them have crashed.
    pub fn crashes(&self) -> u64 {
        self.crashes.load(Ordering::SeqCst)
    }

    /// Crashes all of them.
    pub fn crash(&self) {
        self.requests.store(0, Ordering::SeqCst);
        self.crashes.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_one();
    }
}

/// One pod's application.
#[derive(Debug)]
pub(crate) struct App {
    hostname: String,
    behaviour: Behaviour,
    /// Declared container ports; without any it listens everywhere.
    ports: Vec<u16>,
    fate: Arc<Fate>,
    /// The crashes of its fate that it has survived by being restarted.
    lived: AtomicU64,
    running: AtomicBool,
    served: AtomicU64,
    measures: Measures,
}

impl App {
    /// An application that does not run yet.
    pub fn new(hostname: &str, behaviour: Behaviour, ports: Vec<u16>, fate: Arc<Fate>) -> Self {
        App {
            hostname: hostname.to_owned(),
            behaviour,
            ports,
            fate,
            lived: AtomicU64::new(0),
            running: AtomicBool::new(false),
            served: AtomicU64::new(0),
            measures: Measures::default(),
        }
    }

    /// Starts it, or starts it again after a crash.
    pub fn start(&self) {
        self.lived.store(self.fate.crashes(), Ordering::SeqCst);
        self.measures.clear();
        self.running.store(true, Ordering::SeqCst);
    }

    /// Whether it has crashed since it was started.
    pub fn has_crashed(&self) -> bool {
        self.lived.load(Ordering::SeqCst) < self.fate.crashes()
    }

    fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst) && !self.has_crashed()
    }

    async fn serve(&self, port: u16, request: Request<Bytes>) -> Result<Response<Bytes>, Refused> {
        if !self.is_running() || !(self.ports.is_empty() || self.ports.contains(&port)) {
            return Err(Refused);
        }
        let path = request.uri().path().trim_end_matches('/');
        if path == "/metrics" {
            return Ok(plain(StatusCode::OK, self.measures.text()));
        }
        let begun = Instant::now();
        let response = self.handle(path, request.method()).await?;
        self.measures.record(request.method(), path, response.status(), begun.elapsed());
        Ok(if is_grpc(&request) { grpc::answer(response) } else { response })
    }

    async fn handle(&self, path: &str, method: &Method) -> Result<Response<Bytes>, Refused> {
        if is_probe(path) {
            return Ok(self.answer(probe(path, method)));
        }
        let place = self.fate.requests.fetch_add(1, Ordering::SeqCst) + 1;
        if self.behaviour.crash_at.is_some_and(|at| place >= at) {
            self.fate.crash();
            return Err(Refused);
        }
        if !self.behaviour.latency.is_zero() {
            tokio::time::sleep(self.behaviour.latency).await;
        }
        let reply = if self.is_unlucky() {
            (StatusCode::INTERNAL_SERVER_ERROR, json!({"code": 500, "message": "internal error"}))
        } else {
            self.route(path).await
        };
        // It may have crashed while this request waited.
        if self.is_running() { Ok(self.answer(reply)) } else { Err(Refused) }
    }

    /// Spreads the errors evenly: `n` requests hold `n * percent / 100` of them, whatever `n`.
    fn is_unlucky(&self) -> bool {
        let percent = self.behaviour.error_percent;
        let before = self.served.fetch_add(1, Ordering::SeqCst);
        (before + 1) * percent / 100 > before * percent / 100
    }

    async fn route(&self, path: &str) -> (StatusCode, Value) {
        let number = |prefix: &str| path.strip_prefix(prefix)?.parse::<u64>().ok();
        if let Some(code) = number("/status/") {
            let code = u16::try_from(code).ok().and_then(|code| StatusCode::from_u16(code).ok());
            let code = code.filter(|code| code.as_u16() >= 200).unwrap_or(StatusCode::BAD_REQUEST);
            return (code, json!({"status": code.as_u16()}));
        }
        if let Some(seconds) = number("/delay/") {
            tokio::time::sleep(Duration::from_secs(seconds.min(MAX_DELAY))).await;
            return (StatusCode::OK, json!({"delay": seconds.min(MAX_DELAY)}));
        }
        match path {
            "" | "/api/info" => {
                let greeting = format!("greetings from {}", self.behaviour.version);
                let body = json!({
                    "hostname": self.hostname, "version": self.behaviour.version, "message": greeting,
                });
                (StatusCode::OK, body)
            }
            grpc::HEALTH => (StatusCode::OK, json!({})),
            _ => (StatusCode::NOT_FOUND, json!({"code": 404, "message": "not found"})),
        }
    }

    fn answer(&self, (status, mut body): (StatusCode, Value)) -> Response<Bytes> {
        if let (true, Some(body)) = (body.get("version") == Some(&Value::Null), body.as_object_mut()) {
            body.insert("version".to_owned(), self.behaviour.version.clone().into());
        }
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = status;
        let headers = [
            ("content-type", "application/json; charset=utf-8"),
            (VERSION_HEADER, &self.behaviour.version),
            (HOSTNAME_HEADER, &self.hostname),
        ];
        for (name, value) in headers {
            if let Ok(value) = http::HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/version" | "/token")
}

fn probe(path: &str, method: &Method) -> (StatusCode, Value) {
    match path {
        "/token" if *method != Method::POST => {
            (StatusCode::METHOD_NOT_ALLOWED, json!({"code": 405, "message": "method not allowed"}))
        }
        "/token" => (StatusCode::OK, json!({"token": "dGVzdGJlZA.c2lnbmVk.bm90aGluZw", "expires_in": 3600})),
        "/version" => (StatusCode::OK, json!({"version": null, "commit": "unknown"})),
        _ => (StatusCode::OK, json!({"status": "OK"})),
    }
}

impl Handler for App {
    fn call(&self, port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>> {
        self.serve(port, request).boxed()
    }
}
