//! Kinds that CustomResourceDefinitions add.

use super::*;

async fn bench() -> Bench {
    let bench = Bench::new();
    let definition =
        bench.check(("POST", CRDS, widgets()), 201, json!({"/spec/names/listKind": "WidgetList"})).await;
    let established = definition["status"]["conditions"].as_array().unwrap();
    assert!(established.iter().any(|c| c["type"] == "Established" && c["status"] == "True"), "{definition}");
    bench
}

#[tokio::test(start_paused = true)]
async fn objects_are_pruned_and_completed_by_their_schema() {
    let bench = bench().await;
    let spec = json!({"n": 1, "none": 2, "m": [{"name": "a", "none": 1}], "any": {"x": {"y": 1}}, "o": null});
    let expect = json!({
        "/spec": {"n": 1, "e": "x", "o": {"a": "q"}, "m": [{"name": "a", "v": 3}], "any": {"x": {"y": 1}}},
        "/status": null, "/metadata/generation": 1,
    });
    let mut object = widget("w", spec);
    object["status"] = json!({"n": 1});
    bench.check(("POST", WIDGETS, object), 201, expect).await;
    let strict = format!("{WIDGETS}?fieldValidation=Strict");
    let message = "Widget in version \"v1\" cannot be handled as a Widget: strict decoding error: unknown field \"spec.none\"";
    let expect = json!({ "/message": message });
    bench.check(("POST", &strict, widget("x", json!({"n": 1, "none": 2}))), 400, expect).await;
}

#[tokio::test(start_paused = true)]
async fn values_that_the_schema_refuses_are_named() {
    let bench = bench().await;
    for (spec, sentence) in [
        (json!({}), "spec.n: Required value"),
        (json!({"n": 0}), "spec.n: Invalid value: 0: spec.n in body should be greater than or equal to 1"),
        (json!({"n": 10}), "spec.n: Invalid value: 10: spec.n in body should be less than or equal to 9"),
        (json!({"n": 1, "s": "b"}), "spec.s: Invalid value: \"b\": spec.s in body should match '^a+$'"),
        (json!({"n": 1, "e": "q"}), "spec.e: Unsupported value: \"q\": supported values: \"x\", \"y\""),
        (
            json!({"n": 1, "s": 1}),
            "spec.s: Invalid value: \"integer\": spec.s in body must be of type string: \"integer\"",
        ),
        (
            json!({"n": 1, "m": [{"name": "a"}, {"name": "a"}]}),
            "spec.m[1]: Duplicate value: {\"name\":\"a\"}",
        ),
        (json!({"n": 1, "m": [{}]}), "spec.m[0].name: Required value"),
    ] {
        let message = format!("Widget.t.io \"w\" is invalid: {sentence}");
        bench.check(("POST", WIDGETS, widget("w", spec)), 422, json!({ "/message": message })).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_status_is_a_part_of_its_own_and_updates_need_a_version() {
    let bench = bench().await;
    bench.all(vec![("POST", WIDGETS, widget("w", json!({"n": 1})))]).await;
    let (one, status, scale) =
        (format!("{WIDGETS}/w"), format!("{WIDGETS}/w/status"), format!("{WIDGETS}/w/scale"));
    let both = json!({"spec": {"n": 2}, "status": {"n": 5}});
    bench.check(("PATCH", &status, both.clone()), 200, json!({"/spec/n": 1, "/status/n": 5})).await;
    bench
        .check(("PATCH", &one, both), 200, json!({"/spec/n": 2, "/status/n": 5, "/metadata/generation": 2}))
        .await;
    bench.check(("GET", &scale, Value::Null), 200, json!({"/spec/replicas": 2, "/status/replicas": 5})).await;
    bench.check(("PUT", &one, widget("w", json!({"n": 3}))), 422, json!({"/reason": "Invalid"})).await;
    bench.check(("PATCH+strategic", &one, json!({})), 415, json!({"/reason": "UnsupportedMediaType"})).await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_goes_with_its_definition() {
    let bench = bench().await;
    bench
        .all(vec![
            ("POST", WIDGETS, widget("w", json!({"n": 1}))),
            ("DELETE", &format!("{CRDS}/widgets.t.io"), Value::Null),
        ])
        .await;
    assert_eq!(bench.send(("GET", WIDGETS, Value::Null)).await.0, 404);
    bench.all(vec![("POST", CRDS, widgets())]).await;
    bench.check(("GET", WIDGETS, Value::Null), 200, json!({"/items": []})).await;
}

#[tokio::test(start_paused = true)]
async fn a_patch_of_the_status_is_held_back_by_a_stale_version_but_not_by_another_uid() {
    let bench = bench().await;
    let made = bench.check(("POST", WIDGETS, widget("w", json!({"n": 1}))), 201, json!({})).await;
    let (one, status) = (format!("{WIDGETS}/w"), format!("{WIDGETS}/w/status"));
    let fenced =
        |version: &str| json!({"metadata": {"uid": "1", "resourceVersion": version}, "status": {"n": 1}});
    let version = made["metadata"]["resourceVersion"].as_str().unwrap();
    bench.check(("PATCH", &one, fenced(version)), 422, json!({"/reason": "Invalid"})).await;
    bench.check(("PATCH", &status, fenced("1")), 409, json!({"/reason": "Conflict"})).await;
    bench.check(("PATCH", &status, fenced(version)), 200, json!({"/status/n": 1})).await;
}

/// A kind in two versions that have only `d` in common.
fn duos() -> Value {
    let version = |name: &str, storage: bool, properties: Value| {
        let spec = json!({"type": "object", "properties": properties});
        json!({
            "name": name, "served": true, "storage": storage, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
        })
    };
    let text = json!({"type": "string"});
    let stored = version("v1", true, json!({"a": text, "d": {"type": "string", "default": "one"}}));
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "duos.t.io"},
        "spec": {
            "group": "t.io", "scope": "Namespaced", "names": {"kind": "Duo", "plural": "duos"},
            "versions": [stored, version("v1alpha1", false, json!({"b": text, "d": text}))],
        },
    })
}

