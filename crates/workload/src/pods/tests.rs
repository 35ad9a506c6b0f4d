//! The messages about pods that do not become ready.

use serde_json::json;

use super::*;

fn check(pods: &[Value], expect: &str) {
    let deployment = json!({"metadata": {"name": "podinfo"}, "status": {"conditions": [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "pods \"podinfo-5c55-x7k2p\" is forbidden:\n exceeded quota: \"small\""},
    ]}});
    let waiting = Readiness::Waiting("not ready".to_owned());
    assert_eq!(explain(waiting, &deployment, pods), Readiness::Waiting(format!("not ready: {expect}")));
}

fn pod(name: &str, container: Value) -> Value {
    json!({"metadata": {"name": name}, "status": {"containerStatuses": [container]}})
}

fn waits(reason: &str, message: &str) -> Value {
    json!({
        "name": "app", "image": "podinfo:broken", "ready": false, "restartCount": 7,
        "state": {"waiting": {"reason": reason, "message": message}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": "secret log line"}},
    })
}

#[test]
fn a_pod_that_does_not_come_up_is_named_with_its_reason() {
    let crash = "is in CrashLoopBackOff: container app exited with code 1 (Error)";
    check(&[pod("b", waits("CrashLoopBackOff", "back-off 40s restarting"))], &format!("pod b {crash}"));
    check(
        &[pod("a", waits("ImagePullBackOff", "Back-off pulling"))],
        "pod a is in ImagePullBackOff: container app, image podinfo:broken",
    );
    check(
        &[pod("a", waits("ErrImagePull", "no such host"))],
        "pod a is in ErrImagePull: container app, image podinfo:broken",
    );
    check(
        &[pod("a", waits("CreateContainerConfigError", "secret \"x\" not found"))],
        "pod a is in CreateContainerConfigError: container app, secret \"x\" not found",
    );
    let oom = json!({"name": "app", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}});
    check(&[pod("a", oom)], "pod a restarts: container app exited with code 137 (OOMKilled)");
}

#[test]
fn a_message_is_the_same_however_often_the_container_was_restarted() {
    let restarted = |count: u64, back_off: &str| {
        let mut container = waits("CrashLoopBackOff", back_off);
        container["restartCount"] = count.into();
        problem(&[pod("a", container)])
    };
    assert_eq!(restarted(1, "back-off 10s"), restarted(9, "back-off 5m0s"));
}

#[test]
fn the_worst_pod_is_named_whatever_the_order_of_the_list() {
    let crash = || waits("CrashLoopBackOff", "");
    let up_again = json!({"name": "app", "ready": false, "state": {"running": {}},
        "lastState": {"terminated": {"exitCode": 2}}});
    let list = [pod("a", up_again.clone()), pod("c", crash()), pod("b", crash())];
    check(&list, "pod b is in CrashLoopBackOff: container app exited with code 1 (Error)");
    check(&[pod("a", up_again)], "pod a restarts: container app exited with code 2");
}

#[test]
fn init_containers_and_the_scheduler_are_heard_too() {
    let init = json!({"metadata": {"name": "a"}, "status": {
        "initContainerStatuses": [waits("ImagePullBackOff", "")],
        "containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "PodInitializing"}}}],
    }});
    check(&[init], "pod a is in ImagePullBackOff: container app, image podinfo:broken");
    let pending = json!({"metadata": {"name": "a"}, "status": {"conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"},
    ]}});
    check(&[pending], "pod a is unschedulable: 0/3 nodes are available");
}

#[test]
fn a_deployment_that_may_not_make_pods_says_why() {
    let starting = json!({"name": "app", "state": {"waiting": {"reason": "ContainerCreating"}}});
    let mut leaving = pod("a", waits("CrashLoopBackOff", ""));
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    let quota = "pods \"podinfo\" is forbidden: exceeded quota: \"small\"";
    check(&[], quota);
    check(&[pod("a", starting), leaving], quota);
}

#[test]
fn what_is_fine_or_unexplained_gets_no_clause() {
    let failed = || Readiness::Failed("not ready".to_owned());
    assert_eq!(explain(failed(), &json!({}), &[json!({}), json!({"status": 1})]), failed());
    let pods = [pod("a", waits("CrashLoopBackOff", ""))];
    assert_eq!(explain(Readiness::Ready, &json!({}), &pods), Readiness::Ready);
}

#[test]
fn texts_of_others_are_cut_to_one_short_line() {
    assert_eq!(shortened("a\n  b\tc"), "a b c");
    assert_eq!(shortened(&"\u{e9}".repeat(500)).chars().count(), TEXT_LIMIT + 1);
}
