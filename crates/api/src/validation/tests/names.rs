//! Names: of what is referred to, and of what is generated.

use serde_json::json;

use super::check;

#[test]
fn a_name_that_no_object_can_have_is_named() {
    check(
        json!({ "targetRef": { "name": "Pod_Info" } }),
        &[
            "targetRef.name: `Pod_Info` is no name of a Kubernetes object: lower-case letters, digits, `-` and `.`",
        ],
    );
    check(
        json!({ "targetRef": { "name": "pod.info" } }),
        &[
            "targetRef.name: `pod.info` is no name of a Service: lower-case letters, digits and `-`; set spec.service.name",
        ],
    );
    check(json!({ "targetRef": { "name": "pod.info" }, "service": { "name": "podinfo" } }), &[]);
    let long = "a".repeat(56);
    let text = format!("targetRef.name: `{long}-primary` would be longer than 63 characters");
    check(json!({ "targetRef": { "name": long } }), &[&text]);
    let text = format!("service.name: `{long}-primary` would be longer than 63 characters");
    check(json!({ "service": { "name": long } }), &[&text]);
    let longer = "a".repeat(246);
    let text = format!("targetRef.name: `{longer}-primary` would be longer than 253 characters");
    check(json!({ "targetRef": { "name": longer }, "service": { "name": "podinfo" } }), &[&text]);
    check(
        json!({ "service": { "name": "-podinfo" } }),
        &["service.name: `-podinfo` is no name of a Service: lower-case letters, digits and `-`"],
    );
}

#[test]
fn a_service_name_of_63_characters_leaves_no_room_for_the_generated_ones() {
    let (fits, full) = ("a".repeat(55), "a".repeat(63));
    check(json!({ "service": { "name": fits } }), &[]);
    let text = format!("service.name: `{full}-primary` would be longer than 63 characters");
    check(json!({ "service": { "name": full } }), &[&text]);
    let text = format!("targetRef.name: `{full}-primary` would be longer than 63 characters");
    check(json!({ "targetRef": { "name": full } }), &[&text]);
    check(json!({ "service": { "portName": full } }), &[]);
    let text = format!(
        "service.portName: `{full}a` is no name of a Service's port: at most 63 lower-case letters, digits and `-`"
    );
    check(json!({ "service": { "portName": format!("{full}a") } }), &[&text]);
}

#[test]
fn references_have_names() {
    check(json!({ "ingressRef": {} }), &["ingressRef.name: is required"]);
    check(
        json!({ "routeRef": {}, "upstreamRef": {} }),
        &["routeRef.name: is required", "upstreamRef.name: is required"],
    );
    check(
        json!({ "routeRef": { "name": "Pod Info" }, "upstreamRef": { "name": "up/stream" } }),
        &[
            "routeRef.name: `Pod Info` is no name of a Kubernetes object: lower-case letters, digits, `-` and `.`",
            "upstreamRef.name: `up/stream` is no name of a Kubernetes object: lower-case letters, digits, `-` and `.`",
        ],
    );
    let long = "a".repeat(246);
    check(json!({ "routeRef": { "name": long } }), &[]);
}

#[test]
fn a_service_that_is_the_target_is_the_apex() {
    let check = |kind: &str, apex: &str, wrong: bool| {
        let text = "service.name: must be podinfo or absent: the target is the Service that clients call";
        let defects: &[&str] = if wrong { &[text] } else { &[] };
        check(json!({ "targetRef": { "kind": kind }, "service": { "name": apex } }), defects);
    };
    check("Service", "podinfo", false);
    check("Service", "podinfo-primary", true);
    check("Service", "podinfo-stable", true);
    // A Deployment and a Service may share a name.
    check("Deployment", "podinfo-primary", false);
}
