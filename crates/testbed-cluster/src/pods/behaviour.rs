//! What the image tag and the environment of a pod say about how it behaves.
//!
//! | tag begins with | meaning |
//! |---|---|
//! | `broken` | runs, but never becomes ready |
//! | `crash` | ends at once, again and again (CrashLoopBackOff) |
//! | `missing` | there is no such image (ImagePullBackOff) |
//! | `bad` | answers every second real request with 500: with all of them the success rate has no value |
//! | `slow` | answers real traffic after 1 s |
//! | `fragile` | all pods of its ReplicaSet crash with the first real request |
//!
//! | variable | meaning |
//! |---|---|
//! | `ERROR_RATE` | percent of real traffic that is answered with 500, spread evenly |
//! | `LATENCY_MS` | milliseconds added to real traffic |
//! | `CRASH_WHEN_SERVING=true` | as the tag `fragile` |
//! | `CRASH_AFTER_REQUESTS` | all pods of the ReplicaSet crash with this real request, counted over all of them |
//!
//! Real traffic is every request but those that probes and acceptance tests send (`/healthz`, `/readyz`, `/version`,
//! `/token`). The environment wins over the tag. A value that is no number counts as not set.

use std::time::Duration;

use serde_json::Value;

use crate::view;

/// How one pod behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Behaviour {
    /// The image tag, which is the version that the pod names.
    pub version: String,
    /// How it starts.
    pub start: Start,
    /// Percent of real traffic that is answered with 500.
    pub error_percent: u64,
    /// What is added to real traffic.
    pub latency: Duration,
    /// The real request with which its ReplicaSet's pods crash.
    pub crash_at: Option<u64>,
}

/// How a pod starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// It becomes ready.
    Serves,
    /// It runs and is never ready.
    NeverReady,
    /// Its container ends at once.
    Crashes,
    /// Its image cannot be had.
    NoImage,
}

impl Behaviour {
    /// How a pod behaves, by the tag of its first container's image and the environment of all its containers.
    pub fn of(pod: &Value) -> Self {
        let containers = view::list(pod, "/spec/containers");
        let version = containers.first().map_or("latest", |first| tag(view::text(first, "/image")));
        let variables = || containers.iter().flat_map(|container| view::list(container, "/env"));
        let variable = |name: &str| {
            variables().find(|one| view::text(one, "/name") == name).map(|one| view::text(one, "/value"))
        };
        let number = |name: &str| variable(name)?.parse::<u64>().ok();
        let tagged = |prefix: &str| version.starts_with(prefix);
        let start = match () {
            () if tagged("broken") => Start::NeverReady,
            () if tagged("crash") => Start::Crashes,
            () if tagged("missing") => Start::NoImage,
            () => Start::Serves,
        };
        let fragile = tagged("fragile") || variable("CRASH_WHEN_SERVING") == Some("true");
        Behaviour {
            version: version.to_owned(),
            start,
            error_percent: number("ERROR_RATE").unwrap_or(if tagged("bad") { 50 } else { 0 }).min(100),
            latency: Duration::from_millis(number("LATENCY_MS").unwrap_or(if tagged("slow") {
                1000
            } else {
                0
            })),
            crash_at: number("CRASH_AFTER_REQUESTS").or(fragile.then_some(1)).map(|at| at.max(1)),
        }
    }
}

/// The tag of an image reference: what follows the colon in its last path segment, without a digest.
fn tag(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or_default();
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split_once(':').map_or("latest", |(_, tag)| tag)
}
