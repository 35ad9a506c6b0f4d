//! What can befall the routes of each system: definitions that are missing, come late or go, routes that are deleted,
//! edited or owned by another. One clear message on that Canary, and nothing is lost.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::{Settings, System};

use crate::cluster::Stage;

const NAME: &str = "podinfo";

/// A system, and where its route stands.
#[derive(Clone, Copy)]
struct Place {
    system: System,
    provider: &'static str,
    /// `apiVersion`, kind, namespace, name.
    route: (&'static str, &'static str, &'static str, &'static str),
    /// Where the two entries are.
    entries: &'static str,
    /// What is said when its definition is missing.
    missing: &'static str,
}

const PLACES: [Place; 6] = [
    Place {
        system: System::Traefik(&["traefik.io"]),
        provider: "traefik",
        route: ("traefik.io/v1alpha1", "TraefikService", "test", NAME),
        entries: "/spec/weighted/services",
        missing: "the cluster does not serve TraefikService of traefik.io/v1alpha1 or traefik.containo.us/v1alpha1",
    },
    Place {
        system: System::Kuma(&["TrafficRoute"]),
        provider: "kuma",
        route: ("kuma.io/v1alpha1", "TrafficRoute", "", NAME),
        entries: "/spec/conf/split",
        missing: "the cluster does not serve TrafficRoute or MeshHTTPRoute of kuma.io/v1alpha1",
    },
    Place {
        system: System::Kuma(&["MeshHTTPRoute"]),
        provider: "kuma",
        route: ("kuma.io/v1alpha1", "MeshHTTPRoute", "kuma-system", "podinfo.test"),
        entries: "/spec/to/0/rules/0/default/backendRefs",
        missing: "the cluster does not serve TrafficRoute or MeshHTTPRoute of kuma.io/v1alpha1",
    },
    Place {
        system: System::Istio,
        provider: "istio",
        route: ("networking.istio.io/v1beta1", "VirtualService", "test", NAME),
        entries: "/spec/http/0/route",
        missing: "the cluster does not serve VirtualService of networking.istio.io/v1beta1",
    },
    Place {
        system: System::SmiIstio(&["v1alpha2"]),
        provider: "smi:v1alpha2",
        route: ("split.smi-spec.io/v1alpha2", "TrafficSplit", "test", NAME),
        entries: "/spec/backends",
        missing: "the cluster does not serve TrafficSplit of split.smi-spec.io/v1alpha2",
    },
    Place {
        system: System::Apisix,
        provider: "apisix",
        route: ("apisix.apache.org/v2", "ApisixRoute", "test", "podinfo-podinfo-canary"),
        entries: "/spec/http/0/backends",
        missing: "the cluster does not serve ApisixRoute of apisix.apache.org/v2",
    },
];

impl Place {
    async fn stage(&self, install_crds: bool) -> Stage {
        let settings = Settings { system: self.system, install_crds, ..Settings::default() };
        let mut stage = Stage::with(settings).await;
        stage.answer_success(100.0);
        stage.start();
        stage
    }

    async fn apply(&self, stage: &Stage) {
        self.apply_with(stage, json!({})).await;
    }

    async fn apply_with(&self, stage: &Stage, more: Value) {
        let mut change = json!({"spec": {"provider": self.provider}});
        if self.provider == "apisix" {
            change["spec"]["routeRef"] =
                json!({"apiVersion": "apisix.apache.org/v2", "kind": "ApisixRoute", "name": NAME});
        }
        stage.apply(NAME, &[&change, &more]).await;
    }

    /// What is the user's own, of a kind that belongs to the system.
    async fn apply_own(&self, stage: &Stage) {
        if self.provider != "apisix" {
            return;
        }
        let own = json!({
            "apiVersion": "apisix.apache.org/v2", "kind": "ApisixRoute",
            "metadata": {"name": NAME, "namespace": "test"},
            "spec": {"http": [{
                "name": "method", "match": {"hosts": ["app.example.com"], "paths": ["/*"]},
                "backends": [{"serviceName": NAME, "servicePort": 80}],
            }]},
        });
        stage.cluster.apply_yaml(&own.to_string()).await.unwrap();
    }

