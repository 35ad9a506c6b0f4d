//! One label is not an identity: a Canary has pods of its own, whatever else runs in its namespace, and what belongs to
//! others stays theirs.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed::world::Load;

use crate::cluster::{Stage, manifests};

const NAME: &str = "podinfo";
const HPA: (&str, &str) = ("autoscaling/v2", "HorizontalPodAutoscaler");
const DEPLOYMENT: (&str, &str) = ("apps/v1", "Deployment");
const SERVICE: (&str, &str) = ("v1", "Service");
const CANARY: (&str, &str) = ("flagger.app/v1beta1", "Canary");

/// A Deployment whose pods have these labels, by which it selects them.
fn deployment(name: &str, labels: Value, tag: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "test", "labels": labels},
        "spec": {
            "replicas": 2, "progressDeadlineSeconds": 60, "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{
                    "name": "podinfod", "image": format!("stefanprodan/podinfo:{tag}"),
                    "ports": [{"name": "http", "containerPort": 9898}],
                }]},
            },
        },
    })
}

async fn apply(stage: &Stage, object: &Value) {
    stage.cluster.apply_yaml(&object.to_string()).await.unwrap();
}

/// A Canary with changes laid over it, for a target that is there.
async fn watch(stage: &Stage, name: &str, change: &Value) {
    stage.cluster.apply_yaml(&manifests::site(name)).await.unwrap();
    let mut canary = manifests::canary(name);
    manifests::merge(&mut canary, change);
    apply(stage, &canary).await;
}

async fn live(stage: &Stage, kind: (&str, &str), name: &str) -> Value {
    stage.cluster.get(kind.0, kind.1, "test", name).await.unwrap().unwrap_or_default()
}

async fn selects(stage: &Stage, service: &str) -> Value {
    live(stage, SERVICE, service).await["spec"]["selector"].clone()
}

/// How often an Event says this of the Canary.
fn told(stage: &Stage, name: &str, text: &str) -> usize {
    stage.story(name).events.iter().filter(|(event, _)| event.contains(text)).map(|(_, times)| times).sum()
}

/// Requests to the site of a Canary for an hour.
fn clients(name: &str) -> Load {
    Load::of_site(&format!("{name}.example.com")).per_second(5).lasting(Duration::from_secs(3_600))
}

#[tokio::test(start_paused = true)]
async fn clients_of_one_release_of_a_chart_never_reach_the_other() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    for (name, instance, tag) in [("web-a", "a", "6.0.0"), ("web-b", "b", "7.0.0")] {
        apply(&stage, &deployment(name, json!({"name": "web", "instance": instance}), tag)).await;
        watch(&stage, name, &json!({})).await;
    }
    for (name, instance) in [("web-a", "a"), ("web-b", "b")] {
        stage.until_phase(name, "Initialized").await;
        let primary = json!({"name": "web-primary", "instance": instance});
        assert_eq!(selects(&stage, name).await, primary);
        assert_eq!(selects(&stage, &format!("{name}-primary")).await, primary);
        let canary = json!({"name": "web", "instance": instance});
        assert_eq!(selects(&stage, &format!("{name}-canary")).await, canary);
    }
    let (of_a, of_b) = (stage.cluster.load(clients("web-a")), stage.cluster.load(clients("web-b")));
    stage.push("web-a", "6.0.1").await;
    stage.until_phase("web-a", "Succeeded").await;
    let (of_a, of_b) = (of_a.tally(), of_b.tally());
    assert_eq!((of_a.errors(), of_b.errors()), (0, 0));
    assert_eq!(of_a.by_version.keys().collect::<Vec<_>>(), ["6.0.0", "6.0.1"]);
    assert_eq!(of_b.by_version.keys().collect::<Vec<_>>(), ["7.0.0"]);
    stage.check_laws("web-a");
    stage.check_laws("web-b");
}

#[tokio::test(start_paused = true)]
async fn pods_of_the_worker_are_no_endpoints_of_the_web() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    apply(&stage, &deployment("shop-worker", json!({"app": "shop", "component": "worker"}), "1.0.0")).await;
    apply(&stage, &deployment("shop-web", json!({"app": "shop", "component": "web"}), "6.0.0")).await;
    watch(&stage, "shop-web", &json!({})).await;
    stage.until_phase("shop-web", "Initialized").await;
    let load = stage.cluster.load(clients("shop-web"));
    stage.push("shop-web", "6.0.1").await;
    stage.until_phase("shop-web", "Succeeded").await;
    let tally = load.tally();
    assert_eq!((tally.errors(), tally.by_version.contains_key("1.0.0")), (0, false), "{tally:?}");
    stage.check_laws("shop-web");
}

