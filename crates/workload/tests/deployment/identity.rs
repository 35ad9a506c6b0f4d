//! Which pods are the target's and which the primary's: all labels of the selector, with one value replaced.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vexil_object::Projection;
use vexil_workload::{DeploymentProjection, Deployments, Mixed, PrimaryCopy, Selector, Workload, mixed};

use crate::fixture::{Scene, patched, with};

type Labels = BTreeMap<String, String>;

fn labels(pairs: Value) -> Labels {
    serde_json::from_value(pairs).unwrap()
}

/// A target that selects its pods by these labels, which its pods have.
fn target(scene: &Scene, selector: Value, pods: Value) -> Value {
    let target = with(scene.target(), "/spec/selector", selector);
    with(target, "/spec/template/metadata/labels", pods)
}

fn selector(scene: &Scene, target: &Value, primary: Option<&Value>) -> Result<Selector, String> {
    let world = scene.world(Some(target), primary);
    Deployments.selector(&scene.subject(), &world).map_err(|error| error.to_string())
}

fn scene(name: &str) -> Scene {
    Scene { name: name.to_owned(), settings: vexil_workload::Settings::default(), ..Scene::default() }
}

#[test]
fn two_releases_of_one_chart_have_pods_of_their_own() {
    for (name, instance) in [("web-a", "a"), ("web-b", "b")] {
        let scene = scene(name);
        let own = json!({"name": "web", "instance": instance});
        let target = target(&scene, json!({"matchLabels": own}), own.clone());
        let primary = scene.primary_of(&target);
        let copy = json!({"name": "web-primary", "instance": instance});
        assert_eq!(primary["spec"]["selector"], json!({"matchLabels": copy}));
        assert_eq!(primary["spec"]["template"]["metadata"]["labels"], copy);
        let found = selector(&scene, &target, Some(&primary)).unwrap();
        assert_eq!((found.canary, found.primary.clone()), (labels(own), labels(copy)));
        assert_eq!((found.always, found.settled, found.lacks), (found.primary, true, Labels::new()));
    }
}

#[test]
fn a_value_that_must_be_equal_counts_as_a_label_however_it_is_said() {
    let scene = scene("podinfo");
    let pods = json!({"app": "shop", "component": "web", "tier": "x"});
    let selecting = json!({
        "matchLabels": {"app": "shop"},
        "matchExpressions": [
            {"key": "component", "operator": "In", "values": ["web"]},
            {"key": "tier", "operator": "In", "values": ["x", "y"]}, {"key": "tier", "operator": "Exists"},
        ],
    });
    let found = selector(&scene, &target(&scene, selecting, pods), None).unwrap();
    assert_eq!(found.canary, labels(json!({"app": "shop", "component": "web"})));
    assert_eq!(found.primary, labels(json!({"app": "shop-primary", "component": "web"})));
}