/// As a real server answered.
#[tokio::test(start_paused = true)]
async fn versions_are_converted_by_name_and_lose_what_the_other_does_not_have() {
    let bench = Bench::new();
    bench.check(("POST", CRDS, duos()), 201, json!({"/status/storedVersions": ["v1"]})).await;
    // SHA-256 of `t.io/v1/Duo`: of what is stored, whichever version is asked.
    for version in ["v1", "v1alpha1"] {
        let expect = json!({"/resources/0/storageVersionHash": "/yqB7g3BCTQ="});
        bench.check(("GET", &format!("/apis/t.io/{version}"), Value::Null), 200, expect).await;
    }
    let [new, old] = ["v1", "v1alpha1"].map(|v| format!("/apis/t.io/{v}/namespaces/default/duos"));
    let duo = |version: &str, name: &str, spec: Value| json!({"apiVersion": format!("t.io/{version}"), "kind": "Duo", "metadata": {"name": name}, "spec": spec});
    bench.check(("POST", &new, duo("v1", "x", json!({"a": "1"}))), 201, json!({})).await;
    let expect = json!({"/apiVersion": "t.io/v1alpha1", "/spec": {"d": "one"}});
    let (new_x, old_x) = (format!("{new}/x"), format!("{old}/x"));
    bench.check(("GET", &old_x, Value::Null), 200, expect).await;
    let expect = json!({"/items/0/apiVersion": "t.io/v1alpha1", "/items/0/spec": {"d": "one"}});
    bench.check(("GET", &old, Value::Null), 200, expect).await;
    let patch = json!({"spec": {"b": "9"}});
    bench.check(("PATCH", &old_x, patch), 200, json!({"/apiVersion": "t.io/v1alpha1"})).await;
    let expect = json!({"/apiVersion": "t.io/v1", "/spec": {"d": "one"}});
    bench.check(("GET", &new_x, Value::Null), 200, expect).await;
    bench.check(("POST", &old, duo("v1alpha1", "y", json!({"b": "2"}))), 201, json!({})).await;
    let expect = json!({"/apiVersion": "t.io/v1", "/spec": {"d": "one"}});
    bench.check(("GET", &format!("{new}/y"), Value::Null), 200, expect).await;
    let wrong = duo("v1", "z", json!({}));
    let message =
        "the API version in the data (t.io/v1) does not match the expected API version (t.io/v1alpha1)";
    bench.check(("POST", &old, wrong), 400, json!({ "/message": message })).await;
}
