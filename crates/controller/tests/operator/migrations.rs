//! Edits of what traffic depends on, in every phase, with clients that never stop: each is a migration, and costs no
//! request.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::Load;

use crate::cluster::{Stage, manifests};

const NAME: &str = "podinfo";

/// When the edit is made.
#[derive(Clone, Copy, Debug)]
enum When {
    AtRest,
    MidRun,
    Promoting,
}

/// One edit: what is merged into the Canary, and what its status says in the end.
struct Edit {
    when: When,
    canary: Value,
    /// Part of an Event that says what was edited.
    event: &'static str,
    /// The Deployment that is the primary in the end.
    primary: &'static str,
    /// The provider in the end.
    provider: &'static str,
}

/// Plays the edit under load, and edits it back when `back`. No request may fail.
async fn check(edit: Edit, back: bool) {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[&json!({"spec": {"service": {"name": NAME}, "provider": "traefik"}})]).await;
    stage.cluster.apply_yaml(&manifests::target("other", 2)).await.unwrap();
    stage.until_phase(NAME, "Initialized").await;
    let load = Load::of_site("podinfo.example.com").per_second(10).lasting(Duration::from_secs(3_600));
    let load = stage.cluster.load(load);
    let limit = Duration::from_secs(300);
    match edit.when {
        When::AtRest => {}
        When::MidRun => {
            stage.push(NAME, "6.0.1").await;
            stage.until(NAME, limit, |status| status["canaryWeight"] == 25).await;
        }
        When::Promoting => {
            stage.push(NAME, "6.0.1").await;
            stage.pass(22.0).await;
            assert_eq!(stage.canary(NAME).await["status"]["phase"], "Promoting");
        }
    }
    let before = stage.canary(NAME).await["spec"].clone();
    let key = ("flagger.app/v1beta1", "Canary");
    stage.cluster.merge(key, ("test", NAME), &json!({"spec": edit.canary})).await.unwrap();
    if back {
        stage.pass(4.0).await;
        let mut undo = json!({"spec": {}});
        for field in edit.canary.as_object().unwrap().keys() {
            undo["spec"][field] = before[field].clone();
        }
        stage.cluster.merge(key, ("test", NAME), &undo).await.unwrap();
    }
    stage.pass(240.0).await;
    let (status, story) = (stage.canary(NAME).await["status"].clone(), stage.story(NAME));
    let label = format!("{:?} {}\n{}", edit.when, edit.canary, story.text());
    let (primary, provider) =
        if back { ("podinfo-primary", "traefik") } else { (edit.primary, edit.provider) };
    assert_eq!(load.tally().errors(), 0, "{label}");
    assert!(matches!(status["phase"].as_str(), Some("Initialized" | "Succeeded")), "{label}");
    assert_eq!(status["binding"]["primary"], primary, "{label}");
    assert_eq!(status["binding"]["provider"], provider, "{label}");
    assert_eq!(status["previousBindings"], Value::Null, "nothing is left to be released: {label}");
    // An edit that is taken back before a promotion has ended was never acted on.
    let unseen = back && matches!(edit.when, When::Promoting);
    assert!(unseen || story.text().contains(edit.event), "{}: {label}", edit.event);
    assert!(!story.text().contains("changed by someone else"), "{label}");
}

fn target(when: When) -> Edit {
    let canary = json!({"targetRef": {"name": "other"}});
    let event = "target changed from Deployment podinfo to Deployment other";
    Edit { when, canary, event, primary: "other-primary", provider: "traefik" }
}

fn provider(when: When) -> Edit {
    let canary = json!({"provider": "kubernetes"});
    let event = "provider changed from traefik to kubernetes";
    Edit { when, canary, event, primary: "podinfo-primary", provider: "kubernetes" }
}

fn service(when: When) -> Edit {
    let canary = json!({"service": {"name": "shop"}});
    let event = "service name changed from podinfo to shop";
    Edit { when, canary, event, primary: "podinfo-primary", provider: "traefik" }
}

const WHEN: [When; 3] = [When::AtRest, When::MidRun, When::Promoting];

