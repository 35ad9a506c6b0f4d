//! An API server that kills the operator: requests are passed on until a write that is to be the last of that process.
//!
//! Each life of an operator gets a proxy of its own. A write is the last one either before it was passed on, or after
//! it was applied and before its answer came: the two things that can be true when a process dies at a write.
//! What was not sent is let through the next time, or nothing would ever happen.

use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use kube::Client;
use tokio::{net::TcpListener, sync::Notify, task::JoinSet};

/// When the operator dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// At every write, before it is sent.
    Unsent,
    /// At every write, applied and not answered.
    Unanswered,
}

/// Largest request, in bytes.
const LARGEST: usize = 4 << 20;

/// One life of an operator.
pub struct Proxy {
    /// What the operator takes for the API server.
    pub url: String,
    dies: Arc<Notify>,
    _tasks: JoinSet<()>,
}

/// What operators have died at since the last write that was applied.
pub type Fatal = Arc<Mutex<BTreeSet<String>>>;

#[derive(Clone)]
struct Life {
    client: Client,
    death: Death,
    fatal: Fatal,
    over: Arc<AtomicBool>,
    dies: Arc<Notify>,
}

impl Proxy {
    /// Begins a life; `fatal` is shared by all lives.
    pub async fn start(client: &Client, death: Death, fatal: &Fatal) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let dies = Arc::new(Notify::new());
        let life = Life {
            client: client.clone(),
            death,
            fatal: Arc::clone(fatal),
            over: Arc::default(),
            dies: Arc::clone(&dies),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, Router::new().fallback(pass).with_state(life)).await {
                eprintln!("the proxy has ended: {error}");
            }
        });
        Ok(Proxy { url, dies, _tasks: tasks })
    }

    /// Waits for the write that is to be the last.
    pub async fn dies(&self) {
        self.dies.notified().await;
    }
}

impl Life {
    /// Whether no operator has died at this write yet.
    fn is_new(&self, write: &str) -> bool {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).insert(write.to_owned())
    }

    /// The process is as good as dead: nothing goes in or out any more.
    async fn end(&self) -> Response {
        self.over.store(true, Ordering::SeqCst);
        self.dies.notify_one();
        std::future::pending().await
    }
}

async fn pass(State(life): State<Life>, request: Request) -> Response {
    let writes = request.method() != Method::GET;
    if life.over.load(Ordering::SeqCst) {
        return std::future::pending().await;
    }
    let (mut parts, body) = request.into_parts();
    parts.headers = end_to_end(&parts.headers);
    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    if writes && life.death == Death::Unsent && life.is_new(&format!("{} {path}", parts.method)) {
        return life.end().await;
    }
    let Ok(uri) = path.parse() else { return StatusCode::BAD_REQUEST.into_response() };
    parts.uri = uri;
    let Ok(body) = axum::body::to_bytes(body, LARGEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = Request::from_parts(parts, kube::client::Body::from(body.to_vec()));
    let sent = life.client.send(request).await;
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) => return (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    };
    if writes && answer.status().is_success() {
        life.fatal.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if life.death == Death::Unanswered {
            return life.end().await;
        }
    }
    let (mut parts, body) = answer.into_parts();
    parts.headers = end_to_end(&parts.headers);
    Response::from_parts(parts, Body::new(body))
}

/// The headers that are not about one connection.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    for name in [
        header::HOST,
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::CONTENT_LENGTH,
        header::AUTHORIZATION,
    ] {
        kept.remove(name);
    }
    kept
}