/// Both Deployments select by the one label that they share: no Service could tell their pods apart.
#[tokio::test(start_paused = true)]
async fn a_target_whose_pods_cannot_be_told_from_others_is_not_initialised_and_the_others_are_named() {
    let mut stage = Stage::open().await;
    stage.start();
    apply(&stage, &deployment("shop-worker", json!({"app": "shop", "component": "worker"}), "1.0.0")).await;
    apply(&stage, &deployment("shop-web", json!({"app": "shop"}), "6.0.0")).await;
    watch(&stage, "shop-web", &json!({})).await;
    stage.pass(120.0).await;
    let text = "the labels app=shop, by which pods of Deployment shop-web are selected, are also those of the pods of \
                Deployment shop-worker";
    assert_eq!(told(&stage, "shop-web", text), 1, "{}", stage.story("shop-web").text());
    assert_eq!(live(&stage, DEPLOYMENT, "shop-web-primary").await, Value::Null);
    // Once there are no such pods, it goes on by itself.
    stage.change("shop-worker", &json!({"spec": {"replicas": 0}})).await;
    stage.until_phase("shop-web", "Initialized").await;
}

/// A pod that no Deployment has made, with the labels of the canary's pods.
#[tokio::test(start_paused = true)]
async fn a_pod_of_nobody_behind_the_canary_service_is_reported_once() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    let container = json!({
        "name": "podinfod", "image": "stefanprodan/podinfo:1.0.0", "ports": [{"name": "http", "containerPort": 9898}],
    });
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "debug", "namespace": "test", "labels": {"app": NAME}},
        "spec": {"containers": [container]},
    });
    apply(&stage, &pod).await;
    stage.pass(20.0).await;
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    let text =
        "Service podinfo-canary selects pods that are not of Deployment podinfo, such as those of debug";
    assert_eq!(told(&stage, NAME, text), 1, "{}", stage.story(NAME).text());
}

