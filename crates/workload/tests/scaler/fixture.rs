//! A namespace with a user's scaler, and the Canary that names it.

use serde_json::{Value, json};
use vexil_api::{
    CanarySpec, CanaryView, TargetRef,
    canary::{PrimaryScalerReplicas, ScalerRef},
};
use vexil_object::{Change, Kind, ObjectKey, Objects, Owner, Seen, Store, merge};
use vexil_workload::{Scaler, Settings, Subject, WorkloadCatalog};

/// `kubectl apply` leaves this on what it has applied.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A Canary `podinfo` in namespace `test`, with its scaler, and the objects there are.
#[derive(Debug)]
pub struct Scene {
    pub target: String,
    pub owner: Owner,
    pub settings: Settings,
    pub reference: ScalerRef,
    pub store: Store,
}

impl Scene {
    /// The Canary names `source`, which is there.
    pub fn with(kind: &str, source: Value) -> Self {
        let name = source["metadata"]["name"].as_str().unwrap().to_owned();
        let reference = ScalerRef { kind: kind.to_owned(), name, ..ScalerRef::default() };
        let mut scene = Scene {
            target: "podinfo".to_owned(),
            owner: Owner { name: "podinfo".to_owned(), uid: "canary-uid".to_owned() },
            settings: Settings::default(),
            reference,
            store: Store::default(),
        };
        scene.store.put(scene.source_key(), source);
        scene
    }

    pub fn scaler(&self) -> &'static dyn Scaler {
        WorkloadCatalog::default().scaler(&self.reference).unwrap()
    }

    pub fn kind(&self) -> Kind {
        self.scaler().kind()
    }

    pub fn key(&self, name: &str) -> ObjectKey {
        ObjectKey::new(self.kind(), "test", name)
    }

    pub fn source_key(&self) -> ObjectKey {
        self.key(&self.reference.name)
    }

    pub fn primary_key(&self) -> ObjectKey {
        self.key(&format!("{}-primary", self.reference.name))
    }

    pub fn subject(&self) -> Subject<'_> {
        // Tests edit the fields in between, and a subject borrows its spec.
        let spec = Box::leak(Box::new(CanarySpec {
            target_ref: TargetRef { name: self.target.clone(), ..TargetRef::default() },
            autoscaler_ref: Some(self.reference.clone()),
            ..CanarySpec::default()
        }));
        Subject { view: CanaryView::new(&self.owner, "test", spec), settings: &self.settings }
    }

    /// What there is, and what there is not.
    pub fn have(&self) -> Objects {
        let mut have = Objects::from(&self.store);
        loop {
            let needs = self.scaler().needs(&self.subject(), &self.reference, &have);
            if needs.is_empty() {
                return have;
            }
            for key in needs {
                let seen = self.store.look(&key);
                have.insert(key, seen);
            }
        }
    }

    /// What the scaler wants for the primary, or why not.
    pub fn wants(&self) -> Result<Vec<Change>, String> {
        self.wants_having(&self.have())
    }

    pub fn wants_having(&self, have: &Objects) -> Result<Vec<Change>, String> {
        self.scaler().primary(&self.subject(), &self.reference, have).map_err(|error| error.to_string())
    }

    /// The primary's scaler after all that is wanted is done; asked again, nothing more is.
    #[track_caller]
    pub fn settled(&mut self) -> Value {
        for change in self.wants().unwrap() {
            self.store.apply(&change).unwrap();
        }
        assert_eq!(self.wants(), Ok(vec![]), "asked again");
        self.primary()
    }

    /// The primary's scaler.
    #[track_caller]
    pub fn primary(&self) -> Value {
        self.store.get(&self.primary_key()).cloned().unwrap()
    }

    /// What there is but for one object, of which nothing is known.
    pub fn not_knowing(&self, key: &ObjectKey) -> Objects {
        let mut have = self.have();
        have.insert(key.clone(), Seen::NotKnown);
        have
    }

    /// Applies a merge patch to an object, as another client does.
    pub fn edit(&mut self, key: &ObjectKey, patch: Value) {
        let mut object = self.store.get(key).cloned().unwrap();
        merge(&mut object, &patch);
        self.store.put(key.clone(), object);
    }

    /// `spec.autoscalerRef.primaryScalerReplicas`.
    pub fn bounded(mut self, min: Option<i64>, max: Option<i64>) -> Self {
        let replicas = PrimaryScalerReplicas { min_replicas: min, max_replicas: max };
        self.reference.primary_scaler_replicas = Some(replicas);
        self
    }

    /// How many pods a rollout begins with.
    pub fn least(&self) -> i64 {
        self.scaler().least(&self.subject(), &self.reference, &self.have()).unwrap()
    }
}

