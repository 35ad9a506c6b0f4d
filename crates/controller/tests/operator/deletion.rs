//! Canaries with `revertOnDeletion` that are deleted: the target takes over without a failed request, and nothing that
//! is missing, refused or broken keeps the Canary.

mod migrations;
mod namespaces;
mod scalers;
mod troubles;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use vexil_testbed_apiserver::{Fault, FaultAction, Matcher};
use vexil_testbed_cluster::{Load, Settings, System};

use crate::{
    cluster::{KillSwitch, OPERATOR, Stage, manifests},
    pod_labels::{DEPLOYMENT, SERVICE, apply, live},
};

const NAME: &str = "podinfo";
const CANARY: (&str, &str) = ("flagger.app/v1beta1", "Canary");
const FINALIZER: &str = "finalizer.flagger.app";

/// A system, how its clients come to an apex of the user, and the route that the Canary has.
#[derive(Clone, Copy)]
struct Place {
    system: System,
    provider: &'static str,
    client: (&'static str, &'static str),
    route: Option<(&'static str, &'static str, &'static str, &'static str)>,
}

const INSIDE: (&str, &str) = ("http://podinfo.test/", "podinfo.test");

const PLACES: [Place; 5] = [
    Place { system: System::Kubernetes, provider: "kubernetes", client: INSIDE, route: None },
    Place {
        system: System::Kuma(&["TrafficRoute"]),
        provider: "kuma",
        client: INSIDE,
        route: Some(("kuma.io/v1alpha1", "TrafficRoute", "", NAME)),
    },
    Place {
        system: System::Kuma(&["MeshHTTPRoute"]),
        provider: "kuma",
        client: INSIDE,
        route: Some(("kuma.io/v1alpha1", "MeshHTTPRoute", "kuma-system", "podinfo.test")),
    },
    Place {
        system: System::SmiIstio(&["v1alpha2"]),
        provider: "smi:v1alpha2",
        client: INSIDE,
        route: Some(("split.smi-spec.io/v1alpha2", "TrafficSplit", "test", NAME)),
    },
    Place {
        system: System::Apisix,
        provider: "apisix",
        client: ("http://apisix-gateway.apisix/", "app.example.com"),
        route: Some(("apisix.apache.org/v2", "ApisixRoute", "test", "podinfo-podinfo-canary")),
    },
];
const SMI: Place = PLACES[3];

/// The apex as the user applied it before there was a Canary.
fn apex() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": NAME, "namespace": "test", "annotations": {"80.service.kuma.io/protocol": "http"}},
        "spec": {"selector": {"app": NAME}, "ports": [{"name": "http", "port": 80, "targetPort": 9898}]},
    })
}

impl Place {
    /// An initialised Canary whose apex is the user's.
    async fn initialised(&self, more: Value) -> Stage {
        let mut stage = Stage::with(Settings { system: self.system, ..Settings::default() }).await;
        stage.answer_success(100.0);
        stage.start();
        apply(&stage, &apex()).await;
        let mut change = json!({"spec": {"provider": self.provider, "revertOnDeletion": true}});
        if self.provider == "apisix" {
            let version = "apisix.apache.org/v2";
            change["spec"]["routeRef"] = json!({"apiVersion": version, "kind": "ApisixRoute", "name": NAME});
            let own = json!({
                "apiVersion": version, "kind": "ApisixRoute", "metadata": {"name": NAME, "namespace": "test"},
                "spec": {"http": [{
                    "name": "method", "match": {"hosts": ["app.example.com"], "paths": ["/*"]},
                    "backends": [{"serviceName": NAME, "servicePort": 80}],
                }]},
            });
            apply(&stage, &own).await;
        }
        stage.apply(NAME, &[&change, &more]).await;
        stage.until_phase(NAME, "Initialized").await;
        stage.pass(5.0).await;
        stage
    }
}

async fn delete(stage: &Stage, kind: (&str, &str), name: &str) {
    assert!(stage.cluster.delete(kind.0, kind.1, "test", name).await.unwrap(), "{kind:?} {name}");
}

