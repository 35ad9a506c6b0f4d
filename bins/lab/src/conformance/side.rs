//! One of the two servers: sends a step to it, and remembers what later steps need of the answers.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use futures::{AsyncBufReadExt as _, StreamExt as _, TryStreamExt as _};
use http::{Method, Request, Response, header};
use http_body_util::BodyExt as _;
use kube::{
    Client, Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use vexil_testbed_apiserver::{ApiServer, Clock, Listening};

use super::{
    kubectl,
    mask::Symbols,
    script::{CONTENTS, Step, Until, fill},
};

/// How long an answer may take to become what a step waits for.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long the next event of a watch may take.
const QUIET: Duration = Duration::from_secs(4);

/// The real server.
pub struct Real<'a> {
    /// Where it is.
    pub kubeconfig: PathBuf,
    /// A folder for kubectl's cache.
    pub scratch: &'a Path,
}

/// A server with what is known of it.
pub struct Side {
    client: Client,
    /// How kubectl finds it.
    pub kubeconfig: PathBuf,
    /// Where kubectl may keep what it learns.
    pub cache: PathBuf,
    /// What `${…}` stands for.
    pub variables: BTreeMap<String, String>,
    /// What this server calls things.
    pub symbols: Symbols,
    /// The testbed's server, when this is it.
    testbed: Option<(ApiServer, Listening)>,
}

impl Side {
    /// A new server of the testbed, on a port of its own.
    pub async fn testbed(scratch: &Path) -> anyhow::Result<Self> {
        let server = ApiServer::new(Clock::starting_at(jiff::Timestamp::now()));
        let listening = server.listen("127.0.0.1:0".parse()?).await?;
        let kubeconfig = scratch.join("testbed.kubeconfig");
        listening.write_kubeconfig(&kubeconfig)?;
        Self::connect(kubeconfig, scratch.join("testbed.cache"), Some((server, listening))).await
    }

    /// The server that a kubeconfig names.
    pub async fn real(real: Real<'_>) -> anyhow::Result<Self> {
        Self::connect(real.kubeconfig, real.scratch.join("real.cache"), None).await
    }

    async fn connect(
        kubeconfig: PathBuf,
        cache: PathBuf,
        testbed: Option<(ApiServer, Listening)>,
    ) -> anyhow::Result<Self> {
        let read = Kubeconfig::read_from(&kubeconfig)
            .with_context(|| format!("cannot use the kubeconfig {}", kubeconfig.display()))?;
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
        let client = Client::try_from(config)?;
        let (variables, symbols) = (BTreeMap::new(), Symbols::default());
        Ok(Side { client, kubeconfig, cache, variables, symbols, testbed })
    }

