//! The promotion copy, and taking over primaries that another operator copied.

use serde_json::{Value, json};
use vexil_analysis::Revision;
use vexil_api::canary::ScalerRef;
use vexil_object::{Action, JsonOp, Kind, ObjectKey, Seen, kinds};
use vexil_workload::{Deployments, PrimaryCopy, Settings, Side, TrackedConfigs, Workload, Write, reduced};

use crate::fixture::{Scene, WRITTEN, patched, with};

const IMAGE: &str = "/spec/template/spec/containers/0/image";

/// The next version of a target: another image, and nothing that was only in the former template.
fn next(target: Value) -> Value {
    let mut target = with(target, "/spec/template/spec/affinity", Value::Null);
    *target.pointer_mut(IMAGE).unwrap() = json!("stefanprodan/podinfo:6.0.1");
    target
}

fn promote(scene: &Scene, target: &Value, primary: &Value) -> PrimaryCopy {
    let expected = Deployments.revision(target).unwrap();
    let world = scene.world(Some(target), Some(primary));
    Deployments.promote(&scene.subject(), target, &expected, &world).unwrap()
}

fn promoted(scene: &Scene, target: &Value, primary: &Value) -> Value {
    match promote(scene, target, primary) {
        PrimaryCopy::Write { change, revision } => {
            assert_eq!(Some(revision), Deployments.revision(target));
            patched(primary, &change)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_template_is_replaced_whole_and_carries_the_revision() {
    let scene = Scene::default();
    let primary = scene.primary_of(&scene.target());
    let target = next(scene.target());
    let after = promoted(&scene, &target, &primary);
    assert_eq!(after["spec"]["template"], scene.primary_of(&target)["spec"]["template"]);
    assert!(after.pointer("/spec/template/spec/affinity").is_none());
    assert!(Deployments.holds(&after, &Deployments.revision(&target).unwrap()));
    assert!(!Deployments.holds(&primary, &Deployments.revision(&target).unwrap()));
}

#[test]
fn a_promotion_that_happened_is_not_repeated() {
    let scene = Scene::default();
    let target = next(scene.target());
    let after = promoted(&scene, &target, &scene.primary_of(&scene.target()));
    assert_eq!(promote(&scene, &target, &after), PrimaryCopy::Held);
}

#[test]
fn a_target_that_moved_on_is_not_copied() {
    let scene = Scene::default();
    let primary = scene.primary_of(&scene.target());
    let analysed = Deployments.revision(&scene.target()).unwrap();
    let target = next(scene.target());
    let found = Deployments.revision(&target).unwrap();
    let copy = |expected: &Revision, primary: &Value| {
        let world = scene.world(Some(&target), Some(primary));
        Deployments.promote(&scene.subject(), &target, expected, &world).unwrap()
    };
    assert_eq!(copy(&Revision::new("v1-analysed"), &primary), PrimaryCopy::Moved { found });
    // Once it was overwritten the promotion is finished forward, whatever the target is by now.
    assert_eq!(copy(&analysed, &primary), PrimaryCopy::Held);
}

#[test]
fn fields_beside_the_template_follow_the_target() {
    let scene = Scene::default();
    let primary = scene.primary_of(&scene.target());
    let mut target = next(scene.target());
    target["spec"]["strategy"] = json!({"type": "Recreate"});
    target["spec"]["minReadySeconds"] = json!(3);
    target["spec"]["progressDeadlineSeconds"] = json!(99);
    target["spec"]["revisionHistoryLimit"] = json!(2);
    target["spec"]["paused"] = json!(true);
    let after = promoted(&scene, &target, &primary);
    let spec = &after["spec"];
    assert_eq!(spec["strategy"], json!({"type": "Recreate"}));
    assert_eq!(
        [&spec["minReadySeconds"], &spec["progressDeadlineSeconds"], &spec["revisionHistoryLimit"]],
        [3, 99, 2]
    );
    assert_eq!(spec.get("paused"), None);
    assert_eq!(spec["selector"], primary["spec"]["selector"]);
    assert_eq!(after["metadata"]["ownerReferences"], primary["metadata"]["ownerReferences"]);

    // Zero seconds are not returned by the API server; a template that is not changed would not be promoted.
    let unset = promoted(&scene, &with(scene.target(), "/spec/strategy", Value::Null), &after);
    assert_eq!(unset["spec"]["minReadySeconds"], json!(0));
}

#[test]
fn the_primarys_pods_are_never_taken_away() {
    let check = |autoscaled: bool, target_replicas: Value, primary_replicas: i64, expect: i64| {
        let scene = Scene { scaler: autoscaled.then(ScalerRef::default), ..Scene::default() };
        let primary = with(scene.primary_of(&scene.target()), "/spec/replicas", json!(primary_replicas));
        let target = with(next(scene.target()), "/spec/replicas", target_replicas.clone());
        let after = promoted(&scene, &target, &primary);
        assert_eq!(
            after["spec"]["replicas"],
            json!(expect),
            "{autoscaled} {target_replicas} {primary_replicas}"
        );
    };
    check(false, json!(5), 2, 5);
    check(false, json!(0), 2, 2);
    check(false, Value::Null, 2, 1);
    check(true, json!(5), 2, 2);
    check(true, json!(0), 0, 0);
}

/// An HPA or ScaledObject of a user that scales the primary has its replicas, though the Canary names none.
#[test]
fn a_promotion_leaves_the_replicas_to_whoever_scales_the_primary() {
    let hpa = Kind::namespaced("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers");
    let keda = Kind::namespaced("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects");
    let check = |kind: Kind, scales: &str, owners: Value, expect: i64| {
        let scene = Scene::default();
        let primary = with(scene.primary_of(&scene.target()), "/spec/replicas", json!(9));
        let target = with(next(scene.target()), "/spec/replicas", json!(1));
        let mut world = scene.world(Some(&target), Some(&primary));
        let scaler = json!({"metadata": {"name": "by-hand", "ownerReferences": owners},
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": scales}}});
        world.insert(ObjectKey::new(kind, "test", "by-hand"), Seen::present(scaler));
        let expected = Deployments.revision(&target).unwrap();
        match Deployments.promote(&scene.subject(), &target, &expected, &world) {
            Ok(PrimaryCopy::Write { change, .. }) => {
                assert_eq!(
                    patched(&primary, &change)["spec"]["replicas"],
                    json!(expect),
                    "{kind} of {scales}"
                );
            }
            other => panic!("{other:?}"),
        }
    };
    check(hpa, "podinfo-primary", Value::Null, 9);
    check(keda, "podinfo-primary", Value::Null, 9);
    check(hpa, "podinfo", Value::Null, 1);
    check(hpa, "shop-primary", Value::Null, 1);
    // The copy that the Canary made and no longer names is about to be deleted.
    check(hpa, "podinfo-primary", json!([Scene::default().owner.reference()]), 1);
}

#[test]
fn a_primary_on_copies_of_tracked_configs_is_adopted_as_it_is() {
    let scene = Scene::default();
    let uses = |config: &str| {
        let from =
            json!([{"configMapRef": {"name": config}}, {"secretRef": {"name": "web-key", "optional": true}}]);
        with(scene.target(), "/spec/template/spec/containers/0/envFrom", from)
    };
    let untracking =
        Scene { settings: Scene::default().settings.with_config_tracking(false), ..Scene::default() };
    let config = |name: &str, color: Option<&str>| {
        let key = ObjectKey::new(kinds::CONFIG_MAP, "test", name);
        let owner = json!([scene.owner.reference()]);
        let object = |color| {
            // Flagger copies no binary data.
            let binary = if name == "web-config" { json!({"logo": "AAEC"}) } else { json!({}) };
            let metadata = json!({"name": name, "ownerReferences": owner});
            reduced(&json!({"metadata": metadata, "data": {"color": color}, "binaryData": binary}))
        };
        (key, color.map_or(Seen::Absent, |color| Seen::present(object(color))))
    };
    let check = |scene: &Scene, tracked: &[&str], copy: Option<&str>, live: &Value, expect: bool| {
        let target = uses("web-config");
        let mut world = scene.world(Some(&target), None);
        // As one GET returns it.
        world.insert(scene.subject().key(kinds::DEPLOYMENT, Side::Primary), Seen::present(live.clone()));
        for (key, seen) in [config("web-config", Some("red")), config("web-config-primary", copy)] {
            world.insert(key, seen);
        }
        for name in ["web-key", "web-key-primary"] {
            world.insert(ObjectKey::new(kinds::SECRET, "test", name), Seen::Absent);
        }
        let tracked: TrackedConfigs = tracked.iter().map(|key| ((*key).to_owned(), "0".to_owned())).collect();
        let same = Deployments.matches_primary(&scene.subject(), &target, &tracked, &world);
        assert_eq!(same, Ok(expect), "{tracked:?} {copy:?}");
    };
    let flaggers = untracking.primary_of(&uses("web-config-primary"));
    let of = ["configmap/web-config"];
    check(&scene, &of, Some("red"), &flaggers, true);
    check(&scene, &of, Some("green"), &flaggers, false);
    check(&scene, &of, None, &flaggers, false);
    check(&scene, &of, Some("red"), &with(flaggers.clone(), IMAGE, json!("other:1")), false);
    check(&untracking, &of, Some("red"), &flaggers, true);
    check(&untracking, &["secret/web-config"], Some("red"), &flaggers, false);
    check(&untracking, &[], Some("red"), &flaggers, false);
}

#[test]
fn metadata_follows_the_prefix_filter_and_others_keep_theirs() {
    let mut scene = Scene::default();
    let mut primary = scene.primary_of(&scene.target());
    primary["metadata"]["labels"]["app.kubernetes.io/gone"] = json!("x");
    primary["metadata"]["labels"]["cost-centre"] = json!("theirs");
    primary["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("7");
    primary["metadata"]["annotations"]["example.com/a~b/c"] = json!("theirs");
    let target = next(scene.target());
    let check = |after: Value, labels: Value, annotations: Value| {
        assert_eq!(after["metadata"]["labels"], labels);
        let mut kept = after["metadata"]["annotations"].clone();
        assert!(kept.as_object_mut().unwrap().remove(WRITTEN).is_some());
        assert_eq!(kept, annotations);
    };
    let theirs = json!({"deployment.kubernetes.io/revision": "7", "example.com/a~b/c": "theirs",
        "app.kubernetes.io/note": "kept"});
    let labels =
        json!({"app": "podinfo-primary", "app.kubernetes.io/part-of": "shop", "cost-centre": "theirs"});
    check(promoted(&scene, &target, &primary), labels, theirs);

    scene.settings = Settings::from_flags("app", "*");
    check(
        promoted(&scene, &target, &primary),
        json!({"app": "podinfo-primary", "app.kubernetes.io/part-of": "shop", "team": "blue"}),
        json!({"app.kubernetes.io/note": "kept", "deployment.kubernetes.io/revision": "7", "owner": "someone"}),
    );

    let bare = with(with(primary, "/metadata/labels", Value::Null), "/metadata/annotations", Value::Null);
    scene.settings = Settings::default();
    let after = promoted(&scene, &target, &bare);
    assert_eq!(after["metadata"]["labels"], json!({"app": "podinfo-primary"}));
    assert_eq!(after["metadata"]["annotations"].as_object().unwrap().keys().collect::<Vec<_>>(), [WRITTEN]);
}

#[test]
fn equal_metadata_and_replicas_are_not_written() {
    let scene = Scene { settings: Settings::from_flags("app", "*"), ..Scene::default() };
    let target = next(scene.target());
    let PrimaryCopy::Write { change, .. } = promote(&scene, &target, &scene.primary_of(&scene.target()))
    else {
        panic!()
    };
    let Action::Json { ops, .. } = change.action else { panic!() };
    let paths: Vec<_> = ops
        .iter()
        .map(|op| match op {
            JsonOp::Add(path, _) | JsonOp::Remove(path) => path.as_str(),
        })
        .collect();
    let expect =
        ["minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit", "strategy", "template"];
    let expect = expect.map(|field| format!("/spec/{field}")).into_iter();
    // The digest of the template is written with it.
    assert_eq!(paths, expect.chain(["/metadata/annotations".to_owned()]).collect::<Vec<_>>());
}

#[test]
fn a_primary_that_runs_the_same_is_adopted_whoever_stamped_it() {
    let scene = Scene::default();
    let target = scene.target();
    let id = "/spec/template/metadata/annotations/flagger-id";
    let check = |target: &Value, primary: &Value, expect: bool| {
        let world = scene.world(Some(target), Some(primary));
        assert_eq!(
            Deployments.matches_primary(&scene.subject(), target, &TrackedConfigs::new(), &world),
            Ok(expect)
        );
    };
    let ours = scene.primary_of(&target);
    let theirs = with(ours.clone(), id, json!("0d4e6dc2-6ad7-4a29-9d9b-6e3a6a4a3d33"));
    check(&target, &ours, true);
    check(&target, &theirs, true);
    check(&target, &with(theirs.clone(), "/spec/replicas", json!(9)), true);
    check(&next(target.clone()), &theirs, false);
    check(&target, &next(theirs), false);

    let bare = with(target, "/spec/template/metadata/annotations", Value::Null);
    check(&bare, &with(scene.primary_of(&bare), id, json!("x")), true);
}

#[test]
fn refused_writes_are_told_in_the_contracts_words() {
    let scene = Scene::default();
    let check = |write: Write, expect: &str| {
        assert_eq!(Deployments.refused(&scene.subject(), write, "denied"), expect);
    };
    check(Write::Promote, "updating deployment podinfo-primary.test template spec failed: denied");
    check(Write::ScaleUp(2), "scaling up podinfo.test to 2 failed: denied");
    check(Write::ScaleToZero, "deployment podinfo.test patch query error: denied");
    check(
        Write::CreatePrimary,
        "createPrimaryDeployment failed: creating deployment podinfo-primary.test failed: denied",
    );
}
