//! A target that becomes one of another kind, at rest and during a rollout, with clients that never stop.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::Load;

use crate::{
    cluster::{Stage, manifests},
    pod_labels::{DEPLOYMENT, SERVICE, apply, deployment, live},
};

const NAME: &str = "podinfo";
const CANARY: (&str, &str) = ("flagger.app/v1beta1", "Canary");
const DAEMON_SET: (&str, &str) = ("apps/v1", "DaemonSet");

/// A kind of target with its objects.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Deployment,
    /// Of the name and with the labels of the Deployment.
    DaemonSet,
    /// Another name, other labels.
    OtherDaemonSet,
    /// The Service that clients call.
    Service,
}

impl Kind {
    fn reference(self) -> Value {
        let (version, kind, name) = match self {
            Kind::Deployment => ("apps/v1", "Deployment", NAME),
            Kind::DaemonSet => ("apps/v1", "DaemonSet", NAME),
            Kind::OtherDaemonSet => ("apps/v1", "DaemonSet", "nodes"),
            Kind::Service => ("v1", "Service", NAME),
        };
        json!({"apiVersion": version, "kind": kind, "name": name})
    }

    /// What the user applies before the Canary names it.
    fn objects(self, tag: &str) -> Vec<Value> {
        let labelled = |name: &str| deployment(name, json!({"app": name}), tag);
        match self {
            Kind::Deployment => vec![labelled(NAME)],
            Kind::DaemonSet => vec![daemon_set(labelled(NAME))],
            Kind::OtherDaemonSet => vec![daemon_set(labelled("nodes"))],
            Kind::Service => vec![labelled("v1"), labelled("v2"), service("v1")],
        }
    }

    async fn push(self, stage: &Stage, tag: &str) {
        let (kind, name) = match self {
            Kind::Deployment => (DEPLOYMENT, NAME),
            Kind::DaemonSet => (DAEMON_SET, NAME),
            Kind::OtherDaemonSet => (DAEMON_SET, "nodes"),
            Kind::Service => {
                let spec = service("v2")["spec"].clone();
                stage.cluster.merge(SERVICE, ("test", NAME), &json!({ "spec": spec })).await.unwrap();
                return;
            }
        };
        let containers = deployment(name, json!({}), tag)["spec"]["template"]["spec"]["containers"].clone();
        let change = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        stage.cluster.merge(kind, ("test", name), &change).await.unwrap();
    }
}

fn daemon_set(mut deployment: Value) -> Value {
    deployment["kind"] = "DaemonSet".into();
    deployment["spec"].as_object_mut().unwrap().remove("replicas");
    deployment["spec"].as_object_mut().unwrap().remove("progressDeadlineSeconds");
    deployment
}

fn service(app: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": "test"},
        "spec": {"selector": {"app": app}, "ports": [{"name": "http", "port": 80, "targetPort": 9898}]},
    })
}

/// When the kind is edited.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    AtRest,
    MidRun,
    Promoting,
}

/// Initialises `from`, edits the Canary to `to` under load, and promotes another revision of that. No request may
/// fail, and of the first primary nothing is left.
async fn check(from: Kind, to: Kind, when: When) {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    // Clients' Service; it selects the target until the Canary takes over.
    for object in [service(NAME)].into_iter().chain(from.objects("6.0.0")) {
        apply(&stage, &object).await;
    }
    stage.cluster.apply_yaml(&manifests::site(NAME)).await.unwrap();
    let mut canary = manifests::canary(NAME);
    let spec = json!({"targetRef": from.reference(), "service": {"name": NAME}});
    manifests::merge(&mut canary, &json!({ "spec": spec }));
    stage.pass(3.0).await;
    apply(&stage, &canary).await;
    stage.until_phase(NAME, "Initialized").await;
    let load = Load::of_site("podinfo.example.com").per_second(10).lasting(Duration::from_secs(3_600));
    let load = stage.cluster.load(load);
    if when != When::AtRest {
        from.push(&stage, "6.0.1").await;
        stage.until(NAME, Duration::from_secs(300), |status| status["canaryWeight"] == 25).await;
    }
    if when == When::Promoting {
        stage.until(NAME, Duration::from_secs(300), |status| status["phase"] == "Promoting").await;
    }
    // The Service is there, and selects the first primary.
    for object in to.objects("6.0.0").iter().filter(|object| object["kind"] != "Service") {
        apply(&stage, object).await;
    }
    stage.pass(1.0).await;
    let edit = json!({"spec": {"targetRef": to.reference()}});
    stage.cluster.merge(CANARY, ("test", NAME), &edit).await.unwrap();
    stage.pass(240.0).await;
    let label = |stage: &Stage| format!("{from:?} to {to:?}, {when:?}\n{}", stage.story(NAME).text());
    let status = stage.canary(NAME).await["status"].clone();
    assert_eq!(load.tally().errors(), 0, "{:?} {}", load.tally(), label(&stage));
    assert_eq!(status["binding"]["kind"], to.reference()["kind"], "{status:#} {}", label(&stage));
    assert!(matches!(status["phase"].as_str(), Some("Initialized" | "Succeeded")), "{}", label(&stage));
    to.push(&stage, "6.0.2").await;
    stage.pass(5.0).await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(60.0).await;
    let status = stage.canary(NAME).await["status"].clone();
    assert_eq!(load.tally().errors(), 0, "{:?} {}", load.tally(), label(&stage));
    assert_eq!(status["previousBindings"], Value::Null, "nothing is left: {status:#} {}", label(&stage));
    let (kind, name) = match from {
        Kind::Deployment => (DEPLOYMENT, "podinfo-primary"),
        Kind::DaemonSet => (DAEMON_SET, "podinfo-primary"),
        Kind::OtherDaemonSet => (DAEMON_SET, "nodes-primary"),
        // The Services of the Canary have that name.
        Kind::Service => return,
    };
    assert_eq!(live(&stage, kind, name).await, Value::Null, "{}", label(&stage));
}

#[tokio::test(start_paused = true)]
async fn a_deployment_becomes_a_daemon_set_of_another_name() {
    check(Kind::Deployment, Kind::OtherDaemonSet, When::MidRun).await;
    check(Kind::OtherDaemonSet, Kind::Deployment, When::Promoting).await;
}

/// Both primaries have the same name and the same labels: the Services select the pods of both until the first is gone.
#[tokio::test(start_paused = true)]
async fn a_deployment_becomes_a_daemon_set_of_its_name() {
    for when in [When::AtRest, When::MidRun, When::Promoting] {
        check(Kind::Deployment, Kind::DaemonSet, when).await;
    }
    check(Kind::DaemonSet, Kind::Deployment, When::MidRun).await;
}

#[tokio::test(start_paused = true)]
async fn a_deployment_becomes_the_service_that_clients_call() {
    for when in [When::AtRest, When::MidRun] {
        check(Kind::Deployment, Kind::Service, when).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_becomes_a_deployment_or_a_daemon_set() {
    check(Kind::Service, Kind::Deployment, When::MidRun).await;
    check(Kind::Service, Kind::OtherDaemonSet, When::AtRest).await;
}
