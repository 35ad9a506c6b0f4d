//! Deployments: the statuses that a real cluster (1.35) was seen to write, in their order.

use std::time::Duration;

use serde_json::{Value, json};

use super::{deployment, live, rolled_out};
use crate::world::kinds::DEPLOYMENT;
use crate::world::watch::{News, Watch};
use crate::world::{Cluster, view};

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
            let objects = match news {
                News::Listed(_, objects) => objects,
                News::Put(_, object) => vec![object],
                News::Gone(..) => vec![],
            };
            self.1.extend(objects.iter().map(line));
        }
        std::mem::take(&mut self.1)
    }
}

#[tokio::test(start_paused = true)]
async fn statuses_come_as_on_a_real_cluster() {
    let cluster = Cluster::start().await.unwrap();
    let mut recording = Recording::start(&cluster);
    cluster
        .apply_yaml(&deployment("podinfo", 3, "podinfo:6.0.0", "progressDeadlineSeconds: 8"))
        .await
        .unwrap();
    eprintln!("{}", recording.lines().await.join("\n"));
    cluster.set_image("test", "podinfo", "podinfod", "podinfo:6.0.1").await.unwrap();
    eprintln!("\n{}", recording.lines().await.join("\n"));
    let _ = (live, rolled_out, json!(1));
}
