//! `ngrinder`: clones and starts a performance test of an nGrinder server and waits for it.

use std::time::Duration;

use async_trait::async_trait;
use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use vexil_api::parse_duration_ms;
use vexil_egress::{Method, Request, Secret, Transport, Url, parse_url, shown};

use super::{
    Kind, Remote, Work,
    remote::{json, patient, poll},
};
use crate::payload::Metadata;

/// Starts a test, answered at once.
pub const KIND: Kind = Kind {
    name: "ngrinder",
    background: true,
    refusal: StatusCode::BAD_REQUEST,
    read: |metadata| Ok(Work::Remote(Box::new(Ngrinder::read(metadata)?))),
};

/// How often the status is asked for, unless the hook says otherwise.
const POLL: Duration = Duration::from_secs(1);
/// More often would be an attack.
const FASTEST_POLL: Duration = Duration::from_millis(100);
/// How long a stop may take: something is being shut down.
const STOP_MS: u64 = 5_000;

/// What is asked of the server.
#[derive(Debug)]
pub struct Ngrinder {
    /// Ends with a slash.
    api: String,
    clone: i64,
    authorization: Secret,
    poll_interval: Duration,
    /// The test that was started and may still run.
    running: Option<u64>,
}

impl Ngrinder {
    /// Reads the entries of a hook.
    ///
    /// # Errors
    /// Names the entry that is missing or wrong.
    pub fn read(metadata: &Metadata) -> Result<Self, String> {
        let entries = ["server", "clone", "username", "passwd"].map(|name| metadata.get(name));
        let [Some(server), Some(clone), Some(user), Some(password)] = entries else {
            return Err("server, clone, username and passwd are required metadata".to_owned());
        };
        let url = parse_url(server).map_err(|error| format!("invalid url: {error}"))?;
        let clone = clone.parse().map_err(|error| format!("metadata clone must be integer: {error}"))?;
        let password = STANDARD.decode(password.trim()).map_err(|error| format!("{error}"));
        let password = password.and_then(|bytes| String::from_utf8(bytes).map_err(|error| error.to_string()));
        let password = password.map_err(|error| format!("metadata password is invalid: {error}"))?;
        let poll_ms = metadata.get("pollInterval").and_then(|text| parse_duration_ms(text).ok());
        let poll_interval = poll_ms.map_or(POLL, Duration::from_millis).max(FASTEST_POLL);
        let authorization = Secret::new(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
        let api = format!("{}/perftest/api/", url.as_str().trim_end_matches('/'));
        Ok(Ngrinder { api, clone, authorization, poll_interval, running: None })
    }

    fn url(&self, path: &str) -> Result<Url, String> {
        parse_url(&format!("{}{path}", self.api)).map_err(|error| error.to_string())
    }

    fn signed(&self, request: Request) -> Request {
        patient(request).header("Authorization", self.authorization.expose())
    }
}

#[async_trait]
impl Remote for Ngrinder {
    fn shown(&self) -> String {
        let server = parse_url(&self.api).map(|url| shown(&url)).unwrap_or_default();
        format!("ngrinder {server}{}", self.clone)
    }

    async fn run(&mut self, out: &dyn Transport) -> Result<(), String> {
        let start = Request::post(self.url(&format!("{}/clone_and_start", self.clone))?, Vec::new());
        let reply = out.call(self.signed(start)).await.map_err(|error| error.to_string())?;
        let started = accepted(json("ngrinder", &reply)?)?;
        let id = started.get("id").and_then(Value::as_u64);
        let id = id.ok_or("ngrinder answered without a numeric id")?;
        self.running = Some(id);
        let status = self.signed(Request::get(self.url(&format!("{id}/status"))?));
        poll(out, &status, self.poll_interval, |reply| judge(&json("ngrinder", reply)?, id)).await?;
        self.running = None;
        Ok(())
    }

    async fn stop(&mut self, out: &dyn Transport) {
        let Some(id) = self.running.take() else { return };
        let Ok(url) = self.url(&format!("{id}?action=stop")) else { return };
        let stop = Request { method: Method::Put, ..self.signed(Request::get(url)) };
        if let Err(error) = out.call(Request { deadline_ms: STOP_MS, ..stop }).await {
            tracing::warn!("ngrinder test {id} could not be stopped: {error}");
        }
    }
}

/// The answer, unless it says that it is a failure.
fn accepted(answer: Value) -> Result<Value, String> {
    if answer.get("success") != Some(&Value::Bool(false)) {
        return Ok(answer);
    }
    let cause = answer.get("message").or_else(|| answer.get("cause")).and_then(Value::as_str);
    Err(format!("ngrinder refused: {}", cause.unwrap_or("no reason given")))
}

/// What a status means: whether it is done, or how it failed. The names are those of nGrinder's `Status`.
fn judge(answer: &Value, id: u64) -> Result<bool, String> {
    let answer = accepted(answer.clone())?;
    let status = answer.pointer("/status/0/status_id").and_then(Value::as_str);
    match status.ok_or_else(|| format!("ngrinder answered without the status of test {id}"))? {
        "FINISHED" | "FINISHED_WITH_WARNING" => Ok(true),
        failed @ ("STOP_BY_ERROR" | "STOP_ON_ERROR" | "CANCELED" | "UNKNOWN") => {
            Err(format!("ngrinder test {id} ended as {failed}"))
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests;
