//! Server-side apply and the ownership of fields.

use super::*;

fn applied(value: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": value})
}

#[tokio::test(start_paused = true)]
async fn an_applier_owns_the_fields_that_it_applies_and_no_others() {
    let bench = Bench::new();
    let (by_x, by_y) = (format!("{MAPS}/a?fieldManager=x"), format!("{MAPS}/a?fieldManager=y"));
    let forced = format!("{by_y}&force=true");
    let x = json!({"manager": "x", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z",
                   "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:k": {}, "f:l": {}}}});
    let made = json!({"/metadata/managedFields/0": x, "/data": {"k": "1", "l": "1"}});
    bench.check(("PATCH+apply", &by_x, applied(json!({"k": "1", "l": "1"}))), 201, made).await;
    let message = "Apply failed with 1 conflict: conflict with \"x\": .data.k";
    let contested = json!({"/message": message, "/details/causes/0/field": ".data.k", "/reason": "Conflict"});
    bench.check(("PATCH+apply", &by_y, applied(json!({"k": "2"}))), 409, contested).await;
    let taken =
        json!({"/data": {"k": "2", "l": "1"}, "/metadata/managedFields/0/fieldsV1": {"f:data": {"f:l": {}}}});
    bench.check(("PATCH+apply", &forced, applied(json!({"k": "2"}))), 200, taken).await;
    let dropped = json!({"/data": {"k": "2"}, "/metadata/managedFields/0/manager": "y"});
    let nothing = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    bench.check(("PATCH+apply", &by_x, nothing), 200, dropped).await;
    let unknown = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "none": 1});
    bench.check(("PATCH+apply", &by_x, unknown), 500, json!({})).await;
    let unnamed = format!("{MAPS}/a");
    bench.check(("PATCH+apply", &unnamed, applied(json!({}))), 422, json!({"/reason": "Invalid"})).await;
}

#[tokio::test(start_paused = true)]
async fn containers_are_owned_one_by_one() {
    let bench = Bench::new();
    bench.all(vec![("POST", DEPLOYMENTS, deployment("app"))]).await;
    let one = format!("{DEPLOYMENTS}/app?fieldManager=ci");
    let config = |image: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app"},
            "spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}},
        })
    };
    let field = ".spec.template.spec.containers[name=\"app\"].image";
    let refused = json!({"/details/causes/0/field": field});
    bench.check(("PATCH+apply", &one, config("app:2")), 409, refused).await;
    let kept = json!({"/spec/template/spec/containers/0/imagePullPolicy": "IfNotPresent", "/metadata/generation": 1});
    bench.check(("PATCH+apply", &one, config("app:1")), 200, kept).await;
}

#[tokio::test(start_paused = true)]
async fn an_update_takes_what_it_changes() {
    let bench = Bench::new();
    bench.all(vec![("POST", MAPS, map("a", "1"))]).await;
    let by_z = format!("{MAPS}/a?fieldManager=z");
    let expect = json!({
        "/metadata/managedFields/0/manager": "bench",
        "/metadata/managedFields/0/fieldsV1/f:data": {},
        "/metadata/managedFields/1/manager": "z",
        "/metadata/managedFields/1/fieldsV1": {"f:data": {"f:key": {}}},
    });
    bench.check(("PATCH", &by_z, json!({"data": {"key": "2"}})), 200, expect).await;
}