    async fn route(&self, stage: &Stage) -> Option<Value> {
        let (version, kind, namespace, name) = self.route;
        stage.cluster.get(version, kind, namespace, name).await.ok().flatten()
    }

    /// The canary's share.
    async fn weight(&self, stage: &Stage) -> Option<u64> {
        let route = self.route(stage).await?;
        let entries = route.pointer(self.entries)?.as_array()?.clone();
        let ours = |entry: &&Value| entry.to_string().contains("podinfo-canary");
        let entry = entries.iter().find(ours);
        Some(entry.map_or(0, |entry| match &entry["weight"] {
            Value::String(text) => text.parse().unwrap(),
            weight => weight.as_u64().unwrap(),
        }))
    }

    /// A Canary in the middle of its analysis.
    async fn at_25(&self) -> Stage {
        let mut stage = self.stage(true).await;
        self.apply_own(&stage).await;
        self.apply(&stage).await;
        stage.until_phase(NAME, "Initialized").await;
        stage.push(NAME, "6.0.1").await;
        stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
        stage.pass(2.0).await;
        assert_eq!(self.weight(&stage).await, Some(25), "{}", self.provider);
        stage
    }
}

#[tokio::test(start_paused = true)]
async fn definitions_that_come_later_are_waited_for() {
    for place in PLACES {
        let mut stage = place.stage(false).await;
        place.apply(&stage).await;
        stage.pass(30.0).await;
        assert_eq!(stage.reported(NAME, place.missing), 1, "{}", stage.story(NAME).text());
        // The target is the only copy that serves, and is left alone.
        assert_eq!(stage.story(NAME).courses["workload podinfo"].len(), 1);
        stage.cluster.install_crds().await.unwrap();
        place.apply_own(&stage).await;
        stage.until_phase(NAME, "Initialized").await;
        stage.check_laws(NAME);
    }
}

#[tokio::test(start_paused = true)]
async fn definitions_that_go_in_a_rollout_take_nothing_else_with_them() {
    for place in PLACES {
        let mut stage = place.at_25().await;
        stage.cluster.remove_crds().await.unwrap();
        stage.pass(20.0).await;
        assert_eq!(stage.reported(NAME, place.missing), 1, "{}", stage.story(NAME).text());
        assert_eq!(stage.canary(NAME).await["status"]["canaryWeight"], 25);
        stage.cluster.install_crds().await.unwrap();
        place.apply_own(&stage).await;
        stage.until_phase(NAME, "Succeeded").await;
        stage.pass(2.0).await;
        assert_eq!(place.weight(&stage).await, Some(0), "{}", place.provider);
        stage.check_laws(NAME);
    }
}

