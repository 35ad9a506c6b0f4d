//! `concord`: starts a process of a Concord server and waits for it.

use std::time::Duration;

use async_trait::async_trait;
use axum::http::StatusCode;
use serde_json::Value;
use tokio::{io::AsyncReadExt as _, time::timeout};
use vexil_egress::{Request, Transport, parse_url, shown};

use super::{
    Kind, Remote, Work,
    form::form,
    remote::{json, patient, poll},
};
use crate::payload::Metadata;

/// Starts a process and answers when it is done.
pub const KIND: Kind = Kind {
    name: "concord",
    background: false,
    refusal: StatusCode::INTERNAL_SERVER_ERROR,
    read: |metadata| Ok(Work::Remote(Box::new(Concord::read(metadata)?))),
};

/// The longest key that is read, in bytes.
const LONGEST_KEY: u64 = 16 << 10;

/// What is asked of the server.
#[derive(Debug)]
pub struct Concord {
    server: String,
    key_path: String,
    fields: Vec<(String, String)>,
    poll_interval: Duration,
    poll_timeout_s: u64,
}

impl Concord {
    /// Reads the entries of a hook.
    ///
    /// # Errors
    /// Names the entry that is missing or wrong.
    pub fn read(metadata: &Metadata) -> Result<Self, String> {
        let entry = |name: &str| {
            let text = metadata.get(name).filter(|text| !text.is_empty()).cloned();
            text.ok_or_else(|| format!("`{name}` is required with type concord"))
        };
        let (server, org, project) = (entry("server")?, entry("org")?, entry("project")?);
        let (repo, entry_point, key_path) = (entry("repo")?, entry("entrypoint")?, entry("apiKeyPath")?);
        let endpoint = entry("endpoint")?;
        let seconds = |name: &str, default: u64| match metadata.get(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| format!("unable to convert `{name}` to int")),
        };
        let poll_interval = Duration::from_secs(seconds("pollInterval", 5)?.max(1));
        let poll_timeout_s = seconds("pollTimeout", 30)?;
        let mut fields = Vec::from([
            ("org".to_owned(), org),
            ("project".to_owned(), project),
            ("repo".to_owned(), repo),
            ("entryPoint".to_owned(), entry_point),
            ("arguments.endpoint".to_owned(), endpoint),
        ]);
        for (name, value) in metadata.iter().filter(|(name, _)| name.starts_with("arguments.")) {
            if name == "arguments.endpoint" {
                return Err(
                    "You cannot override Endpoint through arguments. You must override Endpoint directly"
                        .to_owned(),
                );
            }
            fields.push((name.clone(), value.clone()));
        }
        let url = parse_url(&server).map_err(|error| error.to_string())?;
        let server = format!("{}/api/v1/process", url.as_str().trim_end_matches('/'));
        Ok(Concord { server, key_path, fields, poll_interval, poll_timeout_s })
    }

    /// The key, without the line end that editors add.
    async fn key(&self) -> Result<String, String> {
        let absent = |_| format!("`apiKeyPath` file doesn't exist {}", self.key_path);
        let file = tokio::fs::File::open(&self.key_path).await.map_err(absent)?;
        let mut key = String::new();
        let read = file.take(LONGEST_KEY).read_to_string(&mut key).await;
        read.map_err(|error| format!("`apiKeyPath` file cannot be read: {error}"))?;
        match key.trim() {
            "" => Err(format!("`apiKeyPath` file is empty {}", self.key_path)),
            key => Ok(key.to_owned()),
        }
    }
}

#[async_trait]
impl Remote for Concord {
    fn shown(&self) -> String {
        let server = parse_url(&self.server).map(|url| shown(&url)).unwrap_or_default();
        let names = ["org", "project", "repo", "entryPoint"];
        let words = self.fields.iter().filter(|(name, _)| names.contains(&name.as_str()));
        let words: Vec<_> = words.map(|(_, value)| value.as_str()).collect();
        format!("concord {server} {}", words.join("/"))
    }

    async fn run(&mut self, out: &dyn Transport) -> Result<(), String> {
        let key = self.key().await?;
        let url = parse_url(&self.server).map_err(|error| error.to_string())?;
        let form = form(&self.fields);
        let start = Request::post(url, form.body)
            .header("Authorization", key.clone())
            .header("Content-Type", form.content_type);
        let reply = out.call(patient(start)).await.map_err(|error| error.to_string())?;
        let id = instance(&json("concord", &reply)?)?;
        let url = parse_url(&format!("{}/{id}", self.server)).map_err(|error| error.to_string())?;
        let status = patient(Request::get(url).header("Authorization", key));
        let polling = poll(out, &status, self.poll_interval, |reply| judge(&json("concord", reply)?, &id));
        match timeout(Duration::from_secs(self.poll_timeout_s), polling).await {
            Ok(result) => result,
            Err(_) => Err(format!("concord process timed out, after {} seconds", self.poll_timeout_s)),
        }
    }

    /// A process that runs on is the server's.
    async fn stop(&mut self, _: &dyn Transport) {}
}

/// The id of what was started. It becomes part of an address, so it may hold nothing but what ids are made of.
fn instance(answer: &Value) -> Result<String, String> {
    if answer.get("ok") == Some(&Value::Bool(false)) {
        return Err("concord did not start the process".to_owned());
    }
    let id = answer.get("instanceId").and_then(Value::as_str).unwrap_or_default();
    let plain = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if plain { Ok(id.to_owned()) } else { Err("concord answered without an instanceId".to_owned()) }
}

/// What a status means: whether it is done, or how it failed. The names are those of Concord's process API.
fn judge(answer: &Value, id: &str) -> Result<bool, String> {
    match answer.get("status").and_then(Value::as_str) {
        Some("FINISHED") => Ok(true),
        Some("FAILED") => Err(format!("concord instanceID: {id} failed")),
        Some("CANCELLED") => Err(format!("concord instanceID: {id} was cancelled")),
        Some("TIMED_OUT") => Err(format!("concord instanceID: {id} timed out")),
        Some(_) => Ok(false),
        None => Err("concord answered without a status".to_owned()),
    }
}

#[cfg(test)]
mod tests;
