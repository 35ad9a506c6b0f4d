//! What is packed is unpacked as it was, and is small.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn check(object: &Value) {
    let packed = Packed::of(object);
    assert_eq!(packed.value(), *object);
    let (namespace, name) = (meta::text(object, "/metadata/namespace"), meta::text(object, "/metadata/name"));
    assert_eq!(packed.place(), place(namespace, name));
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9-]{0,12}",
        "[0-9]{1,22}",
        "[0-9a-f]{0,70}",
        "v1-[0-9a-f]{0,50}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
        "[0-9T:-]{19}Z",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        ".{0,100}",
        prop::sample::select(vec![
            "podinfo",
            "podinfo-primary",
            "podinfo-canary",
            "resourceVersion",
            "metadata",
            "007",
            "2026-01-31T12:00:00Z",
        ])
        .prop_map(str::to_owned),
        prop::sample::select(WORDS).prop_map(str::to_owned),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 120, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            prop::collection::btree_map(texts(), inner, 0..20)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost(spec in values(), more in values(), version in texts(), name in texts()) {
        check(&json!({"metadata": {"name": name, "namespace": "test", "resourceVersion": version}, "spec": spec}));
        check(&json!({"metadata": more, "spec": spec}));
        check(&spec);
    }
}

#[test]
fn versions_that_say_the_same_have_equal_bytes() {
    let packed = |version: &str, spec: u64| {
        Packed::of(
            &json!({"metadata": {"name": "a", "resourceVersion": version}, "spec": {"resourceVersion": spec}}),
        )
    };
    assert!(packed("1", 1).says_the_same(&packed("20", 1)));
    assert!(!packed("1", 1).says_the_same(&packed("1", 2)));
    assert!(!packed("x1", 1).says_the_same(&packed("x2", 1)), "no number is left out");
    assert_eq!([packed("20", 1).version(), packed("x2", 1).version()], [20, 0]);
}

#[test]
fn an_ordinary_object_takes_a_few_hundred_bytes() {
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": "podinfo-0001-primary", "namespace": "tenant-01", "resourceVersion": "123456",
            "uid": "0b1f0e7a-6d2e-4a6e-9d0f-6a0b6a3f9c11", "creationTimestamp": "2026-01-31T12:00:00Z",
            "annotations": {"revision": "v1-3005763919c0c18aedc7cd36e65a2d7ff24ec33f"}, "labels": {"app": "podinfo-0001-primary"},
            "ownerReferences": [{
                "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "podinfo-0001",
                "uid": "1b1f0e7a-6d2e-4a6e-9d0f-6a0b6a3f9c12", "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "type": "ClusterIP", "clusterIP": "10.96.12.13", "clusterIPs": ["10.96.12.13"],
            "ports": [{"name": "http", "port": 80, "targetPort": 9898, "protocol": "TCP"}],
            "selector": {"app": "podinfo-0001-primary"}, "sessionAffinity": "None",
        },
    });
    check(&service);
    assert!(Packed::of(&service).0.len() < 200, "{}", Packed::of(&service).0.len());
    assert!(WORDS.len() <= 256);
}
