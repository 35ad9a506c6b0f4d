//! Mistakes in Canaries.

use std::sync::Arc;

use expect_test::expect_file;
use serde_json::{Value, json};
use vexil_plan::{Planner, Registry, Settings};
use vexil_routing_apisix::Apisix;
use vexil_routing_kubernetes::{Kubernetes, KubernetesServices};
use vexil_routing_kuma::Kuma;
use vexil_routing_traefik::Traefik;
use vexil_testbed_cluster::Cluster;
use vexil_testbed_rig::manifests;

use crate::{answers, refused_by_api_server, table};

/// Some routers; messages list them, and another router must not change every table.
fn registry() -> Registry {
    Registry::new(KubernetesServices)
        .with(Kubernetes)
        .with(Kuma::new(None))
        .with(Traefik::new(None))
        .with(Apisix)
        .with_retired("osm", "Open Service Mesh was archived in 2023")
}

/// The Canary of the Traefik guide.
fn good() -> Value {
    let mut canary = manifests::canary("podinfo");
    manifests::merge(&mut canary, &json!({ "metadata": { "uid": "u", "generation": 1 } }));
    canary
}

/// Defects, or what is said of a Canary that is accepted.
fn said_by_operator(planner: &Planner<'_>, object: &Value) -> Vec<String> {
    match planner.open(Arc::new(object.clone())) {
        Err(defects) => defects.iter().map(|defect| format!("operator    {defect}")).collect(),
        Ok(canary) => {
            let plan = canary.plan();
            let warnings = plan.remarks.iter().chain(&plan.warnings);
            warnings.map(|warning| format!("operator    accepts, warning: {warning}")).collect()
        }
    }
}

#[tokio::test(start_paused = true)]
async fn mistakes_in_canaries() {
    let cluster = Cluster::start().await.unwrap();
    let settings = Settings { provider: "traefik".to_owned(), ..Settings::default() };
    let strict = Settings { no_cross_namespace_refs: true, ..settings.clone() };
    let good = good();
    let answer = async |mut object: Value| {
        // The flag of the operator, as if it were a field.
        let flag = object.as_object_mut().unwrap().remove("no-cross-namespace-refs").is_some();
        // Not one for all cases: a registry keeps the Canaries that it has validated.
        let registry = registry();
        let planner = Planner::new(&registry, if flag { &strict } else { &settings });
        answers(
            refused_by_api_server(&cluster, "canaries", &object).await,
            said_by_operator(&planner, &object),
        )
    };
    let played = table::play(include_str!("canaries.txt"), &good, answer).await;
    expect_file!["canaries.txt"].assert_eq(&played);
}
