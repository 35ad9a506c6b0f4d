//! Patterns in code that a single word does not show.

use super::{finding::Finding, finding::Rule, tree::Source};

static BIASED: Rule =
    Rule::new("biased", "`select!` says its order, or the same input takes a different way each time");
static SLICING: Rule =
    Rule::new("slicing", "a range that is off by one ends the process: `get`, `split_once`");
static PROVIDER: Rule = Rule::new(
    "provider-name",
    "a new router or provider is one crate or file and one line in a list, and nothing elsewhere",
);

/// Names of meshes, ingresses and metric providers, as users write them.
const PROVIDERS: &[&str] = &[
    "apisix",
    "appmesh",
    "cloudwatch",
    "contour",
    "datadog",
    "dynatrace",
    "gatewayapi",
    "gloo",
    "graphite",
    "influxdb",
    "istio",
    "keptn",
    "knative",
    "kubernetes",
    "kuma",
    "linkerd",
    "newrelic",
    "nginx",
    "osm",
    "prometheus",
    "signalfx",
    "skipper",
    "smi",
    "splunk",
    "stackdriver",
    "traefik",
];

/// The routers themselves, the list of crates/metrics, the products that the testbed plays, and, by
/// its name, the wiring.
const MAY_NAME: &[&str] =
    &["crates/routing-", "crates/metrics/src/providers/", "crates/testbed-", "bins/lab/", "xtask/"];

/// Checks one source.
pub fn check(source: &Source, found: &mut Vec<Finding>) {
    biased(source, found);
    for (number, line) in source.code() {
        if !source.in_tests(number) && slices(line) {
            found.push(SLICING.broken(&source.path, number, format!("`{}`", line.trim())));
        }
    }
    let may_name =
        MAY_NAME.iter().any(|place| source.path.starts_with(place)) || source.path.ends_with("/wiring.rs");
    if !may_name {
        provider_names(source, found);
    }
}

fn biased(source: &Source, found: &mut Vec<Finding>) {
    let code = &source.split.code;
    for (at, macro_name) in code.match_indices("select!") {
        let arms = code.get(at + macro_name.len()..).unwrap_or_default().trim_start();
        if !arms.strip_prefix('{').is_some_and(|arms| arms.trim_start().starts_with("biased")) {
            let line = code.get(..at).unwrap_or_default().matches('\n').count() + 1;
            found.push(BIASED.broken(&source.path, line, "`select!` without `biased;`"));
        }
    }
}

/// A range between brackets that follow a value: `text[1..]`. Clippy sees it for slices, not for texts.
fn slices(line: &str) -> bool {
    line.match_indices('[').any(|(at, bracket)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let inner =
            line.get(at + bracket.len()..).and_then(|rest| rest.split(']').next()).unwrap_or_default();
        before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ')' | ']'))
            && inner.contains("..")
            && inner.trim() != ".."
    })
}

/// A provider's name on a line that decides something on it.
fn provider_names(source: &Source, found: &mut Vec<Finding>) {
    for (number, text) in &source.split.literals {
        let name = text.split_once(':').map_or(text.as_str(), |(name, _)| name);
        if source.in_tests(*number) || !PROVIDERS.contains(&name) {
            continue;
        }
        let line = source.split.code.lines().nth(number - 1).unwrap_or_default().trim();
        let decides = ["=>", "==", "!=", "matches!", "starts_with", "strip_prefix", "contains", "eq_ignore"];
        if decides.iter().any(|word| line.contains(word)) || line.starts_with('|') || line.ends_with('|') {
            found.push(PROVIDER.broken(&source.path, *number, format!("{text:?} is matched")));
        }
    }
}
