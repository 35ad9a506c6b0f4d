//! What the caches keep says the same as the whole object, in less than a kilobyte.

use serde_json::{Value, json};
use vexil_object::{Projection, meta};
use vexil_workload::{
    DeploymentProjection, DeploymentView, Deployments, ServicePort, ServiceProjection, Side, Workload,
};

use crate::fixture::{Scene, with};

#[test]
fn a_projected_deployment_answers_as_the_whole_one_does() {
    let scene = Scene::default();
    let target = scene.target();
    for whole in [scene.primary_of(&target), target] {
        let kept = DeploymentProjection.keep(whole.clone());
        assert_eq!(DeploymentProjection.keep(kept.clone()), kept, "a second projection changes nothing");
        assert_eq!(Deployments.revision(&kept), Deployments.revision(&whole));
        let (kept, whole) = (DeploymentView::new(&kept), DeploymentView::new(&whole));
        assert_eq!(kept.flagger_id(), whole.flagger_id());
        assert_eq!(
            (kept.name(), kept.namespace(), kept.desired()),
            (whole.name(), whole.namespace(), whole.desired())
        );
        assert_eq!(kept.pod_query(), whole.pod_query());
    }
}

#[test]
fn an_ordinary_deployment_costs_less_than_a_kilobyte() {
    let scene = Scene::default();
    let mut target = scene.target();
    target["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
        "x".repeat(9_000).into();
    let kept = DeploymentProjection.keep(target);
    assert!(kept.to_string().len() < 1024, "{} bytes", kept.to_string().len());
    assert!(meta::annotation(&kept, "owner").is_some());
}

#[test]
fn ports_are_discovered_from_what_the_cache_keeps() {
    let scene = Scene::default();
    let target = scene.target();
    let target_port = json!("http");
    for (discovers, expect) in [(true, vec![("http-metrics".to_owned(), 9797)]), (false, vec![])] {
        let service = ServicePort { port: 80, name: "http", target: Some(&target_port), discovers };
        let found = Deployments.ports(&scene.subject(), &service, &scene.world(Some(&target), None));
        assert_eq!(found, Ok(expect), "portDiscovery: {discovers}");
    }
}

#[test]
fn pods_are_listed_by_the_whole_selector() {
    let scene = Scene::default();
    let selector = json!({
        "matchLabels": {"app": "podinfo", "tier": "web"},
        "matchExpressions": [
            {"key": "a", "operator": "In", "values": ["1", "2"]}, {"key": "b", "operator": "NotIn", "values": ["3"]},
            {"key": "c", "operator": "Exists"}, {"key": "d", "operator": "DoesNotExist"},
        ],
    });
    let target = with(scene.target(), "/spec/selector", selector);
    let query = Deployments.pod_query(&scene.subject(), Side::Canary, &scene.world(Some(&target), None));
    assert_eq!(query.as_deref(), Some("app=podinfo,tier=web,a in (1,2),b notin (3),c,!d"));
    assert_eq!(
        Deployments.pod_query(&scene.subject(), Side::Primary, &scene.world(Some(&target), None)),
        None
    );
}

#[test]
fn a_service_is_kept_but_for_bookkeeping() {
    let service = json!({
        "metadata": {"name": "podinfo", "managedFields": [1],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b"}},
        "spec": {"clusterIP": "10.0.0.1"},
    });
    let expect = json!({"metadata": {"name": "podinfo", "annotations": {"a": "b"}}, "spec": {"clusterIP": "10.0.0.1"}});
    assert_eq!(ServiceProjection.keep(service), expect);
    assert_eq!(DeploymentProjection.keep(Value::Null)["metadata"], json!({}));
}
