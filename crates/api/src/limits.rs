//! Limits of the spec's lists, maps and texts: one list, used by the schemas and by the validation.
//!
//! The limits keep the work for one object, and the texts made of it, small; none of them refuses what people write.
//! An API server with the CRD of another release does not enforce them, so [`crate::parse`] does.
//!
//! Where a number comes from: lists are above what the products take (a Gateway API route: 16 hosts, 64 matches), and
//! 64 webhooks that take a second each take six times the shortest interval. Names, labels and
//! keys have the lengths of Kubernetes. Texts are above what servers and gateways accept: 8 KiB for a header or a
//! pattern, 4 KiB for a URL. A whole spec may be as long as the annotation in which `kubectl apply` keeps it.

use serde_json::{Value, json};

use crate::Defect;

/// Lists and maps that the table does not name.
const ENTRIES: u64 = 64;
/// Texts that the table does not name, in characters.
const TEXT: u64 = 1_024;
/// Keys of maps, in characters: the longest key of a label. Schemas cannot express it.
const KEY: usize = 317;
/// A whole spec as JSON, in bytes. Schemas cannot express it.
const SPEC: usize = 256 << 10;

/// Names of objects, and names that users give to checks and hooks.
const NAME: u64 = 253;
/// Names of namespaces, and values of labels.
const LABEL: u64 = 63;
/// Addresses.
const URL: u64 = 4_096;
/// Values of headers, patterns, values that are inserted into queries.
const VALUE: u64 = 8_192;
/// Queries.
const QUERY: u64 = 32_768;
/// Scripts in the metadata of a hook, and annotations.
const SCRIPT: u64 = 65_536;

