//! Who may import whom. A layer that is not drawn here does not exist; `docs/architecture.md` shows the same table.

use super::{
    finding::{Finding, Rule},
    manifest::Manifest,
    shape::mentions,
    tree::{Source, member},
};

/// A crate, or all crates whose names begin alike (`routing-*`), and which of ours it may import.
pub struct Layer {
    /// Its folder.
    pub name: &'static str,
    /// What it may import. `*` is everything but the testbed and what plays on it.
    pub imports: &'static [&'static str],
    /// What its tests and examples may import besides; the testbed they all may.
    pub tests: &'static [&'static str],
}

/// The one table.
pub const LAYERS: &[Layer] = &[
    Layer { name: "analysis", imports: &[], tests: &[] },
    Layer { name: "api", imports: &["object"], tests: &[] },
    Layer { name: "egress", imports: &[], tests: &[] },
    Layer { name: "object", imports: &[], tests: &[] },
    Layer { name: "program", imports: &[], tests: &[] },
    Layer { name: "routing", imports: &["analysis", "api", "object"], tests: &[] },
    Layer { name: "workload", imports: &["analysis", "api", "object"], tests: &[] },
    Layer { name: "metrics", imports: &["analysis", "api", "egress", "object"], tests: &[] },
    Layer { name: "notifier", imports: &["analysis", "api", "egress", "object"], tests: &[] },
    Layer { name: "webhook", imports: &["analysis", "api", "egress", "object"], tests: &[] },
    Layer { name: "routing-*", imports: &["api", "object", "routing"], tests: &[] },
    Layer {
        name: "plan",
        imports: &["analysis", "api", "object", "routing", "workload"],
        tests: &["routing-*"],
    },
    Layer { name: "kube", imports: &["api", "object"], tests: &[] },
    Layer {
        name: "controller",
        imports: &[
            "analysis", "api", "egress", "kube", "metrics", "notifier", "object", "plan", "routing",
            "webhook", "workload",
        ],
        tests: &["routing-*"],
    },
    Layer { name: "testbed-apiserver", imports: &[], tests: &[] },
    Layer { name: "testbed-promql", imports: &[], tests: &[] },
    Layer { name: "testbed-cluster", imports: &["api", "testbed-apiserver", "testbed-promql"], tests: &[] },
    Layer {
        name: "testbed-rig",
        imports: &[
            "analysis",
            "api",
            "controller",
            "egress",
            "kube",
            "launcher",
            "routing-*",
            "testbed-apiserver",
            "testbed-cluster",
            "testbed-promql",
        ],
        tests: &[],
    },
    Layer { name: "vexil", imports: &["*"], tests: &[] },
    Layer { name: "loadtester", imports: &["api", "egress", "program"], tests: &[] },
    Layer { name: "lab", imports: &["*", "testbed-*"], tests: &[] },
    Layer { name: "launcher", imports: &[], tests: &[] },
    Layer { name: "xtask", imports: &["api", "launcher"], tests: &[] },
];

/// Dependencies that only some may have, and why.
const GUARDED: &[(&str, &[&str], &str)] = &[
    ("reqwest", &["egress", "lab", "testbed-rig"], "HTTP leaves by one door, which bounds it: crates/egress"),
    ("kube", &["api", "kube", "lab", "testbed-*", "vexil"], "one crate talks to the API server: crates/kube"),
    (
        "tokio",
        &["controller", "egress", "kube", "lab", "loadtester", "program", "testbed-*", "vexil", "webhook"],
        "only the edge waits",
    ),
    (
        "anyhow",
        &["lab", "loadtester", "testbed-*", "vexil", "xtask"],
        "a library tells its errors apart by what the caller can do",
    ),
    ("rand", &[], "what happens can be replayed: nothing here throws dice"),
];

