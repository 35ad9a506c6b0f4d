//! The API server drops fields that its definition does not have: reported once, not written again, and the rollout
//! goes on when it can.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::{Settings, System};

use crate::cluster::{OPERATOR, Stage};

const NAME: &str = "podinfo";
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const REPORT: &str = "is not stored as it was written";

/// Replaces the versions of a definition, as another release of the product does.
async fn redefine(stage: &Stage, definition: &str, change: impl FnOnce(&mut Value)) -> Value {
    let client = stage.cluster.server().client_as("admin");
    let path = format!("{CRDS}/{definition}");
    let get = http::Request::get(&path).body(Vec::new()).unwrap();
    let mut live: Value = client.request(get).await.unwrap();
    let before = live["spec"]["versions"].clone();
    change(&mut live["spec"]["versions"]);
    let patch = http::Request::patch(&path)
        .header("content-type", "application/merge-patch+json")
        .body(json!({"spec": {"versions": live["spec"]["versions"]}}).to_string().into_bytes())
        .unwrap();
    let _: Value = client.request(patch).await.unwrap();
    before
}

fn writes(stage: &Stage, resource: &str) -> usize {
    let entries = stage.cluster.server().audit().of(OPERATOR);
    entries.iter().filter(|entry| entry.is_write() && entry.resource == resource).count()
}

#[tokio::test(start_paused = true)]
async fn a_route_that_loses_its_weights_is_reported_once_and_not_written_again() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    let services =
        "/0/schema/openAPIV3Schema/properties/spec/properties/weighted/properties/services/items/properties";
    let whole = redefine(&stage, "traefikservices.traefik.io", |versions| {
        versions.pointer_mut(services).unwrap().as_object_mut().unwrap().remove("weight").unwrap();
    })
    .await;
    stage.start();
    stage.apply(NAME, &[&json!({"spec": {"progressDeadlineSeconds": 600}})]).await;
    stage.pass(120.0).await;
    let events = stage.events_with(NAME, REPORT);
    assert_eq!(events.len(), 1, "{}", stage.story(NAME).text());
    let (text, times) = &events[0];
    assert_eq!(*times, 1);
    for part in [
        "TraefikService podinfo.test (traefik.io/v1alpha1)",
        "dropped spec.weighted.services[0].weight",
        "CRD traefikservices.traefik.io (versions v1alpha1) has no such field",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(writes(&stage, "traefikservices") <= 2, "{} writes", writes(&stage, "traefikservices"));

    redefine(&stage, "traefikservices.traefik.io", |versions| *versions = whole).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
}

/// The CRD of Kuma 2.7 is put in the place of a newer one while the canary has traffic.
#[tokio::test(start_paused = true)]
async fn a_definition_that_is_replaced_by_an_older_one_in_mid_run_is_followed() {
    let system = System::Kuma(&["MeshHTTPRoute"]);
    let mut stage = Stage::with(Settings { system, ..Settings::default() }).await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[&json!({"spec": {"provider": "kuma", "progressDeadlineSeconds": 600}})]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.push(NAME, "6.0.1").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    let before = writes(&stage, "meshhttproutes");
    redefine(&stage, "meshhttproutes.kuma.io", |versions| {
        let to = "/0/schema/openAPIV3Schema/properties/spec/properties/to/items/properties";
        let backend = format!("{to}/rules/items/properties/default/properties/backendRefs/items/properties");
        for reference in [format!("{to}/targetRef/properties"), backend] {
            let fields = versions.pointer_mut(&reference).unwrap().as_object_mut().unwrap();
            fields.remove("labels");
            fields.remove("sectionName");
            fields.insert("name".to_owned(), json!({"type": "string"}));
        }
    })
    .await;
    stage.until_phase(NAME, "Succeeded").await;
    let place = ("kuma.io/v1alpha1", "MeshHTTPRoute", "kuma-system", "podinfo.test");
    let route = stage.cluster.get(place.0, place.1, place.2, place.3).await.unwrap().unwrap();
    let to = route["spec"]["to"].as_array().unwrap();
    assert_eq!(to.len(), 1, "{route}");
    assert_eq!(to[0]["targetRef"], json!({"kind": "MeshService", "name": "podinfo_test_svc_80"}));
    let names: Vec<_> = to[0]["rules"][0]["default"]["backendRefs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["name"])
        .collect();
    assert_eq!(names, ["podinfo-primary_test_svc_80", "podinfo-canary_test_svc_80"]);
    let during = writes(&stage, "meshhttproutes") - before;
    assert!(during <= 6, "{during} writes");
}