/// A primary as Flagger makes it: its selector is the one label, its pods have all.
#[test]
fn a_primary_with_a_narrower_selector_is_selected_by_what_its_pods_carry() {
    let scene = scene("podinfo");
    let whole = json!({"app": "podinfo", "instance": "a"});
    let target = target(&scene, json!({"matchLabels": whole}), whole.clone());
    let narrow = json!({"matchLabels": {"app": "podinfo-primary"}});
    let flaggers = with(scene.primary_of(&target), "/spec/selector", narrow);
    let check = |primary: &Value, expect: Value, settled: bool, lacks: Value| {
        let found = selector(&scene, &target, Some(primary)).unwrap();
        assert_eq!((found.primary, found.settled, found.lacks), (labels(expect), settled, labels(lacks)));
        assert_eq!(found.always, labels(json!({"app": "podinfo-primary"})));
    };
    let all = json!({"app": "podinfo-primary", "instance": "a"});
    check(&flaggers, all.clone(), true, json!({}));
    let status = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 1});
    check(&with(flaggers.clone(), "/status", status), all.clone(), false, json!({}));

    let only = json!({"app": "podinfo-primary"});
    let fewer = with(flaggers, "/spec/template/metadata/labels", only.clone());
    check(&fewer, only, true, json!({"instance": "a"}));
    // The next promotion adds what is missing.
    let pushed = with(target.clone(), "/spec/template/spec/containers/0/image", json!("app:2"));
    let revision = Deployments.revision(&pushed).unwrap();
    let world = scene.world(Some(&pushed), Some(&fewer));
    match Deployments.promote(&scene.subject(), &pushed, &revision, &world) {
        Ok(PrimaryCopy::Write { change, .. }) => {
            let after = patched(&fewer, &change);
            assert_eq!(after["spec"]["template"]["metadata"]["labels"], all);
            check(&after, all, true, json!({}));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_copy_keeps_the_labels_that_the_primary_is_bound_to() {
    let scene = scene("podinfo");
    let before = json!({"app": "podinfo", "instance": "a"});
    let primary = scene.primary_of(&target(&scene, json!({"matchLabels": before}), before.clone()));
    let fewer = json!({"app": "podinfo"});
    let anew = target(&scene, json!({"matchLabels": fewer}), fewer);
    let found = selector(&scene, &anew, Some(&primary)).unwrap();
    assert_eq!(found.primary, labels(json!({"app": "podinfo-primary", "instance": "a"})));
    let revision = Deployments.revision(&anew).unwrap();
    let world = scene.world(Some(&anew), Some(&primary));
    match Deployments.promote(&scene.subject(), &anew, &revision, &world) {
        Ok(PrimaryCopy::Write { change, .. }) => {
            let labels = patched(&primary, &change)["spec"]["template"]["metadata"]["labels"].clone();
            assert_eq!(labels, json!({"app": "podinfo-primary", "instance": "a"}));
        }
        other => panic!("{other:?}"),
    }
    // A label of another value cannot be both.
    let other = json!({"app": "podinfo", "instance": "b"});
    let other = target(&scene, json!({"matchLabels": other}), other.clone());
    let error = selector(&scene, &other, Some(&primary)).unwrap_err();
    assert!(
        error.contains("selects its pods by app=podinfo-primary,instance=a, which does not follow"),
        "{error}"
    );
}

#[test]
fn pods_of_another_deployment_are_told_from_ones_own_or_reported_by_name() {
    let scene = scene("shop-web");
    let check = |own: Value, other: Value, replicas: u32, expect: &[&str]| {
        let target = target(&scene, json!({"matchLabels": own}), own.clone());
        let found = selector(&scene, &target, None).unwrap();
        let worker = json!({
            "metadata": {"name": "shop-worker", "namespace": "test"},
            "spec": {"replicas": replicas, "template": {"metadata": {"labels": other}}},
        });
        let all = [target.clone(), scene.primary_of(&target), worker].map(|it| DeploymentProjection.keep(it));
        let found_mixed = mixed(&scene.subject(), &found, &all);
        let names = found_mixed.as_ref().map(|Mixed { names, .. }| names.clone()).unwrap_or_default();
        assert_eq!(names, expect, "{found_mixed:?}");
    };
    let web = json!({"app": "shop", "component": "web"});
    check(web.clone(), json!({"app": "shop", "component": "worker"}), 1, &[]);
    check(web.clone(), json!({"app": "shop"}), 1, &[]);
    check(web.clone(), json!({"app": "shop", "component": "web", "x": "y"}), 1, &["shop-worker"]);
    check(web.clone(), json!({"app": "shop-primary", "component": "web"}), 1, &["shop-worker"]);
    check(web.clone(), json!({"app": "shop-primary"}), 1, &[]);
    check(web.clone(), web, 0, &[]);
    check(json!({"app": "shop"}), json!({"app": "shop", "component": "worker"}), 1, &["shop-worker"]);
}
