//! A Canary that is deleted during a migration: the target whose primary serves takes over.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_testbed_cluster::Load;

use super::{CANARY, NAME, PLACES, delete, gone};
use crate::{
    cluster::manifests,
    pod_labels::{DEPLOYMENT, SERVICE, live},
};

#[tokio::test(start_paused = true)]
async fn a_canary_that_is_deleted_during_a_migration_costs_no_request() {
    let other = json!({"targetRef": {"name": "other"}});
    let missing = json!({"targetRef": {"name": "missing"}});
    let of_another_kind = json!({"targetRef": {"kind": "DaemonSet"}});
    for place in [PLACES[0], PLACES[3]] {
        for (edit, seconds, takes_over) in [
            (&other, 0.2, NAME),
            (&other, 3.0, "other"),
            (&missing, 0.2, NAME),
            (&missing, 3.0, NAME),
            (&of_another_kind, 3.0, NAME),
        ] {
            let what = format!("{} {edit} deleted after {seconds} s", place.provider);
            let mut stage = place.initialised(json!({"spec": {"service": {"name": NAME}}})).await;
            stage.cluster.apply_yaml(&manifests::target("other", 2)).await.unwrap();
            stage.pass(5.0).await;
            let load = Load::new(place.client.0).host(place.client.1).per_second(10);
            let load = stage.cluster.load(load.lasting(Duration::from_secs(3_600)));
            stage.cluster.merge(CANARY, ("test", NAME), &json!({"spec": edit})).await.unwrap();
            stage.pass(seconds).await;
            delete(&stage, CANARY, NAME).await;
            gone(&mut stage, 30, &what).await;
            stage.pass(30.0).await;
            let (tally, story) = (load.tally(), stage.story(NAME));
            assert_eq!((tally.errors(), tally.skipped), (0, 0), "{what}\n{}", story.text());
            let selector = live(&stage, SERVICE, NAME).await["spec"]["selector"].clone();
            assert_eq!(selector, json!({"app": takes_over}), "{what}\n{}", story.text());
            let replicas = live(&stage, DEPLOYMENT, takes_over).await["spec"]["replicas"].clone();
            assert_eq!(replicas, 2, "{what}\n{}", story.text());
            for name in ["podinfo-primary", "other-primary"] {
                assert_eq!(live(&stage, DEPLOYMENT, name).await, Value::Null, "{what}: {name}");
            }
            stage.check_laws(NAME);
        }
    }
}
