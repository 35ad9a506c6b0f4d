//! Deployments: the statuses that a real cluster (1.35) was seen to write, in their order.
//!
//! `rolling.txt` is what ours writes. Against the recording of the real one it lacks states that only chance showed
//! there (pods that become ready one after the other, a ReplicaSet seen before its sibling), and has a few more of its
//! own while the observed generation is behind (the revision annotation is a write of its own).
//! `UPDATE_STORY=1` writes the file anew.

use std::time::Duration;

use serde_json::{Value, json};

use super::{deployment, rolled_out};
use crate::kinds::DEPLOYMENT;
use crate::watch::{Change, Watch};
use crate::{Cluster, view};

/// One status in a line: generation, observed generation, numbers of pods, conditions, revision.
fn line(deployment: &Value) -> String {
    let number = |field: &str| view::number(deployment, &format!("/status/{field}"), 0).to_string();
    let numbers: Vec<String> =
        ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"]
            .map(number)
            .to_vec();
    let conditions = view::list(deployment, "/status/conditions").iter().map(|condition| {
        let (status, reason) = (view::text(condition, "/status"), view::text(condition, "/reason"));
        format!("{}:{reason}", &status[..1])
    });
    let conditions: Vec<String> = conditions.collect();
    let revision = view::annotation(deployment, "deployment.kubernetes.io/revision");
    format!(
        "{}/{} [{}] {} #{revision}",
        view::generation(deployment),
        number("observedGeneration"),
        numbers.join(" "),
        conditions.join(" ")
    )
}

/// Every state of a Deployment from its creation, without repetitions.
struct Recording(Watch, Vec<String>);

impl Recording {
    fn start(cluster: &Cluster) -> Self {
        Recording(Watch::start(&cluster.client(), &[DEPLOYMENT]), Vec::new())
    }

    async fn lines(&mut self) -> Vec<String> {
        while let Ok(Some(news)) = tokio::time::timeout(Duration::from_secs(20), self.0.next()).await {
            let objects = match news.1 {
                Change::Listed(objects) => objects,
                Change::Put(object) => vec![object],
                Change::Gone(_) => vec![],
            };
            self.1.extend(objects.iter().map(line));
        }
        self.1.dedup();
        std::mem::take(&mut self.1)
    }
}

#[tokio::test(start_paused = true)]
async fn statuses_come_as_on_a_real_cluster() {
    let cluster = Cluster::start().await.unwrap();
    let mut recording = Recording::start(&cluster);
    let strategy = "progressDeadlineSeconds: 8";
    cluster.apply_yaml(&deployment("podinfo", 3, "podinfo:6.0.0", strategy, "")).await.unwrap();
    let mut story = String::new();
    let mut tell = async |what: &str, change: Value| {
        let kind = ("apps/v1", "Deployment");
        if let Some(tag) = change.as_str() {
            cluster.set_image("test", "podinfo", "podinfod", &format!("podinfo:{tag}")).await.unwrap();
        } else {
            cluster.merge(kind, ("test", "podinfo"), &json!({"spec": change})).await.unwrap();
        }
        let lines = recording.lines().await;
        story += &format!("# {what}\n{}\n", lines.join("\n"));
    };
    tell("create", json!({})).await;
    tell("image", json!("6.0.1")).await;
    tell("scale to 0", json!({"replicas": 0})).await;
    tell("image at 0", json!("6.0.2")).await;
    tell("scale to 2", json!({"replicas": 2})).await;
    tell("a broken image", json!("broken1")).await;
    tell("back to the former image", json!("6.0.2")).await;
    tell("minReadySeconds 2", json!({"minReadySeconds": 2})).await;
    tell("image", json!("6.0.4")).await;
    tell("pause", json!({"paused": true})).await;
    tell("image", json!("6.0.5")).await;
    tell("resume", json!({"paused": null})).await;
    tell("Recreate", json!({"strategy": {"type": "Recreate", "rollingUpdate": null}})).await;
    tell("image", json!("6.0.6")).await;
    if std::env::var_os("UPDATE_STORY").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/rolling.txt"), &story).unwrap();
    }
    assert_eq!(story, include_str!("rolling.txt"));
}

#[tokio::test(start_paused = true)]
async fn a_roll_keeps_within_max_surge_and_max_unavailable() {
    let cluster = Cluster::start().await.unwrap();
    let mut recording = Recording::start(&cluster);
    for (surge, unavailable, most, least) in
        [("25%", "25%", 5, 3), ("1", "0", 5, 4), ("0", "2", 4, 2), ("0", "1%", 4, 3)]
    {
        let strategy = format!(
            "strategy: {{type: RollingUpdate, rollingUpdate: {{maxSurge: {surge}, maxUnavailable: {unavailable}}}}}"
        );
        let name = format!("p{surge}{unavailable}").replace('%', "p");
        cluster.apply_yaml(&deployment(&name, 4, "podinfo:1", &strategy, "")).await.unwrap();
        rolled_out(&cluster, &name).await;
        recording.lines().await;
        cluster.set_image("test", &name, "podinfod", "podinfo:2").await.unwrap();
        let numbers: Vec<(i64, i64)> = recording.lines().await.iter().map(|line| sizes(line)).collect();
        assert_eq!(
            numbers.iter().map(|(all, _)| *all).max(),
            Some(most),
            "surge {surge}/{unavailable}: {numbers:?}"
        );
        assert_eq!(
            numbers.iter().map(|(_, up)| *up).min(),
            Some(least),
            "least {surge}/{unavailable}: {numbers:?}"
        );
    }
}

/// Replicas and available replicas of a line.
fn sizes(line: &str) -> (i64, i64) {
    let inside = line.split(['[', ']']).nth(1).unwrap();
    let numbers: Vec<i64> = inside.split(' ').map(|number| number.parse().unwrap()).collect();
    (numbers[0], numbers[3])
}