/// The scaler of the guides as a real API server (1.35) returns it: what it fills in is `selectPolicy`, all of
/// `scaleUp`, and in `status` a null.
pub fn guides_hpa() -> Value {
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {
            "name": "podinfo", "namespace": "test", "creationTimestamp": "2026-11-21T08:22:57Z",
            "labels": {"app": "podinfo", "team": "blue", "kustomize.toolkit.fluxcd.io/name": "apps",
                "app.kubernetes.io/instance": "shop"},
            "annotations": {LAST_APPLIED: "{}", "note": "theirs"},
        },
        "spec": {
            "behavior": {
                "scaleDown": {"policies": [{"periodSeconds": 60, "type": "Pods", "value": 1}], "selectPolicy": "Max"},
                "scaleUp": {
                    "policies": [
                        {"periodSeconds": 15, "type": "Pods", "value": 4},
                        {"periodSeconds": 15, "type": "Percent", "value": 100},
                    ],
                    "selectPolicy": "Max", "stabilizationWindowSeconds": 0,
                },
            },
            "minReplicas": 2, "maxReplicas": 4,
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"averageUtilization": 99, "type": "Utilization"},
            }}],
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
        },
        "status": {"currentMetrics": null, "desiredReplicas": 0},
    })
}

/// A ScaledObject with a field of each kind, as KEDA leaves it: finalizer, label and status are its own.
pub fn guides_scaled_object() -> Value {
    json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
        "metadata": {
            "name": "podinfo-so", "namespace": "test", "finalizers": ["finalizer.keda.sh"],
            "labels": {"app": "podinfo", "scaledobject.keda.sh/name": "podinfo-so",
                "kustomize.toolkit.fluxcd.io/name": "apps"},
            "annotations": {LAST_APPLIED: "{}", "scaledobject.keda.sh/transfer-hpa-ownership": "true"},
        },
        "spec": {
            "scaleTargetRef": {"name": "podinfo", "envSourceContainerName": "podinfod"},
            "pollingInterval": 10, "cooldownPeriod": 20, "minReplicaCount": 1, "maxReplicaCount": 3,
            "advanced": {
                "restoreToOriginalReplicaCount": true,
                "horizontalPodAutoscalerConfig": {"name": "podinfo", "behavior": {"scaleDown": {"tolerance": "1"}}},
            },
            "triggers": [{
                "type": "prometheus", "name": "requests", "metricType": "AverageValue",
                "authenticationRef": {"name": "prometheus"},
                "metadata": {
                    "serverAddress": "http://flagger-prometheus:9090", "threshold": "5",
                    "query": "sum(rate(http_requests_total{ app=\"podinfo\" }[30s]))",
                },
            }],
            "fallback": {"failureThreshold": 3, "replicas": 6, "behavior": "static"},
        },
        "status": {"originalReplicaCount": 1},
    })
}

/// A Canary that names [`guides_scaled_object`], in a cluster that has KEDA.
pub fn keda() -> Scene {
    let mut scene = Scene::with("ScaledObject", guides_scaled_object());
    let definition = scene.kind().definition();
    scene.store.put(definition, json!({"metadata": {"name": "scaledobjects.keda.sh"}}));
    scene
}

/// The HPA of the guides, and a Canary that names it.
pub fn hpa() -> Scene {
    Scene::with("HorizontalPodAutoscaler", guides_hpa())
}