/// The label is `web`, the Deployment `shop-web`: terms go by the label.
#[tokio::test(start_paused = true)]
async fn the_primary_spreads_by_its_own_label() {
    let mut stage = Stage::open().await;
    stage.start();
    let mut target = deployment("shop-web", json!({"app": "web"}), "6.0.0");
    let own = json!({"matchLabels": {"app": "web"}});
    let spread = json!([{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": own}]);
    let apart = json!([{"weight": 1, "podAffinityTerm": {"topologyKey": "host", "labelSelector": own}}]);
    let pods = &mut target["spec"]["template"]["spec"];
    pods["topologySpreadConstraints"] = spread;
    pods["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"] = apart;
    apply(&stage, &target).await;
    watch(&stage, "shop-web", &json!({})).await;
    stage.until_phase("shop-web", "Initialized").await;
    let primary = live(&stage, DEPLOYMENT, "shop-web-primary").await;
    let pods = &primary["spec"]["template"]["spec"];
    let own = json!({"matchLabels": {"app": "web-primary"}});
    assert_eq!(pods["topologySpreadConstraints"][0]["labelSelector"], own);
    let terms = &pods["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"];
    assert_eq!(terms[0]["podAffinityTerm"]["labelSelector"], own);
}

#[tokio::test(start_paused = true)]
async fn an_hpa_of_the_user_on_the_primary_keeps_its_replicas() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.replicas = 1;
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    let metrics = json!([{"type": "Resource", "resource": {
        "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 99},
    }}]);
    let scales = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo-primary"});
    let hpa = json!({
        "apiVersion": HPA.0, "kind": HPA.1, "metadata": {"name": "by-hand", "namespace": "test"},
        "spec": {"scaleTargetRef": scales, "minReplicas": 9, "maxReplicas": 9, "metrics": metrics},
    });
    apply(&stage, &hpa).await;
    stage.pass(60.0).await;
    assert_eq!(live(&stage, DEPLOYMENT, "podinfo-primary").await["spec"]["replicas"], 9);
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    let course = &stage.story(NAME).courses["workload podinfo-primary"];
    let after: Vec<_> = course.iter().skip_while(|line| !line.contains("replicas=9")).collect();
    assert!(after.iter().all(|line| line.contains("replicas=9")), "{course:?}");
    assert_eq!(told(&stage, NAME, "whose replicas are left to it"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_primarys_scaled_object_asks_about_the_primary_or_the_query_is_reported() {
    let mut stage = Stage::open().await;
    stage.cluster.apply_yaml(include_str!("../../../testbed/crds/keda.sh.yaml")).await.unwrap();
    stage.start();
    let keda = ("keda.sh/v1alpha1", "ScaledObject");
    let query = |of: &str| format!("sum(rate(requests{{of=~\"{of}\"}}[1m]))");
    let trigger = |name: &str, of: &str| {
        let metadata =
            json!({"serverAddress": "http://prometheus:9090", "threshold": "100", "query": query(of)});
        json!({"type": "prometheus", "name": name, "metadata": metadata})
    };
    let triggers = [
        trigger("traefik", "test-podinfo-canary-.*"),
        trigger("kuma", "podinfo-canary_test_svc_80"),
        trigger("contour", "test_podinfo_80"),
        trigger("apisix", "test_route-podinfo-canary_.+"),
    ];
    let scaler = json!({
        "apiVersion": keda.0, "kind": keda.1, "metadata": {"name": NAME, "namespace": "test"},
        "spec": {"scaleTargetRef": {"name": NAME}, "triggers": triggers},
    });
    apply(&stage, &scaler).await;
    let named = json!({"apiVersion": keda.0, "kind": keda.1, "name": NAME});
    stage.apply(NAME, &[&json!({"spec": {"autoscalerRef": named}})]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(30.0).await;
    let copy = live(&stage, keda, "podinfo-primary").await;
    let of = |at: usize| copy["spec"]["triggers"][at]["metadata"]["query"].clone();
    let asked = ["test-podinfo-primary-.*", "podinfo-primary_test_svc_80", "test_podinfo-primary_80"];
    assert_eq!([of(0), of(1), of(2)], asked.map(|of| json!(query(of))));
    assert_eq!(told(&stage, NAME, "the query of trigger apisix of ScaledObject podinfo.test"), 1);
    assert_eq!(told(&stage, NAME, "the query of trigger"), 1, "{}", stage.story(NAME).text());
}

#[tokio::test(start_paused = true)]
async fn metadata_that_the_canary_declares_no_longer_goes_from_services_and_route() {
    let mut stage = Stage::open().await;
    stage.start();
    let block = json!({"labels": {"team": "blue"}, "annotations": {"a": "b"}});
    stage
        .apply(NAME, &[&json!({"spec": {"service": {"apex": block, "primary": block, "canary": block}}})])
        .await;
    stage.until_phase(NAME, "Initialized").await;
    let route = ("traefik.io/v1alpha1", "TraefikService");
    let objects = [(SERVICE, NAME), (SERVICE, "podinfo-primary"), (SERVICE, "podinfo-canary"), (route, NAME)];
    for (kind, name) in objects {
        let metadata = live(&stage, kind, name).await["metadata"].clone();
        assert_eq!(
            (&metadata["labels"]["team"], &metadata["annotations"]["a"]),
            (&json!("blue"), &json!("b"))
        );
        let theirs = json!({"metadata": {"annotations": {"theirs": "1"}}});
        stage.cluster.merge(kind, ("test", name), &theirs).await.unwrap();
    }
    let none = json!({"spec": {"service": {"apex": {"labels": null, "annotations": null}, "primary": null, "canary": null}}});
    stage.cluster.merge(CANARY, ("test", NAME), &none).await.unwrap();
    stage.pass(10.0).await;
    for (kind, name) in objects {
        let metadata = live(&stage, kind, name).await["metadata"].clone();
        let (labels, annotations) = (&metadata["labels"], &metadata["annotations"]);
        assert_eq!(
            (labels.get("team"), annotations.get("a"), &annotations["theirs"]),
            (None, None, &json!("1"))
        );
        assert_eq!(annotations.get("flagger.app/written-metadata"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn the_other_ports_of_a_users_own_service_stay() {
    let mut stage = Stage::open().await;
    stage.start();
    let ports = json!([{"name": "web", "port": 80, "targetPort": 9898}, {"name": "admin", "port": 8080, "targetPort": 9898}]);
    let own = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": "test"},
        "spec": {"selector": {"app": NAME}, "ports": ports},
    });
    apply(&stage, &own).await;
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    let live = live(&stage, SERVICE, NAME).await;
    let ports = live["spec"]["ports"].as_array().unwrap();
    let ports: Vec<_> = ports.iter().map(|port| format!("{} {}", port["name"], port["port"])).collect();
    assert_eq!(ports, ["\"web\" 80", "\"admin\" 8080"]);
    assert_eq!(live["spec"]["selector"], json!({"app": "podinfo-primary"}));
}

/// As Flagger leaves a Canary whose ConfigMaps it tracks: the primary uses copies of them.
#[tokio::test(start_paused = true)]
async fn a_canary_with_tracked_configs_is_taken_over_without_a_rollout() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    for name in ["web-config", "web-config-primary"] {
        let metadata = json!({"name": name, "namespace": "test"});
        apply(
            &stage,
            &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"color": "red"}}),
        )
        .await;
    }
    let uses = |name: &str| {
        json!({"spec": {"template": {"spec": {"containers": [{
            "name": "podinfod", "image": "stefanprodan/podinfo:6.0.0", "ports": [{"name": "http", "containerPort": 9898}],
            "envFrom": [{"configMapRef": {"name": name}}],
        }]}}}})
    };
    let mut target = deployment(NAME, json!({"app": NAME}), "6.0.0");
    manifests::merge(&mut target, &uses("web-config"));
    apply(&stage, &target).await;
    watch(&stage, NAME, &json!({})).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.kill().await;
    let mut flaggers = uses("web-config-primary");
    flaggers["metadata"] = json!({"annotations": {"flagger.app/written-template": null}});
    flaggers["spec"]["template"]["metadata"] =
        json!({"annotations": {"flagger-id": "0d4e6dc2-6ad7-4a29-9d9b-6e3a6a4a3d33"}});
    stage.change("podinfo-primary", &flaggers).await;
    let status = json!({"status": {
        "phase": "Succeeded", "canaryWeight": 0, "failedChecks": 0, "iterations": 0,
        "lastAppliedSpec": "5b4c8d7f99", "lastPromotedSpec": "5b4c8d7f99",
        "trackedConfigs": {"configmap/web-config": "241889ca0604e333"},
        "run": null, "primarySpec": null, "lastStepTime": null, "withheldWeight": null, "ending": null,
        "drainUntil": null, "postRollout": null, "wait": null, "outbox": null,
    }});
    stage.patch_status(NAME, &status).await;
    stage.pass(5.0).await;
    let before = (
        stage.story(NAME).courses["status podinfo"].len(),
        live(&stage, DEPLOYMENT, "podinfo-primary").await,
    );
    stage.start();
    stage.pass(120.0).await;
    let after = stage.story(NAME).courses["status podinfo"][before.0..].to_vec();
    assert_eq!(after, Vec::<String>::new(), "{}", stage.story(NAME).text());
    assert_eq!(
        live(&stage, DEPLOYMENT, "podinfo-primary").await["metadata"]["generation"],
        before.1["metadata"]["generation"]
    );
    assert_eq!(told(&stage, NAME, "copies that another operator has made of configmap/web-config"), 1);

    // The next revision is rolled out as any other.
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.check_laws(NAME);
}

/// The target was made anew with one label more in its selector: the primary's pods do not have it yet.
#[tokio::test(start_paused = true)]
async fn a_primary_with_fewer_labels_serves_on_and_gets_the_others_by_the_next_promotion() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    apply(&stage, &deployment(NAME, json!({"app": NAME}), "6.0.0")).await;
    watch(&stage, NAME, &json!({})).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.kill().await;
    let load = stage.cluster.load(clients(NAME));
    stage.cluster.delete(DEPLOYMENT.0, DEPLOYMENT.1, "test", NAME).await.unwrap();
    stage.pass(5.0).await;
    apply(&stage, &deployment(NAME, json!({"app": NAME, "instance": "a"}), "6.0.1")).await;
    stage.start();
    stage.pass(5.0).await;
    let narrow = json!({"app": "podinfo-primary"});
    assert_eq!(selects(&stage, "podinfo-primary").await, narrow);
    assert_eq!(told(&stage, NAME, "do not have the labels instance=a"), 1, "{}", stage.story(NAME).text());
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(10.0).await;
    for service in [NAME, "podinfo-primary"] {
        assert_eq!(selects(&stage, service).await, json!({"app": "podinfo-primary", "instance": "a"}));
    }
    assert_eq!(selects(&stage, "podinfo-canary").await, json!({"app": NAME, "instance": "a"}));
    assert_eq!(load.tally().errors(), 0, "{:?}", load.tally());
    stage.check_laws(NAME);
}
