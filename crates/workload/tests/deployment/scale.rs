//! How many pods the target gets.

use serde_json::{Value, json};
use vexil_api::canary::ScalerRef;
use vexil_object::{Action, Change, Seen, kinds};
use vexil_workload::{Deployments, Side, Workload};

use crate::fixture::{Scene, with};

fn body(change: &Change) -> Value {
    let Action::Merge { body, on } = &change.action else { panic!("{change:?}") };
    assert_eq!(on.resource_version, "225");
    body.clone()
}

#[test]
fn the_target_comes_up_with_as_many_pods_as_the_primary_has() {
    let scene = Scene::default();
    let check = |target: Value, primary: Option<Value>, expect: Option<i64>| {
        let target = with(scene.target(), "/spec/replicas", target);
        let live = primary.map(|replicas| with(scene.primary_of(&target), "/spec/replicas", replicas));
        let scaling =
            Deployments.scale_up(&scene.subject(), &scene.world(Some(&target), live.as_ref())).unwrap();
        assert_eq!(scaling.as_ref().map(|it| it.replicas), expect);
        let patch = scaling.map(|it| body(&it.change));
        assert_eq!(patch, expect.map(|replicas| json!({"spec": {"replicas": replicas}})));
    };
    check(json!(0), Some(json!(3)), Some(3));
    check(json!(0), Some(json!(0)), Some(1));
    check(json!(0), Some(Value::Null), Some(1));
    check(json!(0), None, Some(1));
    check(json!(4), Some(json!(3)), None);
    check(Value::Null, Some(json!(3)), None);
}

#[test]
fn nothing_but_replicas_is_written_on_the_way_down_and_only_once() {
    let scene = Scene::default();
    let down = |target: &Value| {
        let world = scene.world(Some(target), None);
        Deployments.scale_to_zero(&scene.subject(), &world).unwrap().map(|change| body(&change))
    };
    assert_eq!(down(&scene.target()), Some(json!({"spec": {"replicas": 0}})));
    assert_eq!(
        down(&with(scene.target(), "/spec/replicas", Value::Null)),
        Some(json!({"spec": {"replicas": 0}}))
    );
    assert_eq!(down(&with(scene.target(), "/spec/replicas", json!(0))), None);
}

#[test]
fn the_target_is_not_scaled_by_a_primary_that_is_not_known() {
    let scene = Scene::default();
    let target = with(scene.target(), "/spec/replicas", json!(0));
    let mut world = scene.world(Some(&target), None);
    world.insert(scene.subject().key(kinds::DEPLOYMENT, Side::Primary), Seen::NotKnown);
    assert!(Deployments.scale_up(&scene.subject(), &world).is_err());
}

#[test]
fn a_target_with_a_scaler_comes_up_with_the_scalers_minimum() {
    let reference = ScalerRef {
        kind: "HorizontalPodAutoscaler".to_owned(),
        name: "podinfo".to_owned(),
        ..ScalerRef::default()
    };
    let scene = Scene { scaler: Some(reference), ..Scene::default() };
    let hpa = |least: Value| {
        json!({"spec": {
            "minReplicas": least, "maxReplicas": 9,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
        }})
    };
    let check = |replicas: i64, least: Seen, expect: Result<Option<i64>, &str>| {
        let target = with(scene.target(), "/spec/replicas", json!(replicas));
        let primary = with(scene.primary_of(&target), "/spec/replicas", json!(7));
        let mut world = scene.world(Some(&target), Some(&primary));
        let [key, copy] = Deployments.needs(&scene.subject(), &world).try_into().unwrap();
        assert_eq!((key.name(), copy.name()), ("podinfo", "podinfo-primary"));
        world.insert(key, least);
        let scaling = Deployments.scale_up(&scene.subject(), &world);
        let found = scaling.map(|it| it.map(|it| it.replicas)).map_err(|error| error.to_string());
        assert_eq!(found, expect.map_err(str::to_owned));
    };
    check(0, Seen::present(hpa(json!(3))), Ok(Some(3)));
    check(0, Seen::present(hpa(json!(0))), Ok(Some(1)));
    check(0, Seen::present(hpa(Value::Null)), Ok(Some(1)));
    check(0, Seen::Absent, Ok(Some(1)));
    check(0, Seen::NotKnown, Err("HorizontalPodAutoscaler podinfo.test is not known yet"));
    check(4, Seen::present(hpa(json!(3))), Ok(None));
    check(4, Seen::NotKnown, Ok(None));
}
