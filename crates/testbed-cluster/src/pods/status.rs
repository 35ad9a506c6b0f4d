//! The status that a node reports of a pod.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::view;

/// The state of a pod's containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Runs and is not ready yet; `None` when it never will be.
    Starting(Option<Timestamp>),
    /// Runs and is ready.
    Ready,
    /// Does not run: it ended, and is started again at that time.
    BackOff(Timestamp),
    /// Does not run: its image cannot be had.
    NoImage,
}

/// What the node knows of a pod.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// The pod's address.
    pub ip: String,
    /// What its containers do.
    pub stage: Stage,
    /// Since when it is ready, or since when it is not.
    pub readiness_since: Timestamp,
    /// When its containers were last started.
    pub started: Timestamp,
    /// When the pod came to the node.
    pub accepted: Timestamp,
    /// How often its containers were started again.
    pub restarts: u32,
}

impl Report {
    /// The pod's status in the words of the API.
    pub fn status(&self, pod: &Value) -> Value {
        let ready = self.stage == Stage::Ready;
        let containers: Vec<Value> =
            view::list(pod, "/spec/containers").iter().map(|container| self.container(container)).collect();
        json!({
            "phase": if self.stage == Stage::NoImage { "Pending" } else { "Running" },
            "hostIP": "127.0.0.1", "podIP": self.ip, "podIPs": [{"ip": self.ip}], "qosClass": "BestEffort",
            "startTime": view::stamp(self.accepted),
            "conditions": [
                self.condition("PodScheduled", true, self.accepted),
                self.condition("Initialized", true, self.accepted),
                self.condition("ContainersReady", ready, self.readiness_since),
                self.condition("Ready", ready, self.readiness_since),
            ],
            "containerStatuses": containers,
        })
    }

    fn condition(&self, kind: &str, holds: bool, since: Timestamp) -> Value {
        let mut condition = json!({
            "type": kind, "status": if holds { "True" } else { "False" }, "lastProbeTime": null,
            "lastTransitionTime": view::stamp(since),
        });
        if let (false, Some(condition)) = (holds, condition.as_object_mut()) {
            condition.insert("reason".to_owned(), "ContainersNotReady".into());
            condition.insert("message".to_owned(), "containers with unready status".into());
        }
        condition
    }

    fn container(&self, container: &Value) -> Value {
        let (name, image) = (view::text(container, "/name"), view::text(container, "/image"));
        let mut status = json!({
            "name": name, "image": image, "imageID": image, "restartCount": self.restarts,
            "ready": self.stage == Stage::Ready, "started": self.runs(), "state": self.state(name, image),
            "lastState": {},
        });
        if let (true, Some(status)) = (self.restarts > 0, status.as_object_mut()) {
            let ended = json!({"terminated": {
                "exitCode": 1, "reason": "Error",
                "startedAt": view::stamp(self.started), "finishedAt": view::stamp(self.readiness_since),
            }});
            status.insert("lastState".to_owned(), ended);
        }
        status
    }

    fn runs(&self) -> bool {
        matches!(self.stage, Stage::Starting(_) | Stage::Ready)
    }

    fn state(&self, name: &str, image: &str) -> Value {
        match self.stage {
            Stage::Starting(_) | Stage::Ready => json!({"running": {"startedAt": view::stamp(self.started)}}),
            Stage::BackOff(_) => json!({"waiting": {
                "reason": "CrashLoopBackOff", "message": format!("back-off restarting failed container {name}"),
            }}),
            Stage::NoImage => json!({"waiting": {
                "reason": "ImagePullBackOff", "message": format!("Back-off pulling image {image:?}"),
            }}),
        }
    }
}
