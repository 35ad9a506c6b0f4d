//! The API server fails, in every way and at every write: the rollout ends as if it had not.

use std::time::Duration;

use serde_json::json;
use tokio::{task::JoinSet, time::sleep};
use vexil_testbed_apiserver::{ApiServer, Fault, FaultAction, Loss, Matcher};
use vexil_testbed_cluster::Settings;

use crate::cluster::{
    KillSwitch, OPERATOR, Stage,
    fault_injection::{Outcome, PROMOTION},
};

/// What can happen to a write.
fn harms() -> Vec<FaultAction> {
    let answer = |code, retry_after| FaultAction::Answer { code, retry_after };
    vec![
        answer(409, None),
        answer(429, Some(1)),
        answer(500, None),
        answer(503, None),
        answer(504, None),
        answer(403, None),
        FaultAction::LoseAnswer(Loss::Reset),
        FaultAction::LoseAnswer(Loss::Timeout),
        FaultAction::LoseAnswer(Loss::Silence),
        FaultAction::Hang,
    ]
}

fn writes_of_the_operator() -> Matcher {
    Matcher { user_agent: Some(OPERATOR.to_owned()), ..Matcher::writes() }
}

async fn clean() -> (Outcome, u32) {
    let run = PROMOTION.go(KillSwitch::new(None), |_| {}).await;
    (run.outcome, run.writes)
}

async fn check(what: &str, clean: &Outcome, faults: Vec<Fault>) {
    let arrange =
        |stage: &mut Stage| faults.into_iter().for_each(|fault| stage.cluster.server().faults().push(fault));
    PROMOTION.check(what, clean, KillSwitch::new(None), arrange).await;
}

/// Every write is harmed once, each in its own run; which harm it is goes round. `cargo xtask torture faults` plays
/// every harm at every write.
#[tokio::test(start_paused = true)]
async fn a_rollout_survives_one_harm_to_each_write() {
    let (clean, writes) = clean().await;
    let harms = harms();
    for write in 0..writes {
        let harm = harms[write as usize % harms.len()].clone();
        let what = format!("{harm:?} at write {}", write + 1);
        check(&what, &clean, vec![Fault::once(writes_of_the_operator(), harm).after(write)]).await;
    }
}

/// Writes of a resource fail again and again before they succeed.
#[tokio::test(start_paused = true)]
async fn a_rollout_survives_storms_on_one_resource() {
    let (clean, _) = clean().await;
    for resource in ["canaries", "traefikservices", "deployments", "events"] {
        for code in [409, 500] {
            let matcher = Matcher { resource: Some(resource.to_owned()), ..writes_of_the_operator() };
            let storm = FaultAction::Answer { code, retry_after: None };
            check(&format!("{code} storm on {resource}"), &clean, vec![Fault::once(matcher, storm).times(4)])
                .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_survives_reads_that_fail_or_hang() {
    let (clean, _) = clean().await;
    for verb in ["get", "list", "watch"] {
        for harm in [FaultAction::Answer { code: 503, retry_after: None }, FaultAction::Hang] {
            let matcher = Matcher {
                verb: Some(verb.to_owned()),
                user_agent: Some(OPERATOR.to_owned()),
                ..Matcher::default()
            };
            let what = format!("{harm:?} at each {verb}");
            let fault = Fault::once(matcher, harm).times(3);
            PROMOTION.check_reads(&what, &clean, |stage| stage.cluster.server().faults().push(fault)).await;
        }
    }
}

/// Something happens to the cluster again and again, all through the rollout.
async fn check_unrest(what: &str, every_s: u64, disturb: impl Fn(&ApiServer) + Send + 'static) {
    let (clean, _) = clean().await;
    let mut unrest = JoinSet::new();
    let arrange = |stage: &mut Stage| {
        let server = stage.cluster.server().clone();
        unrest.spawn(async move {
            loop {
                sleep(Duration::from_secs(every_s)).await;
                disturb(&server);
            }
        });
    };
    PROMOTION.check(what, &clean, KillSwitch::new(None), arrange).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollout_survives_watches_that_end() {
    check_unrest("watches end", 2, |server| server.drop_watches()).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollout_survives_a_forgotten_history() {
    check_unrest("410 Gone", 16, |server| {
        server.compact();
        server.drop_watches();
    })
    .await;
}

/// Another writer touches the Canary and the route all the time, so that every fence is out of date.
#[tokio::test(start_paused = true)]
async fn a_rollout_survives_another_writer() {
    let (clean, _) = clean().await;
    let mut other = JoinSet::new();
    let arrange = |stage: &mut Stage| {
        let client = stage.cluster.server().client_as("other");
        other.spawn(async move {
            for round in 0_u32.. {
                sleep(Duration::from_millis(70)).await;
                let touch = json!({"metadata": {"annotations": {"round": round.to_string()}}}).to_string();
                for path in [
                    "flagger.app/v1beta1/namespaces/test/canaries",
                    "traefik.io/v1alpha1/namespaces/test/traefikservices",
                ] {
                    let request = http::Request::patch(format!("/apis/{path}/podinfo"))
                        .header("content-type", "application/merge-patch+json")
                        .body(touch.clone().into_bytes())
                        .unwrap();
                    // Nothing is there yet at the beginning.
                    let _touched = client.request::<serde_json::Value>(request).await;
                }
            }
        });
    };
    PROMOTION.check("another writer", &clean, KillSwitch::new(None), arrange).await;
}

/// Between rollouts nothing is asked of the API server but watches, for a day.
#[tokio::test(start_paused = true)]
async fn canaries_at_rest_cost_nothing() {
    let seldom = Settings { scrape_interval: Duration::from_secs(3_600), ..Settings::default() };
    let mut stage = Stage::with(seldom).await;
    stage.answer_success(100.0);
    stage.start();
    stage.apply("suspended", &[&json!({"spec": {"suspend": true}})]).await;
    stage.apply("wrong", &[&json!({"spec": {"service": {"port": 70000}}})]).await;
    stage.apply("podinfo", &[]).await;
    stage.until_phase("podinfo", "Initialized").await;
    stage.push("podinfo", "6.0.1").await;
    stage.until_phase("podinfo", "Succeeded").await;
    stage.pass(60.0).await;
    stage.cluster.server().audit().clear();
    stage.pass(24.0 * 3_600.0).await;
    let audit = stage.cluster.server().audit().of(OPERATOR);
    let asked: Vec<String> =
        audit.iter().filter(|entry| entry.verb != "watch").map(|entry| entry.line()).collect();
    assert!(asked.is_empty() && !audit.is_empty(), "{asked:?}");
}