/// Waits until the Canary is gone, and returns how many seconds that took.
async fn gone(stage: &mut Stage, most: u64, what: &str) -> u64 {
    let begin = Instant::now();
    while !stage.canary(NAME).await.is_null() {
        let story = stage.story(NAME);
        assert!(begin.elapsed() < Duration::from_secs(most), "{what}: still there\n{}", story.text());
        stage.pass(0.5).await;
    }
    begin.elapsed().as_secs()
}

/// The target is alone, as before there was a Canary.
async fn check_reverted(stage: &Stage, replicas: u64, what: &str) {
    let story = stage.story(NAME);
    let text = story.text();
    assert_eq!(live(stage, DEPLOYMENT, NAME).await["spec"]["replicas"], replicas, "{what}\n{text}");
    let service = live(stage, SERVICE, NAME).await;
    assert_eq!(service["spec"]["selector"], json!({"app": NAME}), "{what}\n{text}");
    assert_eq!(service["metadata"]["annotations"], apex()["metadata"]["annotations"], "{what}");
    for (kind, name) in
        [(DEPLOYMENT, "podinfo-primary"), (SERVICE, "podinfo-primary"), (SERVICE, "podinfo-canary")]
    {
        assert_eq!(live(stage, kind, name).await, Value::Null, "{what}: {name}\n{text}");
    }
    for event in ["Terminating canary podinfo.test", "Terminated canary podinfo.test"] {
        assert_eq!(stage.reported(NAME, event), 1, "{what}: {event}\n{text}");
    }
    stage.check_laws(NAME);
}

#[derive(Clone, Copy, Debug)]
enum When {
    AtRest,
    MidRun,
    Promoting,
    Failed,
}

