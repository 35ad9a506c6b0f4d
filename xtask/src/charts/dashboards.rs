//! The dashboards of charts/grafana: every series and label that they query has to be one that is exported.
//!
//! What a product exports is what the built-in queries of its router read, which the tests of the gateways answer. The
//! operator's own series are checked by `crates/controller/tests/operator/dashboards.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context as _, bail};
use serde_json::Value;
use vexil_launcher::root;

/// Series by their names, each with its labels.
type Exported = BTreeMap<String, BTreeSet<String>>;

/// Of the kubelets (`/metrics/cadvisor`; cAdvisor's documentation, "Prometheus container metrics").
const KUBELET: [(&str, &[&str]); 4] = [
    ("container_cpu_usage_seconds_total", &["container", "namespace", "pod"]),
    ("container_memory_working_set_bytes", &["container", "namespace", "pod"]),
    ("container_network_receive_bytes_total", &["interface", "namespace", "pod"]),
    ("container_network_transmit_bytes_total", &["interface", "namespace", "pod"]),
];

/// How the names of the operator's series begin.
const OPERATOR: [&str; 2] = ["flagger_", "vexil_"];

/// Checks every dashboard among the rendered objects. Answers how many there are, and how many queries they have.
pub fn check(objects: &[Value]) -> anyhow::Result<(usize, usize)> {
    let exported = exported()?;
    let (mut uids, mut queries) = (BTreeSet::new(), 0);
    for (name, dashboard) in dashboards(objects)? {
        let uid = dashboard.get("uid").and_then(Value::as_str).unwrap_or_default().to_owned();
        if uid.is_empty() || uid.len() > 40 || !uids.insert(uid) {
            bail!("{name}: the uid is missing, too long or not its own");
        }
        let panels = dashboard.get("panels").and_then(Value::as_array).into_iter().flatten();
        for panel in panels {
            let targets = panel["targets"].as_array().into_iter().flatten();
            for query in targets.filter_map(|target| target["expr"].as_str()) {
                let defects = defects(query, &exported);
                if !defects.is_empty() {
                    bail!("{name}: {}: {}", panel["title"], defects.join("; "));
                }
                queries += 1;
            }
        }
    }
    Ok((uids.len(), queries))
}

/// The dashboards in the ConfigMaps.
fn dashboards(objects: &[Value]) -> anyhow::Result<Vec<(String, Value)>> {
    let maps = objects.iter().filter(|object| object["kind"] == "ConfigMap");
    let files = maps.filter_map(|map| map["data"].as_object()).flatten();
    let json = files.filter(|(name, _)| name.ends_with(".json"));
    json.map(|(name, text)| {
        let text = text.as_str().unwrap_or_default();
        let dashboard = serde_json::from_str(text).with_context(|| format!("{name} is no JSON"))?;
        Ok((name.clone(), dashboard))
    })
    .collect()
}

/// What the routers' queries read, and what kubelets export.
fn exported() -> anyhow::Result<Exported> {
    let own = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect();
    let mut exported: Exported =
        KUBELET.iter().map(|(name, labels)| ((*name).to_owned(), own(labels))).collect();
    let crates = fs::read_dir(root().join("crates"))?;
    for folder in crates {
        let file = folder?.path().join("src/queries.rs");
        if !file.exists() {
            continue;
        }
        for (name, labels) in selectors(&fs::read_to_string(&file)?) {
            exported.entry(name).or_default().extend(labels);
        }
    }
    Ok(exported)
}

fn defects(query: &str, exported: &Exported) -> Vec<String> {
    let of_product = |name: &str| !OPERATOR.iter().any(|prefix| name.starts_with(prefix));
    let found = selectors(query).into_iter().filter(|(name, _)| of_product(name));
    let mut defects = Vec::new();
    for (name, labels) in found {
        let Some(known) = exported.get(&name) else {
            defects.push(format!("no series {name}"));
            continue;
        };
        let missing = labels.into_iter().filter(|label| label != "le" && !known.contains(label));
        defects.extend(missing.map(|label| format!("{name} has no label {label}")));
    }
    defects
}

/// The selectors `name{label="..."}` in a text, in their order.
fn selectors(text: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let name: String =
            before.chars().rev().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let name: String = name.chars().rev().collect();
        if name.is_empty() {
            // A block of the source around a query.
            rest = after;
            continue;
        }
        let (labels, end) = labels(after);
        found.push((name, labels));
        rest = end;
    }
    found
}

/// The labels up to the closing brace, and what is behind it.
fn labels(text: &str) -> (Vec<String>, &str) {
    let (mut labels, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '}' => return (labels, text.get(at + 1..).unwrap_or_default()),
            '=' | '!' if !word.is_empty() => labels.push(std::mem::take(&mut word)),
            c if c.is_ascii_alphanumeric() || c == '_' => word.push(c),
            _ => word.clear(),
        }
    }
    (labels, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_found_with_their_labels() {
        let query = r#"sum(rate(a_total{x="1{2}", code!~"5.."}[1m])) by (le) / b{y=~"{{ z }}"}"#;
        let want = [("a_total", vec!["x", "code"]), ("b", vec!["y"])];
        let want =
            want.map(|(name, labels)| (name.to_owned(), labels.into_iter().map(str::to_owned).collect()));
        assert_eq!(selectors(query), want.to_vec());
    }

    #[test]
    fn a_series_or_label_that_nothing_exports_is_a_defect() {
        let exported = exported().unwrap();
        let check = |query: &str, want: &[&str]| assert_eq!(defects(query, &exported), want, "{query}");
        check(r#"sum(rate(istio_requests_total{reporter="destination", response_code!~"5.*"}[1m]))"#, &[]);
        check(r#"istio_requests_total{code="200"}"#, &["istio_requests_total has no label code"]);
        check(r#"istio_request_total{reporter="destination"}"#, &["no series istio_request_total"]);
        check(
            r#"container_network_receive_bytes_total{container="x"}"#,
            &["container_network_receive_bytes_total has no label container"],
        );
        check(r#"flagger_canary_weight{namespace="x"}"#, &[]);
    }
}