/// The limit of one field: the entries of a list or map, or the characters of a text.
pub(crate) type Limit = (&'static str, u64);

/// The fields of a Canary's spec whose limits are not the defaults. `[]` is an element, `{}` a map's value.
pub(crate) const CANARY: &[Limit] = &[
    ("metricsServer", URL),
    ("targetRef.name", NAME),
    ("autoscalerRef.name", NAME),
    ("autoscalerRef.primaryScalerQueries{}", QUERY),
    ("ingressRef.name", NAME),
    ("routeRef.name", NAME),
    ("upstreamRef.name", NAME),
    ("upstreamRef.namespace", LABEL),
    ("service.name", NAME),
    ("service.backends", 256),
    ("service.hosts", 256),
    ("service.hosts[]", NAME),
    ("service.gateways", 256),
    ("service.gatewayRefs", 32),
    ("service.gatewayRefs[].group", NAME),
    ("service.gatewayRefs[].kind", LABEL),
    ("service.gatewayRefs[].name", NAME),
    ("service.gatewayRefs[].namespace", LABEL),
    ("service.gatewayRefs[].sectionName", NAME),
    ("service.rewrite.uri", URL),
    ("service.mirror[].backendRef.name", NAME),
    ("service.mirror[].backendRef.namespace", LABEL),
    ("service.corsPolicy.allowHeaders", 256),
    ("service.corsPolicy.allowOrigin", 256),
    ("service.corsPolicy.allowOrigins", 256),
    ("service.corsPolicy.exposeHeaders", 256),
    ("service.corsPolicy.allowOrigins[].exact", VALUE),
    ("service.corsPolicy.allowOrigins[].prefix", VALUE),
    ("service.corsPolicy.allowOrigins[].regex", VALUE),
    ("service.headers.request.add", 128),
    ("service.headers.request.add{}", VALUE),
    ("service.headers.request.set", 128),
    ("service.headers.request.set{}", VALUE),
    ("service.headers.request.remove", 128),
    ("service.headers.response.add", 128),
    ("service.headers.response.add{}", VALUE),
    ("service.headers.response.set", 128),
    ("service.headers.response.set{}", VALUE),
    ("service.headers.response.remove", 128),
    ("service.apex.labels", 128),
    ("service.apex.labels{}", LABEL),
    ("service.apex.annotations", 128),
    ("service.apex.annotations{}", SCRIPT),
    ("service.primary.labels", 128),
    ("service.primary.labels{}", LABEL),
    ("service.primary.annotations", 128),
    ("service.primary.annotations{}", SCRIPT),
    ("service.canary.labels", 128),
    ("service.canary.labels{}", LABEL),
    ("service.canary.annotations", 128),
    ("service.canary.annotations{}", SCRIPT),
    ("service.unmanagedMetadata.labels", 128),
    ("service.unmanagedMetadata.annotations", 128),
];

/// String conditions in every entry of `spec.service.match` and `spec.analysis.match`.
const MATCH: &[&str] =
    &["uri", "scheme", "method", "authority", "headers{}", "queryParams{}", "withoutHeaders{}"];

/// The limits of the analysis, under both of its names.
pub(crate) const ANALYSIS: &[Limit] = &[
    // More steps than percentages are never useful.
    ("stepWeights", 128),
    ("metrics[].name", NAME),
    ("metrics[].query", QUERY),
    ("metrics[].templateRef.name", NAME),
    ("metrics[].templateRef.namespace", LABEL),
    ("metrics[].templateVariables{}", VALUE),
    ("alerts[].name", NAME),
    ("alerts[].providerRef.name", NAME),
    ("alerts[].providerRef.namespace", LABEL),
    ("webhooks[].name", NAME),
    ("webhooks[].url", URL),
    ("webhooks[].metadata", 128),
    ("webhooks[].metadata{}", SCRIPT),
];

/// The same for a MetricTemplate.
pub(crate) const TEMPLATE: &[Limit] = &[
    ("query", QUERY),
    ("provider.address", URL),
    ("provider.headers{}[]", VALUE),
    ("provider.secretRef.name", NAME),
];

/// The same for an AlertProvider.
pub(crate) const PROVIDER: &[Limit] = &[("address", URL), ("proxy", URL), ("secretRef.name", NAME)];

/// Adds the limits of a kind to its schema: those of `listed`, and the defaults for every other field of the spec.
pub(crate) fn bounded(mut schema: Value, listed: &[Vec<Limit>]) -> Value {
    let most = |path: &str| {
        let table = listed.iter().flatten().find(|(of, _)| *of == path);
        table.map(|(_, most)| *most).or_else(|| pattern(path))
    };
    if let Some(spec) = schema.pointer_mut("/properties/spec") {
        bound(spec, &mut String::new(), &most);
    }
    schema
}

/// The limits of a Canary, with those of the analysis under `spec.analysis`; the old name has the same.
pub(crate) fn canary() -> Vec<Vec<Limit>> {
    vec![CANARY.to_vec(), ANALYSIS.to_vec()]
}

/// Texts that are compared with parts of requests.
fn pattern(path: &str) -> Option<u64> {
    let (of, word) = path.rsplit_once('.')?;
    let field = of.strip_prefix("service.").unwrap_or(of).strip_prefix("match[].")?;
    (MATCH.contains(&field) && matches!(word, "exact" | "prefix" | "suffix" | "regex")).then_some(VALUE)
}

/// Bounds a schema and its parts.
fn bound(schema: &mut Value, path: &mut String, most: &dyn Fn(&str) -> Option<u64>) {
    let Some(node) = schema.as_object_mut() else { return };
    let keyword = match node.get("type").and_then(Value::as_str) {
        Some("array") => Some(("maxItems", ENTRIES)),
        Some("object") if node.contains_key("additionalProperties") => Some(("maxProperties", ENTRIES)),
        Some("string") => Some(("maxLength", TEXT)),
        _ => None,
    };
    if let Some((keyword, ordinary)) = keyword {
        node.insert(keyword.to_owned(), json!(most(path).unwrap_or(ordinary)));
    }
    let length = path.len();
    for (part, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(schema) = node.get_mut(part) {
            path.push_str(mark);
            bound(schema, path, most);
            path.truncate(length);
        }
    }
    let fields = node.get_mut("properties").and_then(Value::as_object_mut);
    for (name, schema) in fields.into_iter().flatten() {
        // Both names of the analysis have the paths of the list.
        if !path.is_empty() {
            path.push('.');
        }
        if !(path.is_empty() && matches!(name.as_str(), "analysis" | "canaryAnalysis")) {
            path.push_str(name);
        }
        bound(schema, path, most);
        path.truncate(length);
    }
}

/// How a value exceeds the limits of its own schema; the schemas of its parts are not applied.
pub(crate) fn exceeded(schema: &Value, value: &Value) -> Option<String> {
    let most = |keyword: &str| usize::try_from(schema.get(keyword)?.as_u64()?).ok();
    match value {
        Value::Array(list) => {
            let most = most("maxItems").filter(|most| list.len() > *most)?;
            Some(format!("has {} entries; at most {most} are allowed", list.len()))
        }
        Value::Object(fields) => {
            let entries = most("maxProperties")?;
            if fields.len() > entries {
                return Some(format!("has {} entries; at most {entries} are allowed", fields.len()));
            }
            let key = fields.keys().find(|key| key.chars().count() > KEY)?;
            let (length, start) = (key.chars().count(), key.chars().take(40).collect::<String>());
            Some(format!("has the key `{start}…` of {length} characters; at most {KEY} are allowed"))
        }
        Value::String(text) => {
            // Only a text of more bytes can have more characters.
            let most = most("maxLength").filter(|most| text.len() > *most)?;
            let length = text.chars().count();
            (length > most).then(|| format!("is {length} characters long; at most {most} are allowed"))
        }
        _ => None,
    }
}

/// The defect of a spec that is too long in total.
pub(crate) fn too_long(spec: &Value) -> Option<Defect> {
    let mut length = Length(0);
    // Counting cannot fail.
    let _counted = serde_json::to_writer(&mut length, spec);
    (length.0 > SPEC).then(|| Defect {
        path: "spec".to_owned(),
        message: format!("is {} bytes long as JSON; at most {SPEC} are allowed", length.0),
    })
}

/// Counts what is written.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
