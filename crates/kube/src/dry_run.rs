//! A client that never writes: reads go to the API server, writes are answered here as if they had been made.
//!
//! What was written is kept in memory and applied to later reads of single objects, so that the next decision goes on
//! from there. There is no validation, no defaulting and no admission: a real write may be refused.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::BodyExt as _;
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tower::BoxError;
use vexil_object::{JsonOp, merge, meta};

/// Versions of what is written here. Above every real one, so that no watch event replaces it.
const VERSIONS: u64 = 1 << 62;

/// The writes that a [`Cluster`](crate::Cluster) would have made. Cheap to clone; all clones share them.
#[derive(Clone, Debug, Default)]
pub struct DryRun(Arc<Mutex<State>>);

/// One write that was not made.
#[derive(Clone, Debug, PartialEq)]
pub struct DryWrite {
    /// `create`, `patch`, `patch status` or `delete`.
    pub verb: &'static str,
    /// Kind of the object; the plural in the path if the object does not say it.
    pub kind: String,
    /// Its namespace; empty for an object without one.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What would have been sent: the object, or the patch without its fence. Null for a deletion.
    pub body: Value,
}

#[derive(Debug, Default)]
struct State {
    /// By the path of their API; `None` is deleted.
    objects: BTreeMap<String, Option<Value>>,
    writes: Vec<DryWrite>,
    count: u64,
}

impl DryRun {
    /// A client that reads with `client`, and what it would have written.
    pub fn over(client: Client) -> (Client, DryRun) {
        let dry_run = DryRun::default();
        let namespace = client.default_namespace().to_owned();
        let inner = dry_run.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (client, dry_run) = (client.clone(), inner.clone());
            async move { dry_run.answer(&client, request).await }
        });
        (Client::new(service, namespace), dry_run)
    }

    /// The writes since the last call, in their order.
    pub fn take_writes(&self) -> Vec<DryWrite> {
        std::mem::take(&mut self.state().writes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, client: &Client, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let path = request.uri().path().to_owned();
        if request.method() == Method::GET {
            let written = self.state().objects.get(&path).cloned();
            return match written {
                Some(Some(object)) => Ok(reply(StatusCode::OK, &object)),
                Some(None) => Ok(refused(StatusCode::NOT_FOUND, "NotFound", &path)),
                None => Ok(client.send(request).await?),
            };
        }
        let (head, body) = request.into_parts();
        let sent = serde_json::from_slice(&body.collect().await?.to_bytes()).unwrap_or_default();
        let write = Sent { method: head.method, path, body: sent };
        let target = write.target();
        // The lock may not be held over the request.
        let written = self.state().objects.get(&target).cloned();
        let live = match written {
            Some(written) => written,
            None => read(client, &target).await?,
        };
        Ok(self.state().make(&write, &target, live))
    }
}

/// A write as it was sent.
struct Sent {
    method: Method,
    path: String,
    body: Value,
}

impl Sent {
    /// The path of the object that it is about.
    fn target(&self) -> String {
        match self.method {
            Method::POST => format!("{}/{}", self.path, meta::text(&self.body, "/metadata/name")),
            _ => self.path.trim_end_matches("/status").to_owned(),
        }
    }

    fn of_status(&self) -> bool {
        self.path.ends_with("/status")
    }

    /// The value of a fence: in the metadata of a merge patch, the first operations of a JSON patch, or the
    /// preconditions of a deletion.
    fn fence(&self, field: &str) -> Option<&str> {
        let merge = self.body.pointer(&format!("/metadata/{field}"));
        let delete = self.body.pointer(&format!("/preconditions/{field}"));
        let path = format!("/metadata/{field}");
        let json = || self.body.as_array()?.iter().find(|op| op["path"] == path.as_str())?.get("value");
        merge.or(delete).or_else(json)?.as_str()
    }

    fn fits(&self, live: &Value) -> bool {
        let same = |field, is: &str| self.fence(field).is_none_or(|fence| fence == is);
        same("uid", meta::uid(live)) && same("resourceVersion", meta::resource_version(live))
    }

