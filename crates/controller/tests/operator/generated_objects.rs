//! Fields of other owners are not changed: replicas that the user's autoscaler sets, metadata, ports, and objects that
//! Flagger has made.

use serde_json::json;

use crate::{
    cluster::{Stage, manifests},
    pod_labels::{DEPLOYMENT, SERVICE, apply, deployment, live, watch},
};

const NAME: &str = "podinfo";
const HPA: (&str, &str) = ("autoscaling/v2", "HorizontalPodAutoscaler");
const CANARY: (&str, &str) = ("flagger.app/v1beta1", "Canary");

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
    assert_eq!(stage.reported(NAME, "whose replicas are left to it"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_primarys_scaled_object_asks_about_the_primary_or_the_query_is_reported() {
    let mut stage = Stage::open().await;
    stage.cluster.apply_yaml(vexil_testbed_cluster::KEDA).await.unwrap();
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
    assert_eq!(stage.reported(NAME, "the query of trigger apisix of ScaledObject podinfo.test"), 1);
    assert_eq!(stage.reported(NAME, "the query of trigger"), 1, "{}", stage.story(NAME).text());
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
    let metadata = json!({"name": "web-config", "namespace": "test"});
    let map =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"color": "red"}});
    apply(&stage, &map).await;
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
        "drainUntil": null, "drainRestarts": null, "postRollout": null, "wait": null, "outbox": null,
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

    // The next revision is rolled out as any other.
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.check_laws(NAME);
}
