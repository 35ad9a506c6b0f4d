//! The Secret of a metric server is replaced, deleted and made again in an analysis: each query has the credentials of
//! that moment, and without them a check fails, names the Secret, and says nothing of its content.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::json;
use vexil_testbed_cluster::{FromFn, plain};

use crate::cluster::Stage;

const NAME: &str = "podinfo";
const SECRET: (&str, &str) = ("v1", "Secret");

/// The token that the server accepts, and those that it was sent.
#[derive(Clone, Default)]
struct Tokens {
    accepted: Arc<Mutex<String>>,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Tokens {
    /// A metric server that answers only requests with the accepted token.
    fn serve(&self, stage: &Stage) {
        let tokens = self.clone();
        let handler = FromFn(move |request: Request<Bytes>| {
            let token =
                request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
            let token = token.unwrap_or_default();
            let accepted = token == format!("Bearer {}", tokens.accepted.lock().unwrap());
            tokens.sent.lock().unwrap().push(token);
            let result = json!([{"metric": {}, "value": [0, "100"]}]);
            let body = json!({"status": "success", "data": {"resultType": "vector", "result": result}});
            async move {
                if accepted {
                    plain(StatusCode::OK, body.to_string())
                } else {
                    plain(StatusCode::UNAUTHORIZED, "who are you?")
                }
            }
        });
        stage.cluster.network().register("private.test", Arc::new(handler));
    }

    /// From now on the server accepts this token, and the Secret has it.
    async fn rotate(&self, stage: &Stage, token: &str) {
        token.clone_into(&mut self.accepted.lock().unwrap());
        self.apply(stage, token).await;
    }

    async fn apply(&self, stage: &Stage, token: &str) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key", "namespace": "test"},
            "stringData": {"token": token},
        });
        stage.cluster.apply_yaml(&secret.to_string()).await.unwrap();
    }
}

/// A Canary whose only metric needs a token, initialised.
async fn initialised(tokens: &Tokens) -> Stage {
    let mut stage = Stage::open().await;
    stage.answer_success(100.0);
    tokens.serve(&stage);
    tokens.rotate(&stage, "first-token").await;
    let template = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate",
        "metadata": {"name": "rate", "namespace": "test"},
        "spec": {
            "provider": {"type": "prometheus", "address": "http://private.test", "secretRef": {"name": "key"}},
            "query": "rate",
        },
    });
    stage.cluster.apply_yaml(&template.to_string()).await.unwrap();
    stage.start();
    let metric = json!({
        "name": "rate", "templateRef": {"name": "rate"}, "thresholdRange": {"min": 99}, "interval": "1m",
    });
    stage.apply(NAME, &[&json!({"spec": {"analysis": {"metrics": [metric]}}})]).await;
    stage.until_phase(NAME, "Initialized").await;
    stage
}

async fn until_weight(stage: &mut Stage, weight: u64) {
    let limit = std::time::Duration::from_secs(120);
    stage.until(NAME, limit, |status| status["canaryWeight"].as_u64() == Some(weight)).await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_replaced_in_an_analysis_counts_at_once() {
    let tokens = Tokens::default();
    let mut stage = initialised(&tokens).await;
    stage.push(NAME, "6.0.1").await;
    until_weight(&mut stage, 25).await;
    tokens.rotate(&stage, "second-token").await;
    stage.until_phase(NAME, "Succeeded").await;
    let sent = tokens.sent.lock().unwrap().clone();
    assert_eq!(sent.last().map(String::as_str), Some("Bearer second-token"));
    assert_eq!(stage.reported(NAME, "failed"), 0, "{}", stage.story(NAME).text());
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_absent_fails_checks_until_it_is_there() {
    let tokens = Tokens::default();
    let mut stage = initialised(&tokens).await;
    stage.push(NAME, "6.0.1").await;
    until_weight(&mut stage, 25).await;
    assert!(stage.cluster.delete(SECRET.0, SECRET.1, "test", "key").await.unwrap());
    stage.until(NAME, std::time::Duration::from_secs(60), |status| status["failedChecks"] == 1).await;
    assert!(stage.reported(NAME, "key") > 0, "the Secret is named\n{}", stage.story(NAME).text());
    tokens.rotate(&stage, "third-token").await;
    stage.until_phase(NAME, "Succeeded").await;
    assert_eq!(stage.events_with(NAME, "-token"), [], "no Event has the content");
    stage.check_laws(NAME);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_does_not_come_back_ends_the_rollout() {
    let tokens = Tokens::default();
    let mut stage = initialised(&tokens).await;
    stage.push(NAME, "6.0.1").await;
    until_weight(&mut stage, 25).await;
    tokens.apply(&stage, "wrong-token").await;
    stage.until_phase(NAME, "Failed").await;
    assert!(stage.reported(NAME, "401") > 0, "{}", stage.story(NAME).text());
    assert_eq!(stage.events_with(NAME, "-token"), [], "no Event has the content");
    stage.check_laws(NAME);
}
