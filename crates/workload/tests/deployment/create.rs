//! The primary as it is first made.

use serde_json::{Value, json};
use vexil_analysis::Revision;
use vexil_object::{Owner, Seen, kinds, meta};
use vexil_workload::{Deployments, Ownership, PrimaryCopy, Settings, Side, Workload, WorkloadCatalog};

use crate::fixture::{Scene, WRITTEN, with};

fn refused(scene: &Scene, target: &Value, primary: Option<&Value>, expect: &str) {
    let world = scene.world(Some(target), primary);
    let error = Deployments.create_primary(&scene.subject(), target, None, &world).unwrap_err();
    assert_eq!(error.to_string(), expect);
}

#[test]
fn the_primary_is_the_target_under_its_own_name_label_and_owner() {
    let scene = Scene::default();
    let target = scene.target();
    let mut primary = scene.primary_of(&target);
    let written = primary["metadata"]["annotations"].as_object_mut().unwrap().remove(WRITTEN);
    assert_eq!(written, Some(json!(Deployments.revision(&primary).unwrap().as_str())));

    assert_eq!(
        primary["metadata"],
        json!({
            "name": "podinfo-primary", "namespace": "test", "uid": "primary-uid", "resourceVersion": "300",
            "labels": {"app": "podinfo-primary", "app.kubernetes.io/part-of": "shop"},
            "annotations": {"app.kubernetes.io/note": "kept", "owner": "someone"},
            "ownerReferences": [scene.owner.reference()],
        })
    );
    assert_eq!(primary["spec"]["selector"], json!({"matchLabels": {"app": "podinfo-primary"}}));
    for field in ["progressDeadlineSeconds", "replicas", "revisionHistoryLimit", "strategy"] {
        assert_eq!(primary["spec"][field], target["spec"][field], "{field}");
    }
    let pods = &primary["spec"]["template"];
    assert_eq!(pods["metadata"]["labels"], json!({"app": "podinfo-primary", "version": "6"}));
    let annotations = pods["metadata"]["annotations"].as_object().unwrap();
    let keys: Vec<_> = annotations.keys().map(String::as_str).collect();
    assert_eq!(keys, ["flagger-id", "prometheus.io/port", "prometheus.io/scrape"]);

    let affinity = "/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/0/labelSelector/matchLabels";
    assert_eq!(pods["spec"].pointer(affinity), Some(&json!({"app": "podinfo-primary"})));
    let mut spec = pods["spec"].clone();
    *spec.pointer_mut(affinity).unwrap() = json!({"app": "podinfo"});
    assert_eq!(spec, target["spec"]["template"]["spec"]);
}

#[test]
fn the_label_value_need_not_be_the_targets_name() {
    let scene = Scene { name: "podinfo-service".to_owned(), ..Scene::default() };
    let primary = scene.primary_of(&scene.target());
    assert_eq!(meta::text(&primary, "/metadata/name"), "podinfo-service-primary");
    assert_eq!(primary["spec"]["selector"], json!({"matchLabels": {"app": "podinfo-primary"}}));
}

#[test]
fn a_primary_never_starts_without_pods_nor_paused() {
    let scene = Scene::default();
    for (replicas, expect) in [(json!(0), 1), (Value::Null, 1), (json!(7), 7)] {
        let target = with(with(scene.target(), "/spec/replicas", replicas), "/spec/paused", json!(true));
        let primary = scene.primary_of(&target);
        assert_eq!(primary["spec"]["replicas"], json!(expect));
        assert_eq!(primary["spec"].get("paused"), None);
    }
}

#[test]
fn the_revision_that_is_copied_is_the_one_that_was_read() {
    let scene = Scene::default();
    let target = scene.target();
    let world = scene.world(Some(&target), None);
    let revision = Deployments.revision(&target).unwrap();
    let copy = |expected: Option<&Revision>| {
        Deployments.create_primary(&scene.subject(), &target, expected, &world).unwrap()
    };
    let PrimaryCopy::Write { change, revision: copied } = copy(Some(&revision)) else { panic!() };
    assert_eq!(copied, revision);
    assert!(Deployments.holds(&crate::fixture::stored(&change), &revision));
    assert_eq!(copy(Some(&Revision::new("v1-other"))), PrimaryCopy::Moved { found: revision });
}

#[test]
fn an_existing_primary_is_not_overwritten() {
    let scene = Scene::default();
    let target = scene.target();
    let primary = scene.primary_of(&target);
    let check = |target: &Value, expect: PrimaryCopy| {
        let world = scene.world(Some(target), Some(&primary));
        assert_eq!(Deployments.create_primary(&scene.subject(), target, None, &world), Ok(expect));
    };
    check(&target, PrimaryCopy::Held);
    let image = "/spec/template/spec/containers/0/image";
    check(&with_image(&target, image), PrimaryCopy::Exists);
}

fn with_image(target: &Value, pointer: &str) -> Value {
    let mut target = target.clone();
    *target.pointer_mut(pointer).unwrap() = json!("stefanprodan/podinfo:6.0.1");
    target
}