#[tokio::test(start_paused = true)]
async fn another_target_costs_no_request() {
    for when in WHEN {
        check(target(when), false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn another_provider_costs_no_request() {
    for when in WHEN {
        check(provider(when), false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn another_service_name_costs_no_request() {
    for when in WHEN {
        check(service(when), false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_is_taken_back_costs_no_request() {
    for when in WHEN {
        check(target(when), true).await;
        check(provider(when), true).await;
        check(service(when), true).await;
    }
}

async fn former_primary(stage: &Stage) -> Option<Value> {
    stage.cluster.get("apps/v1", "Deployment", "test", "podinfo-primary").await.unwrap()
}

/// A Service of the user still selects the pods of the former primary, which stays as long as it does. One Event says
/// so, however often the Canary is reconciled, and in whichever process.
#[tokio::test(start_paused = true)]
async fn a_former_primary_that_a_service_selects_is_kept_and_reported_once() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[&json!({"spec": {"service": {"name": NAME}, "provider": "traefik"}})]).await;
    stage.cluster.apply_yaml(&manifests::target("other", 2)).await.unwrap();
    stage.until_phase(NAME, "Initialized").await;
    let service = "{apiVersion: v1, kind: Service, metadata: {name: legacy, namespace: test}, \
                   spec: {selector: {app: podinfo-primary}, ports: [{port: 80, targetPort: 9898}]}}";
    stage.cluster.apply_yaml(service).await.unwrap();
    let canary = ("flagger.app/v1beta1", "Canary");
    let edit = json!({"spec": {"targetRef": {"name": "other"}}});
    stage.cluster.merge(canary, ("test", NAME), &edit).await.unwrap();
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(600.0).await;
    stage.kill().await;
    stage.start();
    stage.push("other", "6.0.1").await;
    stage.until_phase(NAME, "Succeeded").await;
    stage.pass(600.0).await;
    let text = "Deployment podinfo-primary.test of the earlier target Deployment podinfo is kept, because Service legacy \
                selects its pods; delete the Service when no client uses it any more, and the primary goes with it";
    let story = stage.story(NAME);
    let events = story.events.iter().filter(|(event, _)| event.contains(text));
    let (count, story) = (events.map(|(_, times)| times).sum::<usize>(), story.text());
    assert_eq!(count, 1, "{story}");
    assert!(former_primary(&stage).await.is_some(), "it is kept: {story}");
    stage.cluster.delete("v1", "Service", "test", "legacy").await.unwrap();
    stage.pass(60.0).await;
    assert!(former_primary(&stage).await.is_none(), "it is deleted when nothing selects it: {story}");
    assert_eq!(stage.canary(NAME).await["status"]["previousBindings"], Value::Null);
}

/// Where the Services of the Canary lead: the value of `app` in each of their selectors.
async fn selected(stage: &Stage) -> Vec<String> {
    let mut all = Vec::new();
    for name in ["podinfo", "podinfo-primary"] {
        let service = stage.cluster.get("v1", "Service", "test", name).await.unwrap().unwrap_or_default();
        all.push(service["spec"]["selector"]["app"].as_str().unwrap_or("nothing").to_owned());
    }
    all
}

async fn rebind(stage: &Stage, target: &str) {
    let edit = json!({"spec": {"targetRef": {"name": target}}});
    stage.cluster.merge(("flagger.app/v1beta1", "Canary"), ("test", NAME), &edit).await.unwrap();
}

/// The pods of the new primary crash when clients reach them: they get the former primary back, until a push.
#[tokio::test(start_paused = true)]
async fn a_new_primary_that_crashes_leaves_clients_the_former_one() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[&json!({"spec": {"service": {"name": NAME}, "provider": "traefik"}})]).await;
    stage.cluster.apply_yaml(&manifests::target("other", 2)).await.unwrap();
    stage.push("other", "fragile-1").await;
    stage.until_phase(NAME, "Initialized").await;
    let load = Load::of_site("podinfo.example.com").per_second(10).lasting(Duration::from_secs(3_600));
    let load = stage.cluster.load(load);
    rebind(&stage, "other").await;
    let (mut failed, mut most) = (0, 0);
    for _ in 0..60 {
        stage.pass(1.0).await;
        failed = if selected(&stage).await == ["other-primary", "other-primary"] { failed + 1 } else { 0 };
        most = most.max(failed);
    }
    let story = stage.story(NAME).text();
    assert!(most > 0, "clients never reach the new primary: {story}");
    assert!(most <= 3, "for {most} s Services lead to a primary without pods: {story}");
    assert_eq!(selected(&stage).await, ["podinfo-primary", "podinfo-primary"], "{story}");
    let event =
        "No pod of other-primary.test is ready, routing all traffic of podinfo.test to the earlier primary";
    assert!(story.contains(event), "{story}");
    stage.push("other", "6.0.2").await;
    stage.until_phase(NAME, "Initialized").await;
    let lost = load.tally().errors();
    stage.pass(60.0).await;
    assert_eq!(load.tally().errors(), lost, "{}", stage.story(NAME).text());
    assert_eq!(selected(&stage).await, ["other-primary", "other-primary"]);
    assert_eq!(stage.canary(NAME).await["status"]["previousBindings"], Value::Null);
}

/// The Canary is edited to a target that is made later, and the former one is deleted: what clients use is upheld.
#[tokio::test(start_paused = true)]
async fn services_are_kept_while_the_new_target_does_not_exist() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[&json!({"spec": {"service": {"name": NAME}, "provider": "traefik"}})]).await;
    stage.until_phase(NAME, "Initialized").await;
    rebind(&stage, "other").await;
    stage.cluster.delete("apps/v1", "Deployment", "test", NAME).await.unwrap();
    stage.pass(20.0).await;
    for name in ["podinfo", "podinfo-primary"] {
        stage.cluster.delete("v1", "Service", "test", name).await.unwrap();
        stage.pass(2.0).await;
        assert_eq!(selected(&stage).await, ["podinfo-primary"; 2], "{}", stage.story(NAME).text());
    }
    let edit = json!({"spec": {"weighted": {"services": [
        {"name": "podinfo-primary", "kind": "Service", "port": 80, "weight": 0},
        {"name": "podinfo-canary", "kind": "Service", "port": 80, "weight": 100},
    ]}}});
    let kind = ("traefik.io/v1alpha1", "TraefikService");
    stage.cluster.merge(kind, ("test", NAME), &edit).await.unwrap();
    stage.pass(2.0).await;
    let load = Load::of_site("podinfo.example.com").per_second(10).lasting(Duration::from_secs(3_600));
    let load = stage.cluster.load(load);
    stage.pass(20.0).await;
    assert_eq!(load.tally().errors(), 0, "{}", stage.story(NAME).text());
    stage.cluster.apply_yaml(&manifests::target("other", 2)).await.unwrap();
    stage.until_phase(NAME, "Initialized").await;
    stage.pass(60.0).await;
    assert_eq!(load.tally().errors(), 0, "{}", stage.story(NAME).text());
    assert_eq!(selected(&stage).await, ["other-primary"; 2]);
}

/// The new primary has pods, but an update of it never ends: Services that lead nowhere do not wait for that.
#[tokio::test(start_paused = true)]
async fn an_edited_service_leads_to_the_former_primary_until_the_new_one_is_ready() {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply(NAME, &[&json!({"spec": {"service": {"name": NAME}, "provider": "traefik"}})]).await;
    stage.cluster.apply_yaml(&manifests::target("other", 2)).await.unwrap();
    stage.until_phase(NAME, "Initialized").await;
    rebind(&stage, "other").await;
    let primary = async |stage: &Stage| {
        stage.cluster.get("apps/v1", "Deployment", "test", "other-primary").await.unwrap()
    };
    while primary(&stage).await.is_none() {
        stage.pass(0.1).await;
    }
    stage.push("other-primary", "broken").await;
    stage.pass(20.0).await;
    let status = primary(&stage).await.unwrap()["status"].clone();
    assert_eq!((&status["availableReplicas"], &status["replicas"]), (&json!(2), &json!(3)), "{status}");
    assert_eq!(selected(&stage).await, ["podinfo-primary"; 2], "{}", stage.story(NAME).text());
    for name in ["podinfo", "podinfo-primary"] {
        let edit = json!({"spec": {"selector": {"app": "nowhere"}}});
        stage.cluster.merge(("v1", "Service"), ("test", name), &edit).await.unwrap();
        stage.pass(2.0).await;
        assert_eq!(selected(&stage).await, ["podinfo-primary"; 2], "{}", stage.story(NAME).text());
    }
    stage.push("other-primary", "6.0.0").await;
    stage.until_phase(NAME, "Initialized").await;
    assert_eq!(selected(&stage).await, ["other-primary"; 2]);
}
