//! The CustomResourceDefinitions, generated from the Rust types and a table of schema rules per kind.
//!
//! Names, nesting, types and descriptions are those of the Rust types, so that the two cannot drift apart. Everything
//! else (enums, patterns, required fields, defaults, CEL rules) is listed in `crd/canary.rs` and `crd/others.rs`.
//!
//! # Two versions of the Canary
//!
//! `v1beta1` is stored; `v1alpha3`, which older guides use, is served too. The conversion strategy is None: the API
//! server changes `apiVersion` and prunes what the schema of the requested version does not have. So both versions have
//! the same schema, with `analysis` and its old name `canaryAnalysis`: an object written through one version is
//! complete when read through the other, and its status can be written through either. A cluster where an old operator
//! stored `v1alpha3` accepts this definition, because no stored version may be removed from a definition.

mod canary;
mod others;
mod rule;
pub(crate) mod schema;

#[cfg(test)]
mod reference;
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

impl Crd {
    /// Admits another text in a field that takes one of a list, in every version: the kind of a target or autoscaler
    /// that an operator of your own has added. `path` is that of the field: `spec.autoscalerRef.kind`.
    ///
    /// # Errors
    /// If there is no such field, or it takes any text.
    pub fn admit(&mut self, path: &str, text: &str) -> Result<(), CrdError> {
        let versions = self.manifest.pointer_mut("/spec/versions").and_then(Value::as_array_mut);
        for version in versions.into_iter().flatten() {
            let schema = version.pointer_mut("/schema/openAPIV3Schema");
            rule::admit(schema.unwrap_or(&mut Value::Null), path, text)?;
        }
        Ok(())
    }
}

/// The three CustomResourceDefinitions of the `flagger.app` group.
///
/// # Errors
/// If a rule names a field that the types do not have, which is a bug of this crate that its tests find.
pub fn crds() -> Result<Vec<Crd>, CrdError> {
    Ok(vec![
        Names { kind: "Canary", plural: "canaries", singular: "canary" }.crd(canary::versions()?),
        Names { kind: "MetricTemplate", plural: "metrictemplates", singular: "metrictemplate" }
            .crd(vec![stored(others::metric_template_columns(), others::metric_template_schema()?)]),
        Names { kind: "AlertProvider", plural: "alertproviders", singular: "alertprovider" }
            .crd(vec![stored(others::alert_provider_columns(), others::alert_provider_schema()?)]),
    ])
}

/// Names of a kind.
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

/// A version that is served and stored.
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
