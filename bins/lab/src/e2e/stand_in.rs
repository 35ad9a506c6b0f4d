//! The metric server and the receiver of hooks, on the loopback: each scene says what they answer.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// What is answered in one namespace.
#[derive(Clone, Debug)]
pub struct Script {
    /// What the metric server answers.
    pub metrics: Answer,
    /// Hooks that say no, by name.
    pub refused: Vec<String>,
    /// The hooks that were called, by name and phase.
    pub called: Vec<String>,
}

/// What the metric server answers.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// This success rate, and 100 ms.
    Success(&'static str),
    /// This as the value of everything.
    Value(&'static str),
    /// No series.
    Nothing,
    /// Two series.
    Many,
    /// A page for people.
    Page,
    /// 500.
    Error,
}

/// Both servers. Clones share what is scripted.
#[derive(Clone)]
pub struct StandIn {
    scripts: Arc<Mutex<BTreeMap<String, Script>>>,
    address: SocketAddr,
}

impl StandIn {
    /// Starts both; they end with `tasks`.
    pub async fn start(tasks: &mut JoinSet<()>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let stand_in = StandIn { scripts: Arc::default(), address: listener.local_addr()? };
        let routes = Router::new()
            .route("/api/v1/query", get(query))
            .route("/api/v1/status/flags", get(|| async { Json(json!({"status": "success", "data": {}})) }))
            .route("/hook/{namespace}/{name}", post(hook))
            .with_state(stand_in.clone());
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                eprintln!("the stand-in has ended: {error}");
            }
        });
        Ok(stand_in)
    }

    /// The address of the metric server.
    pub fn metrics(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of a hook.
    pub fn hook(&self, namespace: &str, name: &str) -> String {
        format!("http://{}/hook/{namespace}/{name}", self.address)
    }

    /// Reads or changes what is answered in a namespace.
    pub fn script<T>(&self, namespace: &str, change: impl FnOnce(&mut Script) -> T) -> T {
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        change(scripts.entry(namespace.to_owned()).or_insert_with(|| Script {
            metrics: Answer::Success("100"),
            refused: Vec::new(),
            called: Vec::new(),
        }))
    }

    /// Every query names the namespace, each product's in its own way; Skipper's series have no hyphens in names. One
    /// name may be a part of another.
    fn asked_about(&self, query: &str) -> Option<String> {
        let scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        let names =
            |namespace: &str| query.contains(namespace) || query.contains(&namespace.replace('-', "_"));
        let named = scripts.keys().filter(|namespace| names(namespace));
        named.max_by_key(|namespace| namespace.len()).cloned()
    }
}

async fn query(State(this): State<StandIn>, Query(asked): Query<BTreeMap<String, String>>) -> Response {
    let query = asked.get("query").map(String::as_str).unwrap_or_default();
    let namespace = this.asked_about(query);
    let answer = namespace.map_or(Answer::Value("1"), |namespace| this.script(&namespace, |s| s.metrics));
    match answer {
        // 100 ms, in the unit of the series.
        Answer::Success(_) if query.contains("quantile") => {
            let seconds = query.contains("_seconds_bucket") && !query.contains("* 1000");
            series(if seconds { &["0.1"] } else { &["100"] })
        }
        Answer::Success(value) | Answer::Value(value) => series(&[value]),
        Answer::Nothing => series(&[]),
        Answer::Many => series(&["100", "50"]),
        Answer::Page => Html("<html>sign in first</html>").into_response(),
        Answer::Error => (StatusCode::INTERNAL_SERVER_ERROR, "out of memory").into_response(),
    }
}

fn series(values: &[&str]) -> Response {
    let result: Vec<Value> = values.iter().map(|value| json!({"metric": {}, "value": [1, value]})).collect();
    Json(json!({"status": "success", "data": {"resultType": "vector", "result": result}})).into_response()
}

async fn hook(
    State(this): State<StandIn>,
    Path((namespace, name)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let payload: Value = serde_json::from_slice(&body).unwrap_or_default();
    let phase = payload.get("phase").and_then(Value::as_str).unwrap_or_default().to_owned();
    let refused = this.script(&namespace, |script| {
        script.called.push(format!("{name} {phase}"));
        script.refused.contains(&name)
    });
    match refused {
        true => (StatusCode::FORBIDDEN, "not today").into_response(),
        false => "ok".into_response(),
    }
}
