//! Paths and macros that are forbidden in some crates. Those that are forbidden everywhere are in clippy.toml.

use super::{finding::Finding, finding::Rule, shape::mentions, tree::Source};

/// Words, the reason, and where they are forbidden.
struct Ban {
    rule: Rule,
    /// Words or paths; a path also counts when `use` brings it in.
    words: &'static [&'static str],
    /// Where it holds; everywhere when empty. A place that ends with `/` is a folder, another one the end of a path.
    only: &'static [&'static str],
    /// Where it does not.
    but: &'static [&'static str],
    /// Whether it holds in tests too.
    tests: bool,
}

/// The crates that decide: objects in, changes out.
const PURE: &[&str] = &[
    "crates/analysis/",
    "crates/api/",
    "crates/object/",
    "crates/plan/",
    "crates/routing/",
    "crates/routing-",
    "crates/workload/",
];

static BANS: [Ban; 7] = [
    Ban {
        rule: Rule::new("clock", "the time is a value that is passed in, so that decisions can be replayed"),
        words: &["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"],
        only: &[],
        but: &["crates/controller/", "crates/program/", "bins/", "xtask/", "crates/testbed-"],
        tests: false,
    },
    Ban {
        rule: Rule::new("clock", "the testbed runs on tokio's clock, which tests pause and advance"),
        words: &["std::time::Instant", "SystemTime::now", "Timestamp::now", "Zoned::now"],
        only: &["crates/testbed-"],
        but: &["crates/testbed-apiserver/examples/", "crates/testbed-cluster/examples/"],
        tests: true,
    },
    Ban {
        rule: Rule::new("pure", "this crate decides and does nothing: no async, no IO, no randomness"),
        words: &[
            "async",
            "await",
            "tokio",
            "futures",
            "rand",
            "std::env",
            "std::fs",
            "std::net",
            "std::process",
            "std::thread",
        ],
        only: PURE,
        but: &["crates/plan/examples/"],
        tests: false,
    },
    Ban {
        rule: Rule::new(
            "float",
            "the engine's state is `Eq + Hash`, for the model checker; metrics are judged in crates/metrics",
        ),
        words: &["f32", "f64"],
        only: &["crates/analysis/src/"],
        but: &[],
        tests: false,
    },
    Ban {
        rule: Rule::new(
            "client",
            "one crate talks to the API server, so that every write is fenced and counted",
        ),
        words: &["kube::Client", "kube::client"],
        only: &[],
        but: &[
            "crates/kube/",
            "crates/controller/src/operator.rs",
            "crates/controller/examples/",
            "bins/",
            "crates/testbed-",
            "bins/lab/",
            "xtask/",
        ],
        tests: false,
    },
    Ban {
        rule: Rule::new("spawn", "a task without an owner outlives its purpose, and its panics are lost"),
        words: &["tokio::spawn", "task::spawn", "task::spawn_blocking", "JoinSet", "thread::spawn"],
        only: &[],
        but: &["/operator.rs", "/run.rs", "/main.rs", "crates/testbed-", "bins/lab/", "xtask/"],
        tests: false,
    },
    Ban {
        rule: Rule::new("panic", "no input ends the process: say what is wrong on the Canary"),
        words: &["unreachable!"],
        only: &[],
        but: &[],
        tests: false,
    },
];

/// Checks one source.
pub fn check(source: &Source, found: &mut Vec<Finding>) {
    for ban in BANS.iter().filter(|ban| ban.holds(&source.path)) {
        for (line, text) in source.code().chain(source.uses.iter().map(|one| (one.line, one.path.as_str()))) {
            if !ban.tests && source.in_tests(line) {
                continue;
            }
            if let Some(word) = ban.words.iter().find(|word| mentions(text, word)) {
                found.push(ban.rule.broken(&source.path, line, format!("`{word}`")));
            }
        }
    }
}

impl Ban {
    fn holds(&self, path: &str) -> bool {
        let at = |place: &str| {
            if place.starts_with('/') { path.ends_with(place) } else { path.starts_with(place) }
        };
        (self.only.is_empty() || self.only.iter().any(|place| at(place)))
            && !self.but.iter().any(|place| at(place))
    }
}