#[test]
fn what_cannot_be_made_is_reported_clearly() {
    let scene = Scene::default();
    let target = scene.target();
    let other = "/spec/selector/matchLabels";
    refused(
        &scene,
        &with(target.clone(), other, json!({"tier": "web"})),
        None,
        "getSelectorLabel failed: deployment podinfo.test spec.selector.matchLabels must contain one of [app name]",
    );
    refused(
        &scene,
        &with(target.clone(), other, json!({"app": "p".repeat(56)})),
        None,
        &format!(
            "label value of the primary {}-primary has 64 characters, more than the 63 that Kubernetes allows; \
             shorten it",
            "p".repeat(56)
        ),
    );
    let long = Scene { name: "p".repeat(246), ..Scene::default() };
    let text = format!("{}-primary", long.name);
    refused(
        &long,
        &target,
        None,
        &format!(
            "name of the primary {text} has 254 characters, more than the 253 that Kubernetes allows; shorten it"
        ),
    );
    refused(
        &scene,
        &with(target.clone(), "/spec/template", Value::Null),
        None,
        "Deployment podinfo.test: spec.template is missing",
    );
    refused(
        &scene,
        &with(target, "/digests", json!({})),
        None,
        "Deployment podinfo.test: spec.template is only the part that the cache keeps; read the object itself",
    );
}

#[test]
fn a_primary_of_somebody_else_is_left_alone() {
    let scene = Scene::default();
    let target = scene.target();
    let primary = scene.primary_of(&target);
    let owned = |reference: Value| with(primary.clone(), "/metadata/ownerReferences", json!([reference]));
    let left = |owner: &str| {
        format!(
            "Deployment podinfo-primary.test is controlled by {owner} and is left alone; remove or rename it once nothing uses it"
        )
    };
    let orphan = with(primary.clone(), "/metadata/ownerReferences", Value::Null);
    let cure = ", or, if it was restored from a backup, add an owner reference to Canary podinfo with its uid and \
                controller: true";
    refused(&scene, &target, Some(&orphan), &(left("no Canary") + cure));
    let ownership = |primary: &Value| Deployments.ownership(&scene.subject(), primary);
    assert_eq!([ownership(&primary), ownership(&orphan)], [Ownership::Ours, Ownership::Unowned]);
    let helm = json!({"kind": "HelmRelease", "name": "shop", "uid": "x", "controller": true});
    refused(&scene, &target, Some(&owned(helm.clone())), &left("HelmRelease shop"));
    assert_eq!(ownership(&owned(helm)), Ownership::Foreign("HelmRelease shop".to_owned()));
    let namesake = Owner { name: "podinfo".to_owned(), uid: "before".to_owned() }.reference();
    let earlier = "an earlier Canary podinfo, whose objects are about to be collected";
    refused(&scene, &target, Some(&owned(namesake)), &left(earlier));
}

#[test]
fn nothing_is_made_or_judged_before_it_is_known() {
    let scene = Scene::default();
    let target = scene.target();
    let subject = scene.subject();
    let mut world = scene.world(Some(&target), None);
    let key = subject.key(kinds::DEPLOYMENT, Side::Primary);
    world.insert(key, Seen::NotKnown);
    let error = Deployments.create_primary(&subject, &target, None, &world).unwrap_err();
    assert_eq!(error.to_string(), "Deployment podinfo-primary.test is not known yet");
    assert_eq!(
        Deployments.selector(&subject, &scene.world(None, None)).unwrap_err().to_string(),
        "deployment podinfo.test get query error: deployments.apps \"podinfo\" not found"
    );
    assert_eq!(Deployments.needs(&subject, &vexil_object::Objects::default()).len(), 2);
    assert_eq!(Deployments.needs(&subject, &world), []);
}

#[test]
fn an_unknown_kind_is_refused_with_the_kinds_there_are() {
    let error = WorkloadCatalog::default().workload("StatefulSet").err().unwrap();
    assert_eq!(
        error.to_string(),
        "unknown canary target kind StatefulSet; use one of: Deployment, DaemonSet, Service"
    );
    assert_eq!(WorkloadCatalog::default().workload("Deployment").unwrap().kind(), kinds::DEPLOYMENT);
}

#[test]
fn the_first_configured_key_decides_until_there_is_a_primary() {
    let mut scene = Scene::default();
    let both = json!({"app": "a", "name": "n"});
    let target = with(scene.target(), "/spec/selector/matchLabels", both);
    let key = |scene: &Scene, target: &Value, primary: Option<&Value>| {
        let found = Deployments.selector(&scene.subject(), &scene.world(Some(target), primary));
        found
            .map(|selector| format!("{}={}", selector.key, selector.value))
            .map_err(|error| error.to_string())
    };
    assert_eq!(key(&scene, &target, None).unwrap(), "app=a");
    let primary = scene.primary_of(&target);
    scene.settings = Settings::from_flags("name,app", "");
    assert_eq!(key(&scene, &target, None).unwrap(), "name=n");
    scene.settings = Settings::from_flags("name", "");
    assert_eq!(key(&scene, &target, Some(&primary)).unwrap(), "app=a");

    let renamed = with(target, "/spec/selector/matchLabels", json!({"app": "b", "name": "n"}));
    assert_eq!(
        key(&scene, &renamed, Some(&primary)).unwrap_err(),
        "Deployment podinfo-primary.test selects its pods by app=a-primary,name=n, which does not follow from \
         spec.selector.matchLabels of Deployment podinfo.test; delete the primary to have it made anew"
    );
}
