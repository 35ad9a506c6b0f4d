//! The CustomResourceDefinitions, made from the types and from what the contract adds to them.
//!
//! Names, nesting, types and descriptions come from the Rust types, so that the two cannot drift apart. Everything else
//! (enums, patterns, required fields, defaults, rules) stands in one table per kind, as `operator.md` 8 to 10 lists it.
//!
//! # Two versions of the Canary
//!
//! `v1beta1` is stored; `v1alpha3`, in which older guides write, is served beside it. They are converted by name alone
//! (strategy None: the API server changes `apiVersion` and nothing else) and by pruning what the schema of the version
//! that is read or written does not have. So both have one and the same schema, with `analysis` and its old name
//! `canaryAnalysis` in it: what was written through one is whole through the other, and what one admits the other
//! admits, or else a status could not be written to an object that came in through the other door. A cluster in which
//! an old operator has stored `v1alpha3` takes this definition too: no version that was ever stored may be missing.

mod canary;
mod others;
mod rule;
pub(crate) mod schema;

#[cfg(test)]
pub(crate) mod tests;

use serde_json::{Value, json};

pub use rule::CrdError;

/// A CustomResourceDefinition, as the object to apply.
#[derive(Clone, Debug, PartialEq)]
pub struct Crd {
    /// Plural name of the kind, and of the file it is kept in.
    pub plural: &'static str,
    /// The object.
    pub manifest: Value,
}

/// The three CustomResourceDefinitions of the `flagger.app` group.
///
/// # Errors
/// When a rule names a field that the types do not have: a mistake in this crate, which its tests find.
pub fn crds() -> Result<Vec<Crd>, CrdError> {
    Ok(vec![
        Names { kind: "Canary", plural: "canaries", singular: "canary" }.crd(canary::versions()?),
        Names { kind: "MetricTemplate", plural: "metrictemplates", singular: "metrictemplate" }
            .crd(vec![stored(others::metric_template_columns(), others::metric_template_schema()?)]),
        Names { kind: "AlertProvider", plural: "alertproviders", singular: "alertprovider" }
            .crd(vec![stored(others::alert_provider_columns(), others::alert_provider_schema()?)]),
    ])
}

/// How a kind is called.
struct Names {
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
}

impl Names {
    fn crd(&self, versions: Vec<Value>) -> Crd {
        let manifest = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": format!("{}.flagger.app", self.plural),
                "annotations": { "helm.sh/resource-policy": "keep" },
            },
            "spec": {
                "group": "flagger.app",
                "scope": "Namespaced",
                "names": {
                    "kind": self.kind,
                    "listKind": format!("{}List", self.kind),
                    "plural": self.plural,
                    "singular": self.singular,
                    "categories": ["all"],
                },
                "versions": versions,
            },
        });
        Crd { plural: self.plural, manifest }
    }
}

/// The version that is stored.
fn stored(columns: Value, schema: Value) -> Value {
    version("v1beta1", true, columns, schema)
}

/// A version that is served.
fn version(name: &str, storage: bool, columns: Value, schema: Value) -> Value {
    json!({
        "name": name,
        "served": true,
        "storage": storage,
        "subresources": { "status": {} },
        "additionalPrinterColumns": columns,
        "schema": { "openAPIV3Schema": schema },
    })
}

/// One printer column. `priority` 1 shows it only in wide output.
fn column(name: &str, type_: &str, path: &str, priority: u8) -> Value {
    json!({ "name": name, "type": type_, "jsonPath": path, "priority": priority })
}