/// The group in which the route was written stays its group: clients follow that route.
#[tokio::test(start_paused = true)]
async fn a_group_that_is_served_later_moves_no_traffic() {
    let group = "traefik.containo.us";
    let place = Place {
        system: System::Traefik(&["traefik.containo.us"]),
        route: ("traefik.containo.us/v1alpha1", "TraefikService", "test", NAME),
        ..PLACES[0]
    };
    let mut stage = place.at_25().await;
    stage.cluster.apply_yaml(include_str!("../../../testbed-cluster/crds/traefik.io.yaml")).await.unwrap();
    stage.until_phase(NAME, "Succeeded").await;
    stage.kill().await;
    stage.start();
    stage.push(NAME, "6.0.2").await;
    stage.until(NAME, Duration::from_secs(60), |status| status["canaryWeight"] == 25).await;
    stage.pass(2.0).await;
    assert_eq!(place.weight(&stage).await, Some(25), "{}", stage.story(NAME).text());
    let newer = stage.cluster.get("traefik.io/v1alpha1", "TraefikService", "test", NAME).await.unwrap();
    assert_eq!(newer, None, "the route stays in {group}");
    stage.until_phase(NAME, "Succeeded").await;
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_route_that_is_deleted_is_made_again_with_its_weights() {
    for place in PLACES {
        let mut stage = place.at_25().await;
        let (version, kind, namespace, name) = place.route;
        assert!(stage.cluster.delete(version, kind, namespace, name).await.unwrap());
        stage.pass(1.0).await;
        assert_eq!(place.weight(&stage).await, Some(25), "{}", stage.story(NAME).text());
        assert_eq!(
            stage.reported(NAME, "were changed by someone else (deleted)"),
            1,
            "{}",
            stage.story(NAME).text()
        );
        stage.until_phase(NAME, "Succeeded").await;
        stage.check_laws(NAME);
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_that_no_container_has_is_named_and_gets_no_traffic() {
    for place in PLACES {
        let mut stage = place.stage(true).await;
        place.apply_own(&stage).await;
        place.apply_with(&stage, json!({"spec": {"service": {"targetPort": "nope"}}})).await;
        stage.pass(30.0).await;
        assert_eq!(stage.reported(NAME, "no port named nope"), 1, "{}", stage.story(NAME).text());
        assert_eq!(stage.story(NAME).courses["workload podinfo"].len(), 1);
        assert!(!stage.story(NAME).courses.contains_key("service podinfo"), "{}", stage.story(NAME).text());
        // An edit that decides nothing writes the status; the receipt of the Event survives it.
        let wrong = json!({"spec": {"service": {"targetPort": "nope"}, "skipAnalysis": true}});
        place.apply_with(&stage, wrong).await;
        stage.pass(5.0).await;
        place.apply(&stage).await;
        stage.until_phase(NAME, "Initialized").await;
        stage.pass(5.0).await;
        assert_eq!(
            stage.canary(NAME).await["status"]["outbox"]["entries"],
            Value::Null,
            "{}",
            place.provider
        );
        stage.check_laws(NAME);
    }
}

#[tokio::test(start_paused = true)]
async fn an_edited_route_is_restored_and_reported() {
    for place in PLACES {
        let mut stage = place.at_25().await;
        let (version, kind, namespace, name) = place.route;
        let mut route = place.route(&stage).await.unwrap();
        let entries = route.pointer_mut(place.entries).unwrap().as_array_mut().unwrap();
        for entry in entries {
            let share = if entry.to_string().contains("podinfo-canary") { 90 } else { 10 };
            entry["weight"] =
                if entry["weight"].is_string() { share.to_string().into() } else { share.into() };
        }
        let body = json!({"spec": route["spec"]});
        stage.cluster.merge((version, kind), (namespace, name), &body).await.unwrap();
        stage.pass(1.0).await;
        assert_eq!(place.weight(&stage).await, Some(25), "{}", stage.story(NAME).text());
        assert_eq!(stage.reported(NAME, "were changed by someone else"), 1, "{}", stage.story(NAME).text());
        stage.until_phase(NAME, "Succeeded").await;
        stage.check_laws(NAME);
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_with_another_owner_is_left_alone() {
    for place in PLACES {
        let mut stage = place.at_25().await;
        let (version, kind, namespace, name) = place.route;
        let route = place.route(&stage).await.unwrap();
        stage.kill().await;
        // The same route, made for another Canary.
        stage.apply("other", &[&json!({"spec": {"provider": place.provider, "suspend": true}})]).await;
        let uid = stage.canary("other").await["metadata"]["uid"].clone();
        let theirs = json!({"metadata": {
            "ownerReferences": match namespace {
                "test" => json!([{
                    "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "other", "uid": uid,
                    "controller": true, "blockOwnerDeletion": true,
                }]),
                _ => Value::Null,
            },
            "labels": {"flagger.app/canary-uid": uid},
            "annotations": {"flagger.app/canary": "test/other"},
        }});
        stage.cluster.merge((version, kind), (namespace, name), &theirs).await.unwrap();
        let entries = route.pointer(place.entries).unwrap().clone();
        stage.start();
        stage.pass(30.0).await;
        let after = place.route(&stage).await.unwrap();
        assert_eq!(after.pointer(place.entries), Some(&entries), "{}", place.provider);
        assert_eq!(stage.reported(NAME, "other"), 1, "{}", stage.story(NAME).text());
        stage.check_laws(NAME);
    }
}
