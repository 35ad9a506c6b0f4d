//! Why pods do not become ready, in one stable clause that names the pod.
//!
//! Restart counts and back-off times are left out: with them the same wait would give a new message again and again.

use serde_json::Value;
use vexil_analysis::Readiness;
use vexil_object::meta;

use crate::DeploymentView;

/// Longest text of others that is put into a message, in characters.
const TEXT_LIMIT: usize = 160;

/// Adds to the message of a workload that is not ready the problem of its pods, or why it cannot create any.
pub fn explain(readiness: Readiness, workload: &Value, pods: &[Value]) -> Readiness {
    let with_cause = |message: String| match problem(pods).or_else(|| no_pods(workload)) {
        Some(cause) => format!("{message}: {cause}"),
        None => message,
    };
    match readiness {
        Readiness::Ready => Readiness::Ready,
        Readiness::Waiting(message) => Readiness::Waiting(with_cause(message)),
        Readiness::Failed(message) => Readiness::Failed(with_cause(message)),
    }
}

/// `text` on one line and of bounded length.
pub(crate) fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(TEXT_LIMIT) {
        Some((end, _)) => line.get(..end).unwrap_or_default().to_owned() + "\u{2026}",
        None => line,
    }
}

/// The severity of a pod's problem; the worst is named, and of equals the first by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Waiting,
    Crashed,
    Unschedulable,
}

fn problem(pods: &[Value]) -> Option<String> {
    let alive = pods.iter().filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none());
    let ill = alive.filter_map(|pod| {
        let (severity, what) = ailment(pod)?;
        Some((severity, meta::text(pod, "/metadata/name"), what))
    });
    let (_, name, what) = ill.min_by_key(|(severity, name, _)| (*severity, *name))?;
    Some(format!("pod {name} {what}"))
}

/// A Deployment that is not allowed to make pods (quota, admission) says so in a condition.
fn no_pods(workload: &Value) -> Option<String> {
    let view = DeploymentView::new(workload);
    let failure = view.condition("ReplicaFailure").filter(|condition| condition.status() == "True")?;
    let message = without_pod(&shortened(failure.message()), view.name());
    (!message.is_empty()).then_some(message)
}

/// The message without the pod's name in quotes, which is another one at every try.
fn without_pod(message: &str, workload: &str) -> String {
    let name = |text: &str| text.starts_with(workload) && text.len() > workload.len();
    let mut parts = message.splitn(3, '"');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(before), Some(pod), Some(after)) if name(pod) => format!("{before}\"{workload}\"{after}"),
        _ => message.to_owned(),
    }
}

fn ailment(pod: &Value) -> Option<(Severity, String)> {
    let containers = || {
        let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"];
        statuses.into_iter().filter_map(|field| pod.pointer(field)?.as_array()).flatten()
    };
    let waiting = containers().find_map(waiting).map(|what| (Severity::Waiting, what));
    let crashed = || containers().find_map(crashed).map(|what| (Severity::Crashed, what));
    waiting.or_else(crashed).or_else(|| unschedulable(pod).map(|what| (Severity::Unschedulable, what)))
}

/// A container that the kubelet cannot start. The ordinary steps of starting are no ailment.
fn waiting(container: &Value) -> Option<String> {
    let reason = meta::text(container, "/state/waiting/reason");
    let name = meta::text(container, "/name");
    let detail = match reason {
        "" | "ContainerCreating" | "PodInitializing" => return None,
        "CrashLoopBackOff" => match last_exit(container, "/lastState/terminated") {
            Some(exit) => format!("container {name} {exit}"),
            None => format!("container {name}"),
        },
        "ImagePullBackOff" | "ErrImagePull" | "ErrImageNeverPull" | "InvalidImageName" => {
            format!("container {name}, image {}", shortened(meta::text(container, "/image")))
        }
        _ => {
            let message = shortened(meta::text(container, "/state/waiting/message"));
            if message.is_empty() {
                format!("container {name}")
            } else {
                format!("container {name}, {message}")
            }
        }
    };
    Some(format!("is in {reason}: {detail}"))
}

/// A container between a crash and its next start, or up again but not ready.
fn crashed(container: &Value) -> Option<String> {
    let is_ready = container.get("ready").and_then(Value::as_bool).unwrap_or(false);
    let states = ["/state/terminated", "/lastState/terminated"];
    let exit = states.into_iter().find_map(|state| last_exit(container, state)).filter(|_| !is_ready)?;
    Some(format!("restarts: container {} {exit}", meta::text(container, "/name")))
}

/// `exited with code 1 (Error)`; `None` when it did not exit or did so with success.
fn last_exit(container: &Value, state: &str) -> Option<String> {
    let terminated = container.pointer(state)?;
    let code = terminated.get("exitCode")?.as_i64().filter(|code| *code != 0)?;
    let reason = meta::text(terminated, "/reason");
    Some(if reason.is_empty() {
        format!("exited with code {code}")
    } else {
        format!("exited with code {code} ({reason})")
    })
}

fn unschedulable(pod: &Value) -> Option<String> {
    let conditions = pod.pointer("/status/conditions")?.as_array()?;
    let scheduled = conditions.iter().find(|condition| {
        meta::text(condition, "/type") == "PodScheduled"
            && meta::text(condition, "/reason") == "Unschedulable"
    })?;
    Some(format!("is unschedulable: {}", shortened(meta::text(scheduled, "/message"))))
}

#[cfg(test)]
mod tests;
