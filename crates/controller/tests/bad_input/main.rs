//! Mistakes in manifests, as tables: what the API server and the operator answer to each. `UPDATE_EXPECT=1` writes the
//! answers into the tables.
//!
//! The API server has the definitions of this release. The operator is asked about every object all the same: an API
//! server with the definitions of another release accepts more.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers outside of #[test] functions are not exempt by clippy.toml"
)]

mod alert_providers;
mod canaries;
mod metric_templates;
mod table;

use serde_json::Value;
use vexil_api::crds;
use vexil_testbed_cluster::Cluster;

/// What the API server says of the rules that it did not try because others are broken.
const UNTRIED: &str = "some validation rules were not checked";

/// What the API server answers to the creation of an object, one line for each of its causes; empty if it accepts.
async fn refused_by_api_server(cluster: &Cluster, plural: &str, object: &Value) -> Vec<String> {
    let path = format!("/apis/flagger.app/v1beta1/namespaces/test/{plural}?dryRun=All");
    let request = http::Request::post(path).header("content-type", "application/json");
    let request = request.body(object.to_string().into_bytes()).unwrap();
    match cluster.client().request::<Value>(request).await {
        Ok(_) => Vec::new(),
        Err(kube::Error::Api(status)) => {
            let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
            let causes = causes.iter().filter(|cause| !cause.message.contains(UNTRIED));
            let said = causes.map(|cause| format!("API server  {}: {}", cause.field, cause.message));
            let said: Vec<String> = said.collect();
            if said.is_empty() { vec![format!("API server  {}", status.message)] } else { said }
        }
        Err(error) => panic!("{path}: {error}", path = object),
    }
}

/// The answers of both, or one line if both accept.
fn answers(api_server: Vec<String>, operator: Vec<String>) -> Vec<String> {
    let one = |name: &str, said: Vec<String>| match said.as_slice() {
        [] => vec![format!("{name}accepts")],
        _ => said,
    };
    if api_server.is_empty() && operator.is_empty() {
        return vec!["accepted".to_owned()];
    }
    [one("API server  ", api_server), one("operator    ", operator)].concat()
}

/// A field that is added to a definition needs a row.
#[test]
fn every_field_of_every_definition_has_a_row() {
    let tables = [
        ("canaries", include_str!("canaries.txt")),
        ("metrictemplates", include_str!("metric_templates.txt")),
        ("alertproviders", include_str!("alert_providers.txt")),
    ];
    let mut rows = 0;
    for crd in crds().unwrap() {
        let (_, table) = tables.iter().find(|(plural, _)| *plural == crd.plural).unwrap();
        rows += table::cases(table).count();
        let named = table::fields(table);
        let schema = &crd.manifest["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        let mut missing = table::leaves(schema);
        // Another name of `analysis`, with the same fields.
        missing.retain(|field| !field.starts_with("spec.canaryAnalysis.") && !named.contains(field));
        assert_eq!(missing, Vec::<String>::new(), "{}", crd.plural);
    }
    assert!(rows >= 200, "{rows} rows");
}