    /// What is sent besides the fence.
    fn content(&self) -> Value {
        let fence = |path: &Value| ["/metadata/uid", "/metadata/resourceVersion"].iter().any(|at| path == at);
        let mut content = self.body.clone();
        if let Some(ops) = content.as_array_mut() {
            ops.retain(|op| !fence(&op["path"]));
        } else if self.method == Method::PATCH
            && let Some(body) = content.as_object_mut()
        {
            if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("uid");
                metadata.remove("resourceVersion");
            }
            body.retain(|name, value| {
                name != "metadata" || value.as_object().is_none_or(|it| !it.is_empty())
            });
        }
        if self.method == Method::DELETE { Value::Null } else { content }
    }

    /// `live` after the write; `None` when an operation leads nowhere.
    fn applied(&self, live: &Value) -> Option<Value> {
        let (content, mut object) = (self.content(), live.clone());
        match content.as_array() {
            Some(ops) => {
                for op in ops {
                    let path = op.get("path")?.as_str()?.to_owned();
                    let op = match op.get("op")?.as_str()? {
                        "remove" => JsonOp::Remove(path),
                        _ => JsonOp::Add(path, op.get("value")?.clone()),
                    };
                    op.apply(&mut object)?;
                }
            }
            None => merge(&mut object, &content),
        }
        Some(object)
    }
}

impl State {
    /// Answers a write and remembers it. `live`: the object as it is before.
    fn make(&mut self, sent: &Sent, target: &str, live: Option<Value>) -> Response<Body> {
        let object = match (&sent.method, live) {
            (&Method::POST, Some(_)) => return refused(StatusCode::CONFLICT, "AlreadyExists", target),
            (&Method::POST, None) => {
                let mut object = sent.body.clone();
                meta::set(&mut object, &["metadata", "uid"], format!("dry-run-{}", self.count).into());
                object
            }
            (_, None) => return refused(StatusCode::NOT_FOUND, "NotFound", target),
            (_, Some(live)) if !sent.fits(&live) => return refused(StatusCode::CONFLICT, "Conflict", target),
            (&Method::DELETE, Some(live)) => {
                self.remember("delete", sent, target, &live);
                self.objects.insert(target.to_owned(), None);
                return reply(StatusCode::OK, &json!({"kind": "Status", "status": "Success"}));
            }
            (_, Some(live)) => match sent.applied(&live) {
                Some(object) => generation(object, &live),
                None => return refused(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", target),
            },
        };
        self.count += 1;
        let mut object = object;
        let version = (VERSIONS + self.count).to_string();
        meta::set(&mut object, &["metadata", "resourceVersion"], version.into());
        let verb = match (&sent.method, sent.of_status()) {
            (&Method::POST, _) => "create",
            (_, true) => "patch status",
            (_, false) => "patch",
        };
        self.remember(verb, sent, target, &object);
        let answer = reply(StatusCode::OK, &object);
        self.objects.insert(target.to_owned(), Some(object));
        answer
    }

    fn remember(&mut self, verb: &'static str, sent: &Sent, target: &str, object: &Value) {
        let kind = Some(meta::text(object, "/kind")).filter(|kind| !kind.is_empty());
        let plural = target.rsplit('/').nth(1).unwrap_or_default();
        self.writes.push(DryWrite {
            verb,
            kind: kind.unwrap_or(plural).to_owned(),
            namespace: meta::text(object, "/metadata/namespace").to_owned(),
            name: meta::text(object, "/metadata/name").to_owned(),
            body: sent.content(),
        });
    }
}

/// A new generation where the spec has changed.
fn generation(mut object: Value, live: &Value) -> Value {
    if let Some(before) = live.pointer("/metadata/generation").and_then(Value::as_u64)
        && object.get("spec") != live.get("spec")
    {
        meta::set(&mut object, &["metadata", "generation"], before.saturating_add(1).into());
    }
    object
}

/// The object on the API server.
async fn read(client: &Client, path: &str) -> Result<Option<Value>, BoxError> {
    let answer = client.send(Request::get(path).body(Body::empty())?).await?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    match head.status {
        StatusCode::NOT_FOUND => Ok(None),
        status if status.is_success() => Ok(Some(serde_json::from_slice(&body)?)),
        status => Err(format!("{status} for {path}: {}", String::from_utf8_lossy(&body)).into()),
    }
}

fn refused(status: StatusCode, reason: &str, path: &str) -> Response<Body> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status.as_u16(),
        "message": format!("{path}: {reason}"), "details": {"name": name},
    });
    reply(status, &body)
}

fn reply(status: StatusCode, body: &Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(body.to_string().into_bytes()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    answer
}
