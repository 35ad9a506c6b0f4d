//! Carries out writes at the API server.

use http::Method;
use kube::Client;
use serde_json::{Value, json};

use super::op::{Op, Snapshot, Target};
use crate::kinds::{EVENT, Resource};
use crate::{request::send, view};
use vexil_testbed_apiserver::Clock;

/// Writes to the API and shows the answers to a snapshot.
pub(super) struct Hands {
    client: Client,
    clock: Clock,
    events: u64,
}

impl Hands {
    pub fn new(client: Client, clock: Clock) -> Self {
        Hands { client, clock, events: 0 }
    }

    /// Carries out one write. An object to delete that is gone already is no failure.
    ///
    /// # Errors
    /// When the API server refuses it (also because another writer was faster: 404, 409) or cannot be reached.
    pub async fn apply(&mut self, op: Op, seen: &mut Snapshot) -> kube::Result<()> {
        let deleted = match &op {
            Op::Delete(target) | Op::Kill(target) => Some(target.clone()),
            _ => None,
        };
        match (self.write(op, seen).await, deleted) {
            (Err(kube::Error::Api(status)), Some(target)) if status.code == 404 => {
                seen.bury(target.resource, &target.namespace, &target.name);
                Ok(())
            }
            (other, _) => other,
        }
    }

    async fn write(&mut self, op: Op, seen: &mut Snapshot) -> kube::Result<()> {
        match op {
            Op::Create(resource, object) => {
                let path = resource.path_in(view::namespace(&object));
                let created = self.request(Method::POST, path, Some(&object)).await?;
                seen.put(resource, created);
            }
            Op::Patch(target, body) => self.patch(target, "", &body, seen).await?,
            Op::PatchStatus(target, body) => self.patch(target, "/status", &body, seen).await?,
            Op::Delete(target) => self.delete(target, None, seen).await?,
            Op::Kill(target) => self.delete(target, Some(0), seen).await?,
            Op::Tell { about, component, reason, message } => {
                self.tell(about, component, reason, message).await?;
            }
        }
        Ok(())
    }

    async fn patch(&self, target: Target, sub: &str, body: &Value, seen: &mut Snapshot) -> kube::Result<()> {
        let written = self.request(Method::PATCH, patched(&target, sub), Some(body)).await?;
        seen.put(target.resource, written);
        Ok(())
    }

    async fn delete(&self, target: Target, grace: Option<u32>, seen: &mut Snapshot) -> kube::Result<()> {
        let mut options =
            json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
        if let (Some(grace), Some(options)) = (grace, options.as_object_mut()) {
            options.insert("gracePeriodSeconds".to_owned(), grace.into());
        }
        let answer = self.request(Method::DELETE, path(&target), Some(&options)).await?;
        // An object that lives on until its grace or its finalizers are over is answered itself.
        if view::is_terminating(&answer) && grace.is_none() {
            seen.put(target.resource, answer);
        } else {
            seen.bury(target.resource, &target.namespace, &target.name);
        }
        Ok(())
    }

    async fn tell(
        &mut self,
        about: Value,
        component: &str,
        reason: &str,
        message: String,
    ) -> kube::Result<()> {
        self.events += 1;
        let stamp = self.clock.stamp();
        let namespace = view::text(&about, "/namespace").to_owned();
        let name = format!("{}.{:016x}", view::text(&about, "/name"), self.events);
        let event = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace},
            "involvedObject": about, "reason": reason, "message": message, "type": "Normal", "count": 1,
            "firstTimestamp": stamp, "lastTimestamp": stamp, "source": {"component": component},
            "reportingComponent": component, "reportingInstance": "",
        });
        self.request(Method::POST, EVENT.path_in(&namespace), Some(&event)).await.map(drop)
    }

    async fn request(&self, method: Method, path: String, body: Option<&Value>) -> kube::Result<Value> {
        send(&self.client, method, &path, body).await
    }
}

/// Carries out one write of a controller that does not read its own writes.
///
/// # Errors
/// When the API server refuses it (also because another writer was faster: 404, 409) or cannot be reached.
pub(crate) async fn write(client: &Client, op: Op) -> kube::Result<()> {
    let (method, path, body) = match op {
        Op::Create(resource, object) => {
            (Method::POST, resource.path_in(view::namespace(&object)), Some(object))
        }
        Op::Patch(target, body) => (Method::PATCH, patched(&target, ""), Some(body)),
        Op::PatchStatus(target, body) => (Method::PATCH, patched(&target, "/status"), Some(body)),
        Op::Delete(target) | Op::Kill(target) => (Method::DELETE, path(&target), None),
        Op::Tell { .. } => return Ok(()),
    };
    send(client, method, &path, body.as_ref()).await.map(drop)
}

fn patched(target: &Target, sub: &str) -> String {
    format!("{}{sub}?fieldManager=vexil-testbed", path(target))
}

fn path(target: &Target) -> String {
    let Target { resource, namespace, name }: &Target = target;
    let resource: &Resource = resource;
    format!("{}/{name}", resource.path_in(namespace))
}
