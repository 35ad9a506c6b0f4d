//! The same on a real API server, the one of `$KUBECONFIG_E2E`, by `kubectl`: what it fills in makes no second write.
//! Ignored unless they are asked for.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use vexil_object::{Action, Change, ObjectKey};

use crate::fixture::{Scene, guides_hpa, guides_scaled_object, hpa, keda};

/// A namespace of a real cluster.
struct Cluster {
    kubeconfig: String,
    namespace: String,
}

impl Cluster {
    /// A new namespace.
    fn fresh(name: &str) -> Self {
        let kubeconfig = std::env::var("KUBECONFIG_E2E").expect("KUBECONFIG_E2E names no kubeconfig");
        let cluster = Cluster { kubeconfig, namespace: format!("{name}-{}", std::process::id()) };
        cluster.kubectl(&["create", "namespace", &cluster.namespace], "");
        cluster
    }

    #[track_caller]
    fn kubectl(&self, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new("kubectl");
        command.args(["--kubeconfig", &self.kubeconfig]).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "kubectl {arguments:?} {input}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A user's `kubectl apply`. Fields that the server does not know are pruned.
    fn apply(&self, mut object: Value) {
        object["metadata"].as_object_mut().unwrap().remove("creationTimestamp");
        let object = without_namespace(object).to_string();
        self.kubectl(&["apply", "--validate=false", "-n", &self.namespace, "-f", "-"], &object);
    }

    /// The object as we read it.
    fn read(&self, key: &ObjectKey) -> Option<Value> {
        let (kind, name) = (key.kind(), key.name());
        let resource = format!("{}.{}.{}", kind.plural, kind.version, kind.group);
        let text = self.kubectl(
            &["get", &resource, name, "-n", &self.namespace, "-o", "json", "--ignore-not-found"],
            "",
        );
        let mut object: Value = serde_json::from_str(&text).ok()?;
        object["metadata"]["namespace"] = json!("test");
        Some(object)
    }

    /// One of our writes.
    fn write(&self, change: &Change) {
        match &change.action {
            Action::Create(object) => {
                let mut object = without_namespace(object.clone());
                // There is no such Canary here, and the garbage collector would know.
                object["metadata"].as_object_mut().unwrap().remove("ownerReferences");
                let object = object.to_string();
                self.kubectl(&["create", "-n", &self.namespace, "-f", "-"], &object);
            }
            Action::Merge { body, .. } => {
                let (kind, body) = (change.key.kind(), body.to_string());
                let resource = format!("{}.{}.{}", kind.plural, kind.version, kind.group);
                let name = change.key.name();
                self.kubectl(
                    &["patch", &resource, name, "-n", &self.namespace, "--type=merge", "-p", &body],
                    "",
                );
            }
            other => panic!("{other:?}"),
        }
    }

    /// The scene as the cluster has it.
    fn look(&self, scene: &mut Scene) {
        for key in [scene.source_key(), scene.primary_key()] {
            match self.read(&key) {
                Some(mut object) => {
                    if key == scene.primary_key() {
                        object["metadata"]["ownerReferences"] = json!([scene.owner.reference()]);
                    }
                    scene.store.put(key, object);
                }
                None => drop(scene.store.remove(&key)),
            }
        }
    }

    /// Does what is wanted; asked again, nothing more is. How many writes it took, and the copy.
    #[track_caller]
    fn settle(&self, scene: &mut Scene) -> (usize, Value) {
        self.look(scene);
        let changes = scene.wants().unwrap();
        changes.iter().for_each(|change| self.write(change));
        self.look(scene);
        assert_eq!(scene.wants(), Ok(vec![]), "asked again");
        (changes.len(), scene.primary())
    }
}

fn without_namespace(mut object: Value) -> Value {
    object["metadata"].as_object_mut().unwrap().remove("namespace");
    object
}

#[test]
#[ignore = "needs a Kubernetes API server: set KUBECONFIG_E2E"]
fn an_hpa_of_any_version_is_copied_once_and_followed() {
    let cluster = Cluster::fresh("vexil-hpa");
    let name = |mut source: Value, name: &str| {
        source["metadata"]["name"] = json!(name);
        source
    };
    let old = json!({
        "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "old"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
            "maxReplicas": 4, "targetCPUUtilizationPercentage": 70,
        },
    });
    let mut bare = name(guides_hpa(), "bare");
    bare["spec"] = json!({"scaleTargetRef": guides_hpa()["spec"]["scaleTargetRef"], "maxReplicas": 4});
    let mut sparse = name(guides_hpa(), "sparse");
    sparse["spec"]["behavior"] =
        json!({"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}});
    for source in [name(guides_hpa(), "podinfo"), old, bare, sparse] {
        let mut scene = hpa();
        scene.reference.name = source["metadata"]["name"].as_str().unwrap().to_owned();
        cluster.apply(source);
        let (writes, copy) = cluster.settle(&mut scene);
        assert_eq!((writes, copy["spec"]["maxReplicas"].as_i64()), (1, Some(4)));
        assert_eq!(cluster.settle(&mut scene).0, 0);

        let key = scene.source_key();
        for body in
            [json!({"spec": {"maxReplicas": 9}}), json!({"spec": {"behavior": null, "minReplicas": null}})]
        {
            let action = Action::Merge { body, on: vexil_object::Precondition::of(&copy) };
            cluster.write(&Change { key: key.clone(), action });
            let (_, copy) = cluster.settle(&mut scene);
            let mut want = cluster.read(&key).unwrap()["spec"].clone();
            want["scaleTargetRef"]["name"] = json!("podinfo-primary");
            assert_eq!(copy["spec"], want);
        }
        let mut bounded = scene.bounded(Some(2), Some(15));
        let (writes, copy) = cluster.settle(&mut bounded);
        assert_eq!((writes, copy["spec"]["minReplicas"].as_i64()), (1, Some(2)));
    }
}

#[test]
#[ignore = "needs a Kubernetes API server: set KUBECONFIG_E2E"]
fn a_scaledobject_is_copied_once_followed_and_rests() {
    let cluster = Cluster::fresh("vexil-keda");
    cluster.kubectl(&["apply", "-f", "-"], include_str!("../../../testbed-cluster/crds/keda.sh.yaml"));
    cluster.kubectl(&["wait", "--for=condition=established", "crd/scaledobjects.keda.sh"], "");
    let mut scene = keda();
    let mut source = guides_scaled_object();
    source["spec"]["aFieldOfTomorrow"] = json!(1);
    source["metadata"].as_object_mut().unwrap().remove("finalizers");
    cluster.apply(source);
    let (writes, copy) = cluster.settle(&mut scene);
    assert_eq!(
        (writes, copy["spec"].get("aFieldOfTomorrow")),
        (1, None),
        "pruned in the source, so in the copy"
    );
    assert_eq!(cluster.settle(&mut scene).0, 0);

    let pause = scene.scaler().pause(&scene.subject(), &scene.reference, &scene.have()).unwrap();
    cluster.write(&pause.unwrap());
    assert_eq!(cluster.settle(&mut scene).0, 0, "a rest is not copied");
    assert_eq!(scene.scaler().pause(&scene.subject(), &scene.reference, &scene.have()), Ok(None));
    let resume = scene.scaler().resume(&scene.subject(), &scene.reference, &scene.have()).unwrap();
    cluster.write(&resume.unwrap());
    let body = json!({"spec": {"fallback": null, "pollingInterval": 20}});
    let action = Action::Merge { body, on: vexil_object::Precondition::of(&copy) };
    cluster.write(&Change { key: scene.source_key(), action });
    let (writes, copy) = cluster.settle(&mut scene);
    assert_eq!(
        (writes, copy["spec"].get("fallback"), &copy["spec"]["pollingInterval"]),
        (1, None, &json!(20))
    );
    assert_eq!(scene.scaler().resume(&scene.subject(), &scene.reference, &scene.have()), Ok(None));
}
