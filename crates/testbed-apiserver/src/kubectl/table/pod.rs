//! The rows of pods. Init containers are not looked at.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::super::json::{at, is_deleting, list, name, number, text},
    age::since,
};

/// The cells of a pod.
pub(super) fn cells(pod: &Value, now: Timestamp, age: &str) -> Vec<Value> {
    let containers = list(pod, &["status", "containerStatuses"]);
    let runs = |status: &Value| at(status, &["state", "running"]).is_some();
    let is_ready = |status: &Value| status.get("ready") == Some(&Value::Bool(true));
    let ready = containers.iter().filter(|status| is_ready(status) && runs(status)).count();
    let restarts: i64 = containers.iter().map(|status| number(status, &["restartCount"])).sum();
    let last = containers.iter().map(|status| text(status, &["lastState", "terminated", "finishedAt"])).max();
    let restarts = match last.filter(|last| restarts > 0 && !last.is_empty()) {
        Some(last) => format!("{restarts} ({} ago)", since(last, now)),
        None => restarts.to_string(),
    };
    let total = list(pod, &["spec", "containers"]).len();
    let or_none = |cell: &str| if cell.is_empty() { "<none>".to_owned() } else { cell.to_owned() };
    [
        name(pod).to_owned(),
        format!("{ready}/{total}"),
        status(pod, containers),
        restarts,
        age.to_owned(),
        or_none(text(pod, &["status", "podIP"])),
        or_none(text(pod, &["spec", "nodeName"])),
        or_none(text(pod, &["status", "nominatedNodeName"])),
        "<none>".to_owned(),
    ]
    .map(|cell| json!(cell))
    .into()
}

/// The most telling word about the pod: what its first container in trouble says, else its phase.
fn status(pod: &Value, containers: &[Value]) -> String {
    let phase = text(pod, &["status", "phase"]);
    if is_deleting(pod) && !matches!(phase, "Succeeded" | "Failed") {
        return "Terminating".to_owned();
    }
    let trouble = |status: &Value| {
        let waiting = text(status, &["state", "waiting", "reason"]);
        let ended = at(status, &["state", "terminated"])?;
        match (waiting, text(ended, &["reason"])) {
            ("", "") => Some(format!("ExitCode:{}", number(ended, &["exitCode"]))),
            ("", reason) => Some(reason.to_owned()),
            (waiting, _) => Some(waiting.to_owned()),
        }
    };
    let waits =
        containers.iter().map(|status| text(status, &["state", "waiting", "reason"])).find(|r| !r.is_empty());
    let own = text(pod, &["status", "reason"]);
    match (waits, containers.iter().find_map(trouble)) {
        (Some(reason), _) => reason.to_owned(),
        (None, Some(reason)) => reason,
        (None, None) if own.is_empty() => phase.to_owned(),
        (None, None) => own.to_owned(),
    }
}
