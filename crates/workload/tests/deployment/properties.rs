//! What holds for every template, not only for podinfo's.

use proptest::{collection, prelude::*};
use serde_json::{Map, Value, json};
use vexil_object::Objects;
use vexil_workload::{Deployments, PrimaryCopy, Settings, TrackedConfigs, Workload, WorkloadError};

use crate::fixture::{Scene, patched};

/// Any JSON of bounded depth.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z~/\u{e9}\"]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::btree_map("[a-e]{1,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Labels or annotations, some of them with keys that mean something to a tool.
fn any_pairs() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("kustomize.toolkit.fluxcd.io/name".to_owned()),
        Just("flagger-id".to_owned()),
        Just("app".to_owned()),
        Just("app.kubernetes.io/x".to_owned()),
        Just("deployment.kubernetes.io/revision".to_owned()),
        "[a-z]{1,3}(/[a-z~]{1,3})?",
    ];
    collection::btree_map(key, "[a-z]{0,3}", 0..5).prop_map(|pairs| json!(pairs))
}

prop_compose! {
    fn any_target()(
        labels in any_pairs(), annotations in any_pairs(), pod_labels in any_pairs(), pod_annotations in any_pairs(),
        pod_spec in any_json(), affinity in any_json(), replicas in prop::option::of(0..9_i64),
    ) -> Value {
        let mut target = Scene::default().target();
        target["metadata"]["labels"] = labels;
        target["metadata"]["annotations"] = annotations;
        target["spec"]["replicas"] = json!(replicas);
        target["spec"]["template"] = json!({
            "metadata": {"labels": pod_labels, "annotations": pod_annotations},
            "spec": {"x": pod_spec, "affinity": {"podAntiAffinity": affinity.clone()}, "topologySpreadConstraints": affinity},
        });
        target
    }
}

/// The same document with its members in reverse order and a null in each object.
fn shuffled(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let members = map.iter().rev().map(|(key, member)| (key.clone(), shuffled(member)));
            let nothing = ("an-unset-field".to_owned(), Value::Null);
            Value::Object(std::iter::once(nothing).chain(members).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(shuffled).collect(),
        scalar => scalar.clone(),
    }
}

fn keys(pairs: &Value) -> Vec<String> {
    pairs.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

fn scenes() -> impl Strategy<Value = Scene> {
    prop_oneof![Just(""), Just("*"), Just("app,de")]
        .prop_map(|prefixes| Scene { settings: Settings::from_flags("app", prefixes), ..Scene::default() })
}

fn matches(scene: &Scene, target: &Value, world: &Objects) -> Result<bool, WorkloadError> {
    Deployments.matches_primary(&scene.subject(), target, &TrackedConfigs::new(), world)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn order_of_members_and_unset_fields_make_no_revision(target in any_target()) {
        let again = json!({"spec": {"template": shuffled(&target["spec"]["template"])}});
        prop_assert_eq!(Deployments.revision(&target), Deployments.revision(&again));
    }

    #[test]
    fn a_primary_never_carries_the_keys_of_flux(scene in scenes(), target in any_target()) {
        let primary = scene.primary_of(&target);
        for map in ["/metadata/labels", "/metadata/annotations",
            "/spec/template/metadata/labels", "/spec/template/metadata/annotations"] {
            let found = keys(primary.pointer(map).unwrap());
            prop_assert!(!found.iter().any(|key| key.contains("toolkit.fluxcd.io")), "{} {:?}", map, found);
        }
        prop_assert!(primary["spec"]["replicas"].as_i64() > Some(0));
        prop_assert_eq!(&primary["spec"]["template"]["metadata"]["labels"]["app"], "podinfo-primary");
    }

    #[test]
    fn a_primary_matches_the_target_it_was_made_from(scene in scenes(), target in any_target()) {
        let primary = scene.primary_of(&target);
        let world = scene.world(Some(&target), Some(&primary));
        prop_assert_eq!(matches(&scene, &target, &world), Ok(true));
        let copy = Deployments.create_primary(&scene.subject(), &target, None, &world);
        prop_assert_eq!(copy, Ok(PrimaryCopy::Held));
    }

    #[test]
    fn whatever_is_promoted_is_promoted_once(scene in scenes(), before in any_target(), target in any_target()) {
        let primary = scene.primary_of(&before);
        let revision = Deployments.revision(&target).unwrap();
        let promote = |primary: &Value| {
            let world = scene.world(Some(&target), Some(primary));
            Deployments.promote(&scene.subject(), &target, &revision, &world).unwrap()
        };
        let after = match promote(&primary) {
            PrimaryCopy::Write { change, .. } => patched(&primary, &change),
            PrimaryCopy::Held => primary,
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(promote(&after), PrimaryCopy::Held);
        prop_assert!(after["spec"]["replicas"].as_i64() > Some(0));
        let world = scene.world(Some(&target), Some(&after));
        prop_assert_eq!(matches(&scene, &target, &world), Ok(true));
    }
}
