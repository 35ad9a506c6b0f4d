//! Creates, updates, patches and deletes of built-in kinds.

use super::*;

#[tokio::test(start_paused = true)]
async fn writes_are_refused_as_the_real_server_refuses_them() {
    let bench = Bench::new();
    let refused = |code: u16, reason: &str| (code, json!({"/reason": reason, "/kind": "Status"}));
    let one = format!("{MAPS}/a");
    let cases: Vec<(Ask<'_>, (u16, Value))> = vec![
        (("POST", MAPS, map("a", "1")), (201, json!({"/data/key": "1", "/metadata/generation": null}))),
        (("POST", MAPS, map("a", "1")), refused(409, "AlreadyExists")),
        (("POST", MAPS, map("A_", "1")), refused(422, "Invalid")),
        (("POST", MAPS, json!({"kind": "Secret", "apiVersion": "v1"})), refused(400, "BadRequest")),
        (("POST", MAPS, json!({"metadata": {"name": "b"}, "data": {"k": 1}})), refused(400, "BadRequest")),
        (("POST", "/api/v1/namespaces/no/configmaps", map("a", "1")), refused(404, "NotFound")),
        (("PUT", &one, json!({"metadata": {"name": "a", "resourceVersion": "1"}})), refused(409, "Conflict")),
        (("PUT", &one, json!({"metadata": {"name": "a", "uid": "1"}})), refused(409, "Conflict")),
        (("PUT", &one, json!({"metadata": {"name": "b"}})), refused(400, "BadRequest")),
        (("PATCH", &one, json!({"metadata": {"resourceVersion": "1"}})), refused(409, "Conflict")),
        (("PATCH", &one, json!({"metadata": {"uid": "1"}})), refused(422, "Invalid")),
        (
            ("PATCH", &one, json!({"metadata": {"uid": "1", "resourceVersion": "1"}})),
            refused(409, "Conflict"),
        ),
        (("PATCH+json", &one, json!([{"op": "remove", "path": "/data/no"}])), refused(422, "Invalid")),
        (
            ("PATCH+json", &one, json!([{"op": "replace", "path": "/data/no", "value": "1"}])),
            (200, json!({"/data/no": "1"})),
        ),
        (("DELETE", &one, json!({"preconditions": {"uid": "1"}})), refused(409, "Conflict")),
        (("DELETE", &one, json!({"preconditions": {"resourceVersion": "1"}})), refused(409, "Conflict")),
        (("DELETE", &one, Value::Null), (200, json!({"/status": "Success"}))),
        (("GET", &one, Value::Null), refused(404, "NotFound")),
        (("GET", "/api/v1/no", Value::Null), refused(404, "NotFound")),
        (("PUT", MAPS, map("a", "1")), refused(405, "MethodNotAllowed")),
    ];
    for (ask, (code, expect)) in cases {
        bench.check(ask, code, expect).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_gets_the_defaults_that_its_revision_is_hashed_from() {
    let bench = Bench::new();
    let expect = json!({
        "/spec/replicas": 1, "/spec/revisionHistoryLimit": 10, "/spec/progressDeadlineSeconds": 600,
        "/spec/strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "/spec/template/spec": {
            "containers": [{
                "name": "app", "image": "app:1", "imagePullPolicy": "IfNotPresent", "resources": {},
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            }],
            "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
            "securityContext": {}, "terminationGracePeriodSeconds": 30,
        },
        "/status": {}, "/metadata/generation": 1,
    });
    bench.check(("POST", DEPLOYMENTS, deployment("app")), 201, expect).await;
}

#[tokio::test(start_paused = true)]
async fn generation_counts_changes_of_the_specification_only() {
    let bench = Bench::new();
    bench.all(vec![("POST", DEPLOYMENTS, deployment("app"))]).await;
    let (one, status) = (format!("{DEPLOYMENTS}/app"), format!("{DEPLOYMENTS}/app/status"));
    let generation = |generation: u64| json!({"/metadata/generation": generation});
    for (path, body, expect) in [
        (&one, json!({"metadata": {"labels": {"a": "b"}}}), 1),
        (&one, json!({"spec": {"replicas": 2}}), 2),
        (&one, json!({"status": {"replicas": 9}}), 2),
        (&status, json!({"status": {"replicas": 9}, "spec": {"replicas": 7}}), 2),
    ] {
        bench.check(("PATCH", path, body), 200, generation(expect)).await;
    }
    let expect = json!({"/spec/replicas": 2, "/status/replicas": 9});
    let before = bench.check(("GET", &one, Value::Null), 200, expect).await;
    let same = bench.check(("PATCH", &one, json!({"spec": {"replicas": 2}})), 200, json!({})).await;
    assert_eq!(before, same, "a write that changes nothing changes nothing");
    let scale = format!("{one}/scale");
    bench.check(("PATCH", &scale, json!({"spec": {"replicas": 4}})), 200, json!({"/spec/replicas": 4})).await;
    bench
        .check(("GET", &one, Value::Null), 200, json!({"/spec/replicas": 4, "/metadata/generation": 3}))
        .await;
}

#[tokio::test(start_paused = true)]
async fn services_get_addresses_and_secrets_keep_plain_text_encoded() {
    let bench = Bench::new();
    let services = "/api/v1/namespaces/default/services";
    let service = json!({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}});
    let expect = json!({
        "/spec/clusterIP": "10.96.0.2", "/spec/type": "ClusterIP",
        "/spec/ports/0": {"port": 80, "targetPort": 80, "protocol": "TCP"},
    });
    bench.check(("POST", services, service), 201, expect).await;
    let update = json!({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 81}]}});
    let expect = json!({"/spec/clusterIP": "10.96.0.2"});
    bench.check(("PUT", "/api/v1/namespaces/default/services/a", update), 200, expect).await;
    let secret = json!({"metadata": {"generateName": "s-"}, "stringData": {"a": "b"}});
    let expect = json!({"/data/a": "Yg==", "/type": "Opaque", "/stringData": null});
    let made = bench.check(("POST", "/api/v1/namespaces/default/secrets", secret), 201, expect).await;
    assert!(made["metadata"]["name"].as_str().unwrap().starts_with("s-"));
}

#[tokio::test(start_paused = true)]
async fn events_are_the_same_under_both_groups() {
    let bench = Bench::new();
    let event = json!({
        "metadata": {"name": "e"}, "regarding": {"kind": "Pod", "namespace": "default", "name": "p"},
        "note": "hello", "type": "Normal", "reportingController": "vexil", "eventTime": "2026-01-01T00:00:00.000000Z",
    });
    let group = "/apis/events.k8s.io/v1/namespaces/default/events";
    bench.check(("POST", group, event), 201, json!({"/note": "hello", "/message": null})).await;
    let core = "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dp";
    let expect = json!({"/items/0/message": "hello", "/items/0/reportingComponent": "vexil"});
    bench.check(("GET", core, Value::Null), 200, expect).await;
}
