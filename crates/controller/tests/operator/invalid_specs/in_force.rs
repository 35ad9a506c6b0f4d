//! What goes on while the spec is invalid, and what stands still.

use serde_json::json;

use super::{NAME, Stage};

const CANARY: (&str, &str) = ("flagger.app/v1beta1", "Canary");

/// What clients need is restored from what is in force, whatever else is wrong; what exists is left as it is.
#[tokio::test(start_paused = true)]
async fn services_that_are_deleted_while_the_spec_is_invalid_are_created_again() {
    const SERVICE: (&str, &str) = ("v1", "Service");
    let mut stage = Stage::open().await;
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initialized").await;
    // Whether a new port is invalid or not: the pods do not listen on it.
    let service = json!({"portName": "web", "port": -1, "targetPort": 8080, "appProtocol": "h2c"});
    let edit = json!({"spec": {"analysis": {"maxWeight": -1}, "service": service}});
    stage.cluster.merge(CANARY, ("test", NAME), &edit).await.unwrap();
    stage.pass(2.0).await;
    for name in ["podinfo", "podinfo-primary"] {
        assert!(stage.cluster.delete(SERVICE.0, SERVICE.1, "test", name).await.unwrap());
    }
    stage.pass(5.0).await;
    for (name, selected) in [
        ("podinfo", "podinfo-primary"),
        ("podinfo-primary", "podinfo-primary"),
        ("podinfo-canary", "podinfo"),
    ] {
        let service = stage.cluster.get(SERVICE.0, SERVICE.1, "test", name).await.unwrap().unwrap();
        let spec = &service["spec"];
        assert_eq!(spec["selector"]["app"], selected, "{name}");
        let port = json!({"name": "http", "port": 80, "protocol": "TCP", "targetPort": 9898});
        assert_eq!(spec["ports"], json!([port]), "{name}");
    }
}

/// An initialisation with an invalid spec writes nothing, says so, and goes on when the spec is corrected.
#[tokio::test(start_paused = true)]
async fn an_initialization_that_an_invalid_spec_holds_up_is_reported() {
    let mut stage = Stage::open().await;
    stage.start();
    stage.apply(NAME, &[]).await;
    stage.until_phase(NAME, "Initializing").await;
    for max_weight in [-1, 50] {
        let edit = json!({"spec": {"analysis": {"maxWeight": max_weight}}});
        stage.cluster.merge(CANARY, ("test", NAME), &edit).await.unwrap();
        stage.pass(30.0).await;
    }
    let told = stage.story(NAME).text();
    assert_eq!(stage.reported(NAME, "invalid canary spec: spec.analysis.maxWeight"), 1, "{told}");
    assert_eq!(stage.reported(NAME, "The initialization stands still: spec.analysis.maxWeight"), 1, "{told}");
    stage.until_phase(NAME, "Initialized").await;
}
