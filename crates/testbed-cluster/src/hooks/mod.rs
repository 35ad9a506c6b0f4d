//! The load tester's stand-in: answers the hooks of the guides without a shell.
//!
//! Commands are those that the guides use (see [`command`]). `bash` hooks are carried out and answer 200, or 500
//! `command <cmd> failed: …`; `cmd` hooks are accepted with 202 and can be carried out in the background, each only
//! once at a time. Status codes and texts are those of the load tester. Not done:
//! gates, `helm`, `kubectl`, `concord`, `ngrinder`, `grpc_health_probe`, any other program.

mod command;
mod curl;
mod hey;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use serde_json::Value;
use tokio::task::JoinSet;

use super::network::{Handler, Network, Refused, lock, plain};
use super::view;

/// How long a command may run (the load tester's flag `-timeout`).
const TIME_LIMIT: Duration = Duration::from_secs(60 * 60);
/// The namespace that the load tester lives in.
const NAMESPACE: &str = "test";

/// Answers hooks.
#[derive(Debug)]
pub(crate) struct LoadTester {
    network: Network,
    /// Whether `cmd` hooks are carried out.
    runs_load: bool,
    running: Arc<Mutex<BTreeSet<String>>>,
    tasks: Mutex<JoinSet<()>>,
}

impl LoadTester {
    /// A load tester that sends its requests over `network`.
    pub fn new(network: Network, runs_load: bool) -> Self {
        LoadTester { network, runs_load, running: Arc::default(), tasks: Mutex::default() }
    }

    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        if request.uri().path() == "/healthz" {
            return plain(StatusCode::OK, "OK");
        }
        let Some((payload, metadata)) = read(request.body()) else {
            return plain(StatusCode::BAD_REQUEST, "");
        };
        if metadata.as_object().is_none_or(serde_json::Map::is_empty) {
            return plain(StatusCode::BAD_REQUEST, "metadata not found in payload");
        }
        let text = view::text(&metadata, "/cmd");
        match view::text(&metadata, "/type") {
            "" | "cmd" if text.is_empty() => plain(StatusCode::BAD_REQUEST, "cmd not found in metadata"),
            "" | "cmd" => {
                self.accept(&payload, text);
                plain(StatusCode::ACCEPTED, "")
            }
            "bash" => {
                let returned = is_true(view::text(&metadata, "/returnCmdOutput"));
                match run(text, &self.network).await {
                    Ok(output) => plain(StatusCode::OK, if returned { output } else { String::new() }),
                    Err(failure) => {
                        plain(StatusCode::INTERNAL_SERVER_ERROR, format!("command {text} failed: {failure}"))
                    }
                }
            }
            other => plain(StatusCode::BAD_REQUEST, format!("unknown task type {other}")),
        }
    }

    /// Starts a command in the background, unless the same one is running.
    fn accept(&self, payload: &Value, text: &str) {
        let task = format!("{}.{}{text}", view::text(payload, "/name"), view::text(payload, "/namespace"));
        if !self.runs_load || !lock(&self.running).insert(task.clone()) {
            return;
        }
        let (running, network, text) = (Arc::clone(&self.running), self.network.clone(), text.to_owned());
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            if let Err(failure) = run(&text, &network).await {
                tracing::warn!(command = text, failure, "a hook's command failed");
            }
            lock(&running).remove(&task);
        });
    }
}

/// Runs a command line, as long as it may.
async fn run(line: &str, network: &Network) -> Result<String, String> {
    let killed = |_| Err(": signal: killed".to_owned());
    tokio::time::timeout(TIME_LIMIT, command::run(line, network)).await.unwrap_or_else(killed)
}

/// What the contract takes for true.
fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// An address with a scheme, and with the load tester's namespace when its host has none.
fn qualified(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let end = rest.find([':', '/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let namespace = if host.contains('.') { String::new() } else { format!(".{NAMESPACE}") };
    format!("{scheme}://{host}{namespace}{path}")
}

/// The payload and its metadata, whose values must all be text.
fn read(body: &Bytes) -> Option<(Value, Value)> {
    let payload: Value = serde_json::from_slice(body).ok()?;
    let fields = payload.as_object()?;
    let metadata = fields.get("metadata").cloned().unwrap_or_default();
    let values = metadata.as_object().into_iter().flat_map(serde_json::Map::values);
    let names = ["name", "namespace"].iter().filter_map(|name| fields.get(*name));
    values.chain(names).all(Value::is_string).then_some((payload, metadata))
}

impl Handler for LoadTester {
    fn call(&self, _port: u16, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Refused>> {
        self.answer(request).map(Ok).boxed()
    }
}