static LAYER: Rule = Rule::new("layer", "see the table in xtask/src/tidy/layers.rs and docs/architecture.md");
static UNKNOWN: Rule =
    Rule::new("layer", "a new crate takes its place in the table of xtask/src/tidy/layers.rs");
static GUARD: Rule = Rule::new("dependency", "some dependencies have one home: xtask/src/tidy/layers.rs");
static ENGINE: Rule =
    Rule::new("dependency", "the engine depends on thiserror and serde alone: no IO can reach into it");

fn covers(patterns: &[&str], name: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some("") => !name.starts_with("testbed-") && name != "lab",
        Some(prefix) => name.starts_with(prefix),
        None => *pattern == name,
    })
}

fn layer(name: &str) -> Option<&'static Layer> {
    LAYERS.iter().find(|layer| covers(&[layer.name], name))
}

impl Layer {
    fn may(&self, other: &str, in_tests: bool) -> bool {
        covers(self.imports, other)
            || in_tests && (other.starts_with("testbed-") || covers(self.tests, other))
    }
}

/// Checks what a manifest asks for.
pub fn check_manifest(manifest: &Manifest, found: &mut Vec<Finding>) {
    if manifest.is_root() {
        return;
    }
    let name = member(&manifest.path);
    let Some(layer) = layer(name) else {
        found.push(UNKNOWN.broken(&manifest.path, 1, format!("`{name}` has no place")));
        return;
    };
    for entry in manifest.dependencies() {
        let in_tests = entry.table.starts_with("dev-");
        if let Some(other) = entry.name.strip_prefix("vexil-") {
            if !layer.may(other, in_tests) {
                found.push(LAYER.broken(
                    &manifest.path,
                    entry.line,
                    format!("`{name}` may not import `{other}`"),
                ));
            }
        } else if !in_tests {
            guard(name, &entry.name, &manifest.path, entry.line, found);
        }
    }
}

fn guard(name: &str, dependency: &str, path: &str, line: usize, found: &mut Vec<Finding>) {
    if name == "analysis" && !["thiserror", "serde"].contains(&dependency) {
        found.push(ENGINE.broken(path, line, format!("`{dependency}`")));
    }
    let guarded = GUARDED.iter().find(|(guarded, may, _)| *guarded == dependency && !covers(may, name));
    if let Some((_, _, why)) = guarded {
        found.push(GUARD.broken(path, line, format!("`{name}` may not depend on `{dependency}`: {why}")));
    }
}

/// Checks what a source names, which catches a crate that came in by a feature or a re-export.
pub fn check_uses(source: &Source, found: &mut Vec<Finding>) {
    let name = source.member();
    let Some(layer) = layer(name) else { return };
    let example = source.path.contains("/examples/");
    for (number, line) in source.code().filter(|(_, line)| line.contains("vexil_")) {
        for word in line.split(|c: char| !c.is_alphanumeric() && c != '_') {
            let Some(other) = word.strip_prefix("vexil_").filter(|_| mentions(line, word)) else { continue };
            let other = other.replace('_', "-");
            let known = LAYERS.iter().any(|layer| covers(&[layer.name], &other));
            if known && other != name && !layer.may(&other, example || source.in_tests(number)) {
                found.push(LAYER.broken(&source.path, number, format!("`{name}` may not import `{other}`")));
            }
        }
    }
}

/// The table as `docs/architecture.md` shows it.
pub fn table() -> String {
    let mut table = "| crate | may import (of ours) |\n|---|---|\n".to_owned();
    let list = |names: &[&str]| match names {
        [] => "nothing".to_owned(),
        ["*"] => "everything but `testbed-*`".to_owned(),
        ["*", "testbed-*"] => "everything".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    };
    for layer in LAYERS {
        let tests = match layer.tests {
            [] => String::new(),
            names => format!("; its tests and examples also {}", list(names)),
        };
        table += &format!("| `{}` | {}{tests} |\n", layer.name, list(layer.imports));
    }
    table
}