    /// Forgets what it knew, for a new scene in a new namespace.
    pub fn begin(&mut self, namespace: &str, run: &str) {
        let within = |group: &str| format!("{group}/namespaces/{namespace}");
        self.symbols = Symbols::default();
        self.variables = [
            ("ns", namespace.to_owned()),
            ("run", run.to_owned()),
            ("core", within("/api/v1")),
            ("apps", within("/apis/apps/v1")),
            ("flagger", within("/apis/flagger.app/v1beta1")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
    }

    /// The answer to a step, once it says what the step waits for.
    pub async fn answer(&mut self, step: &Step) -> anyhow::Result<Value> {
        let asked = async {
            loop {
                let answer = self.ask(step).await?;
                if step.until.as_ref().is_none_or(|until| fulfilled(until, &answer)) {
                    return Ok::<_, anyhow::Error>(answer);
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        let answer = match timeout(PATIENCE, asked).await {
            Ok(answer) => answer?,
            Err(_) => json!(format!("never said {:?}", step.until)),
        };
        self.remember(step, &answer);
        Ok(answer)
    }

    async fn ask(&mut self, step: &Step) -> anyhow::Result<Value> {
        match step.verb.as_str() {
            "COMPACT" => {
                if let Some((server, _)) = &self.testbed {
                    server.compact();
                }
                Ok(Value::Null)
            }
            "KUBECTL" => {
                let place = kubectl::Place {
                    kubeconfig: &self.kubeconfig,
                    cache: &self.cache,
                    namespace: self.variables.get("ns").map(String::as_str),
                };
                kubectl::run(place, &fill(&step.target, &self.variables), &self.body(step)?).await
            }
            _ => self.send(step).await,
        }
    }

    /// Sends a request.
    async fn send(&self, step: &Step) -> anyhow::Result<Value> {
        let escaped: BTreeMap<String, String> =
            self.variables.iter().map(|(name, value)| (name.clone(), escape(value))).collect();
        let uri = fill(&step.target, &escaped);
        if uri.contains("${") {
            return Ok(json!(format!("{uri}: nothing has set this variable")));
        }
        let mut request = Request::builder()
            .method(Method::from_bytes(step.verb.as_bytes())?)
            .uri(&uri)
            .header(header::USER_AGENT, "conformance/1");
        if !step.accept.is_empty() {
            request = request.header(header::ACCEPT, &step.accept);
        }
        if !step.body.is_empty() {
            let content = CONTENTS.iter().find(|(short, _)| *short == step.content).map(|(_, full)| *full);
            let content = content.or(step.content.strip_prefix("raw=")).unwrap_or_default();
            request = request.header(header::CONTENT_TYPE, content);
        }
        let response = self.client.send(request.body(Body::from(self.body(step)?))?).await?;
        read(step, response).await.with_context(|| format!("{} {uri}", step.verb))
    }

    /// The body as it is sent.
    pub fn body(&self, step: &Step) -> anyhow::Result<Vec<u8>> {
        let text = fill(&step.body, &self.variables);
        if text.is_empty()
            || step.verb == "KUBECTL"
            || step.content == "yaml"
            || step.content.starts_with("raw=")
        {
            return Ok(text.into_bytes());
        }
        if serde_json::from_str::<Value>(&text).is_ok() {
            return Ok(text.into_bytes());
        }
        // As kubectl reads it: `y` and `on` are texts.
        let options = serde_saphyr::options! { strict_booleans: true };
        let value: Value = serde_saphyr::from_str_with_options(&text, options)
            .with_context(|| format!("the body {text}"))?;
        Ok(serde_json::to_vec(&value)?)
    }

    fn remember(&mut self, step: &Step, answer: &Value) {
        let text = |pointer: &str| match answer.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        };
        let common = [("rv", "resourceVersion"), ("uid", "uid"), ("name", "name")];
        let common = common.map(|(name, field)| (name.to_owned(), format!("/body/metadata/{field}")));
        for (name, pointer) in common.iter().chain(&step.save) {
            if let Some(value) = text(pointer) {
                self.variables.insert(name.clone(), value);
            }
        }
        self.symbols.learn(answer);
    }
}

fn fulfilled(until: &Until, answer: &Value) -> bool {
    match until {
        Until::Code(code) => answer.get("code") == Some(&json!(code)),
        Until::Says(pointer, want) => {
            let said = match answer.pointer(pointer) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            };
            said == *want
        }
    }
}

/// A response as one value: `code`, `type`, `warnings`, and `body` or, of a watch, `events`.
async fn read(step: &Step, response: Response<Body>) -> anyhow::Result<Value> {
    let (parts, body) = response.into_parts();
    let text = |value: &http::HeaderValue| value.to_str().unwrap_or("not text").to_owned();
    let content_type = parts.headers.get(header::CONTENT_TYPE).map(text).unwrap_or_default();
    let warnings: Vec<String> = parts.headers.get_all(header::WARNING).iter().map(text).collect();
    let code = parts.status.as_u16();
    let whole = |field: &str, content: Value| -> Value {
        json!({"code": code, "type": content_type, "warnings": warnings, field: content})
    };
    let json = content_type.starts_with("application/json");
    if let Some(count) = step.events.filter(|_| parts.status.is_success()) {
        let stream = body.into_data_stream().map_err(std::io::Error::other);
        let mut lines = stream.into_async_read().lines();
        let mut events: Vec<Value> = Vec::new();
        while events.len() < count
            && let Ok(Some(line)) = timeout(QUIET, lines.next()).await
        {
            events.push(serde_json::from_str(&line?)?);
        }
        return Ok(whole("events", events.into()));
    }
    let bytes = body.collect().await?.to_bytes();
    let body = match json && !bytes.is_empty() {
        true => serde_json::from_slice(&bytes)?,
        false => String::from_utf8_lossy(&bytes).into(),
    };
    Ok(whole("body", body))
}

/// Escapes what cannot stand in a query.
fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:,".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
