//! A target as a real API server returns it, and a world to look at it in.

use serde_json::{Value, json};
use vexil_api::{CanarySpec, CanaryView, TargetRef, canary::ScalerRef};
use vexil_object::{Action, Change, JsonOp, ObjectKey, Objects, Owner, Projection, Seen, kinds};
use vexil_workload::{DeploymentProjection, Deployments, PrimaryCopy, Settings, Subject, Workload};

/// The annotation with the digest of the template that was last written to a primary.
pub const WRITTEN: &str = "flagger.app/written-template";

/// Names that a test may vary.
#[derive(Debug)]
pub struct Scene {
    pub name: String,
    pub owner: Owner,
    pub settings: Settings,
    pub scaler: Option<ScalerRef>,
}

impl Default for Scene {
    fn default() -> Self {
        Scene {
            name: "podinfo".to_owned(),
            owner: Owner { name: "podinfo".to_owned(), uid: "canary-uid".to_owned() },
            settings: Settings::from_flags("app,name", "app.kubernetes.io"),
            scaler: None,
        }
    }
}

impl Scene {
    pub fn subject(&self) -> Subject<'_> {
        // Tests edit the fields in between, and a subject borrows its spec.
        let spec = Box::leak(Box::new(CanarySpec {
            target_ref: TargetRef { name: self.name.clone(), ..TargetRef::default() },
            autoscaler_ref: self.scaler.clone(),
            ..CanarySpec::default()
        }));
        Subject { view: CanaryView::new(&self.owner, "test", spec), settings: &self.settings }
    }

    /// The target `app: podinfo` as in the recorded traces, with what real manifests carry besides.
    pub fn target(&self) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": self.name, "namespace": "test", "uid": "cbde7a39-614d-4277-a08f-322a84f3ae84",
                "resourceVersion": "225", "generation": 1, "creationTimestamp": "2026-11-21T05:20:39Z",
                "labels": {"app": "podinfo", "team": "blue", "app.kubernetes.io/part-of": "shop",
                    "kustomize.toolkit.fluxcd.io/name": "apps"},
                "annotations": {
                    "deployment.kubernetes.io/revision": "1",
                    "kubectl.kubernetes.io/last-applied-configuration": "{\"a\":\"long text\"}",
                    "kustomize.toolkit.fluxcd.io/checksum": "1234", "owner": "someone",
                    "app.kubernetes.io/note": "kept",
                },
                "managedFields": [{"manager": "kubectl", "operation": "Update"}],
            },
            "spec": {
                "progressDeadlineSeconds": 60, "replicas": 2, "revisionHistoryLimit": 5,
                "selector": {"matchLabels": {"app": "podinfo"}},
                "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}, "type": "RollingUpdate"},
                "template": {
                    "metadata": {
                        "annotations": {"prometheus.io/port": "9797", "prometheus.io/scrape": "true",
                            "kustomize.toolkit.fluxcd.io/checksum": "5678"},
                        "labels": {"app": "podinfo", "version": "6"},
                    },
                    "spec": {
                        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{
                            "labelSelector": {"matchLabels": {"app": "podinfo"}},
                            "topologyKey": "kubernetes.io/hostname",
                        }]}},
                        "containers": [{
                            "image": "stefanprodan/podinfo:6.0.0", "imagePullPolicy": "IfNotPresent",
                            "name": "podinfod",
                            "ports": [
                                {"containerPort": 9898, "name": "http", "protocol": "TCP"},
                                {"containerPort": 9797, "name": "http-metrics", "protocol": "TCP"},
                            ],
                            "resources": {"limits": {"cpu": "1", "memory": "128Mi"}},
                            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                        }],
                        "dnsPolicy": "ClusterFirst", "restartPolicy": "Always",
                        "schedulerName": "default-scheduler", "securityContext": {},
                        "terminationGracePeriodSeconds": 30, "aFieldOfTomorrow": {"kept": true},
                    },
                },
            },
            "status": {
                "availableReplicas": 2, "readyReplicas": 2, "replicas": 2, "updatedReplicas": 2,
                "observedGeneration": 1,
                "conditions": [
                    {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                     "lastTransitionTime": "2026-11-21T05:20:40Z", "lastUpdateTime": "2026-11-21T05:20:40Z",
                     "message": "Deployment has minimum availability."},
                    {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                     "lastTransitionTime": "2026-11-21T05:20:39Z", "lastUpdateTime": "2026-11-21T05:20:40Z",
                     "message": "ReplicaSet \"podinfo-5c55c4675d\" has successfully progressed."},
                ],
            },
        })
    }

    /// The primary that is made from `target`, as the API server would return it, projected as the cache keeps it.
    pub fn primary_of(&self, target: &Value) -> Value {
        let world = self.world(Some(target), None);
        match Deployments.create_primary(&self.subject(), target, None, &world) {
            Ok(PrimaryCopy::Write { change, .. }) => stored(&change),
            other => panic!("{other:?}"),
        }
    }

    /// What was seen: absent where `None`. Both are projected, as from the cache.
    pub fn world(&self, target: Option<&Value>, primary: Option<&Value>) -> Objects {
        let seen = |object: Option<&Value>| match object {
            Some(object) => Seen::present(DeploymentProjection.keep(object.clone())),
            None => Seen::Absent,
        };
        let key = |name: &str| ObjectKey::new(kinds::DEPLOYMENT, "test", name);
        let primary_name = format!("{}-primary", self.name);
        [(key(&self.name), seen(target)), (key(&primary_name), seen(primary))].into_iter().collect()
    }
}

/// The object that a create leaves in the API server.
pub fn stored(change: &Change) -> Value {
    let Action::Create(object) = &change.action else { panic!("{change:?}") };
    let mut object = object.clone();
    object["metadata"]["uid"] = json!("primary-uid");
    object["metadata"]["resourceVersion"] = json!("300");
    object
}

/// The object that a JSON patch leaves in the API server.
pub fn patched(live: &Value, change: &Change) -> Value {
    let Action::Json { ops, on } = &change.action else { panic!("{change:?}") };
    assert_eq!((on.uid.as_str(), on.resource_version.as_str()), ("primary-uid", "300"));
    let ops: Vec<_> = ops
        .iter()
        .map(|op| match op {
            JsonOp::Add(path, value) => json!({"op": "add", "path": path, "value": value}),
            JsonOp::Remove(path) => json!({"op": "remove", "path": path}),
        })
        .collect();
    let mut object = live.clone();
    json_patch::patch(&mut object, &serde_json::from_value::<json_patch::Patch>(json!(ops)).unwrap())
        .unwrap();
    object
}

/// `object` with the value at a pointer replaced; `null` removes the member.
pub fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(field)
    } else {
        parent.insert(field.to_owned(), value)
    };
    object
}