#[tokio::test(start_paused = true)]
async fn a_deleted_canary_costs_no_request_where_the_apex_is_the_users() {
    for place in PLACES {
        let everywhere = [When::AtRest, When::MidRun];
        let more =
            if place.provider.starts_with("smi") { [When::Promoting, When::Failed].as_slice() } else { &[] };
        for when in everywhere.iter().chain(more) {
            let what = format!("{} {when:?}", place.provider);
            let mut stage = place.initialised(json!({})).await;
            let load = Load::new(place.client.0).host(place.client.1).per_second(10);
            let load = stage.cluster.load(load.lasting(Duration::from_secs(3_600)));
            match when {
                When::AtRest => {}
                When::MidRun => {
                    stage.push(NAME, "6.0.1").await;
                    stage.pass(15.0).await;
                }
                When::Promoting => {
                    stage.push(NAME, "6.0.1").await;
                    stage.until_phase(NAME, "Promoting").await;
                }
                When::Failed => {
                    stage.answer_success(10.0);
                    stage.kill().await;
                    stage.start();
                    stage.push(NAME, "6.0.1").await;
                    stage.until_phase(NAME, "Failed").await;
                }
            }
            delete(&stage, CANARY, NAME).await;
            gone(&mut stage, 60, &what).await;
            stage.pass(30.0).await;
            let tally = load.tally();
            assert_eq!(
                (tally.errors(), tally.skipped),
                (0, 0),
                "{what} {tally:?}\n{}",
                stage.story(NAME).text()
            );
            if let Some((version, kind, namespace, name)) = place.route {
                let route = stage.cluster.get(version, kind, namespace, name).await.unwrap();
                assert_eq!(route, None, "{what}");
            }
            check_reverted(&stage, 2, &what).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_survives_a_crash_after_each_write() {
    for place in [SMI, PLACES[0]] {
        for write in 1..=8 {
            for again in [false, true].into_iter().filter(|again| !again || write < 3) {
                let what = format!("{} killed after write {write}, again: {again}", place.provider);
                let mut stage = place.initialised(json!({})).await;
                let load = Load::new(place.client.0).host(place.client.1).per_second(10);
                let load = stage.cluster.load(load.lasting(Duration::from_secs(3_600)));
                stage.kill().await;
                stage.cut_again = again.then_some(write);
                stage.start_on(KillSwitch::new(Some(write)));
                delete(&stage, CANARY, NAME).await;
                gone(&mut stage, 120, &what).await;
                stage.pass(30.0).await;
                assert_eq!(load.tally().errors(), 0, "{what}\n{}", stage.story(NAME).text());
                check_reverted(&stage, 2, &what).await;
            }
        }
    }
}

fn refused(resource: &str, subresource: &str) -> Fault {
    let matcher = Matcher {
        resource: Some(resource.to_owned()),
        subresource: Some(subresource.to_owned()),
        user_agent: Some(OPERATOR.to_owned()),
        ..Matcher::writes()
    };
    Fault::once(matcher, FaultAction::Answer { code: 403, retry_after: None }).times(10_000)
}

#[tokio::test(start_paused = true)]
async fn the_finalizer_follows_the_spec() {
    let mut stage = SMI.initialised(json!({})).await;
    let finalizers = async |stage: &Stage| stage.canary(NAME).await["metadata"]["finalizers"].clone();
    assert_eq!(finalizers(&stage).await, json!([FINALIZER]));
    let set = async |stage: &Stage, reverts: bool| {
        let change = json!({"spec": {"revertOnDeletion": reverts}});
        stage.cluster.merge(CANARY, ("test", NAME), &change).await.unwrap();
    };
    let other = json!({"metadata": {"finalizers": [FINALIZER, "example.com/mine"]}});
    stage.cluster.merge(CANARY, ("test", NAME), &other).await.unwrap();
    set(&stage, false).await;
    stage.pass(2.0).await;
    assert_eq!(finalizers(&stage).await, json!(["example.com/mine"]));
    set(&stage, true).await;
    stage.pass(2.0).await;
    assert_eq!(finalizers(&stage).await, json!(["example.com/mine", FINALIZER]));
    set(&stage, false).await;
    stage.pass(2.0).await;
    stage.cluster.merge(CANARY, ("test", NAME), &json!({"metadata": {"finalizers": null}})).await.unwrap();
    delete(&stage, CANARY, NAME).await;
    assert_eq!(gone(&mut stage, 5, "without the finalizer").await, 0);
    stage.pass(30.0).await;
    assert_eq!(live(&stage, DEPLOYMENT, NAME).await["spec"]["replicas"], 0, "the target stays as it is");
}

#[tokio::test(start_paused = true)]
async fn a_finalizer_that_is_refused_is_reported_and_holds_nothing_up() {
    let mut stage = Stage::with(Settings { system: SMI.system, ..Settings::default() }).await;
    stage.answer_success(100.0);
    stage.cluster.server().faults().push(refused("canaries", ""));
    stage.start();
    let change = json!({"spec": {"provider": SMI.provider, "revertOnDeletion": true}});
    stage.apply(NAME, &[&change]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage.push(NAME, "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    let text = "its target is not reverted when it is deleted";
    assert_eq!(stage.reported(NAME, text), 1, "{}", stage.story(NAME).text());
    stage.check_laws(NAME);
}

/// A Canary of another name for the same target waits until the first one is gone.
#[tokio::test(start_paused = true)]
async fn the_next_canary_of_the_target_waits_for_the_deletion() {
    let mut stage = SMI.initialised(json!({})).await;
    delete(&stage, CANARY, NAME).await;
    stage.pass(1.0).await;
    let mut next = manifests::canary(NAME);
    manifests::merge(&mut next, &json!({"metadata": {"name": "next"}, "spec": {"provider": SMI.provider}}));
    apply(&stage, &next).await;
    stage.pass(5.0).await;
    assert_eq!(stage.canary("next").await["status"]["conditions"][0]["reason"], "InvalidSpec");
    gone(&mut stage, 60, "first").await;
    stage.until_phase("next", "Initialized").await;
}
