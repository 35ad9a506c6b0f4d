//! What the cluster does by itself: finalizers, owners, namespaces, the grace of pods.

use super::*;

fn owned(name: &str, owner: &Value) -> Value {
    let reference = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true,
    });
    json!({"metadata": {"name": name, "ownerReferences": [reference]}})
}

async fn check(policy: &str, expect: u16) -> Bench {
    let bench = Bench::new();
    let (_, owner) = bench.send(("POST", MAPS, map("owner", "1"))).await;
    bench.all(vec![("POST", MAPS, owned("child", &owner))]).await;
    bench.all(vec![("DELETE", &format!("{MAPS}/owner"), json!({"propagationPolicy": policy}))]).await;
    assert_eq!(bench.send(("GET", &format!("{MAPS}/owner"), Value::Null)).await.0, 404, "{policy}");
    let (code, child) = bench.send(("GET", &format!("{MAPS}/child"), Value::Null)).await;
    assert_eq!((code, &child["metadata"]["ownerReferences"]), (expect, &Value::Null), "{policy}");
    bench
}

#[tokio::test(start_paused = true)]
async fn what_is_owned_goes_with_its_owner_unless_it_is_orphaned() {
    check("Background", 404).await;
    check("Foreground", 404).await;
    check("Orphan", 200).await;
}

#[tokio::test(start_paused = true)]
async fn finalizers_hold_an_object_until_they_are_gone() {
    let bench = Bench::new();
    let one = format!("{MAPS}/a");
    let held = json!({"metadata": {"finalizers": ["x.io/hold"]}});
    bench
        .all(vec![("POST", MAPS, map("a", "1")), ("PATCH", &one, held), ("DELETE", &one, Value::Null)])
        .await;
    bench
        .check(
            ("GET", &one, Value::Null),
            200,
            json!({"/metadata/deletionTimestamp": "2026-01-01T00:00:00Z"}),
        )
        .await;
    let more = json!({"metadata": {"finalizers": ["x.io/hold", "y.io/hold"]}});
    bench.check(("PATCH", &one, more), 422, json!({"/reason": "Invalid"})).await;
    bench.all(vec![("PATCH", &one, json!({"metadata": {"finalizers": null}}))]).await;
    assert_eq!(bench.send(("GET", &one, Value::Null)).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_takes_its_content_along() {
    let bench = Bench::new();
    let (spaces, inside) = ("/api/v1/namespaces", "/api/v1/namespaces/test/configmaps");
    let held = json!({"metadata": {"name": "a", "finalizers": ["x.io/hold"]}});
    bench.all(vec![("POST", spaces, json!({"metadata": {"name": "test"}})), ("POST", inside, held)]).await;
    bench
        .all(vec![("POST", inside, map("b", "1")), ("DELETE", "/api/v1/namespaces/test", Value::Null)])
        .await;
    bench
        .check(("GET", "/api/v1/namespaces/test", Value::Null), 200, json!({"/status/phase": "Terminating"}))
        .await;
    bench
        .check(("GET", inside, Value::Null), 200, json!({"/items/0/metadata/name": "a", "/items/1": null}))
        .await;
    let refused = json!({"/reason": "Forbidden", "/details/causes/0/reason": "NamespaceTerminating"});
    bench.check(("POST", inside, map("c", "1")), 403, refused).await;
    let free = json!({"metadata": {"finalizers": null}});
    bench.all(vec![("PATCH", &format!("{inside}/a"), free)]).await;
    assert_eq!(bench.send(("GET", "/api/v1/namespaces/test", Value::Null)).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_running_pod_is_given_its_grace() {
    let bench = Bench::new();
    let pods = "/api/v1/namespaces/default/pods";
    let pod = json!({"metadata": {"name": "p"}, "spec": {"nodeName": "n", "containers": [{"name": "a", "image": "i"}]}});
    let one = format!("{pods}/p");
    bench.check(("POST", pods, pod), 201, json!({"/status/phase": "Pending"})).await;
    bench
        .check(("DELETE", &one, Value::Null), 200, json!({"/metadata/deletionGracePeriodSeconds": 30}))
        .await;
    bench.check(("GET", &one, Value::Null), 200, json!({})).await;
    bench.all(vec![("DELETE", &one, json!({"gracePeriodSeconds": 0}))]).await;
    assert_eq!(bench.send(("GET", &one, Value::Null)).await.0, 404);
}
