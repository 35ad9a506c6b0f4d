//! A metric store that answers PromQL: what Prometheus is to a cluster, in the process and on any clock.
//!
//! [`MetricStore`] holds series; [`MetricStore::ingest_text`] takes what a target answers to a scrape,
//! [`MetricStore::query`] evaluates, and [`handle`] answers the HTTP API without knowing sockets, so that a listener
//! and an in-process caller share it. [`Counter`], [`Gauge`] and [`Histogram`] are the other end: they render what is
//! scraped. Nothing here reads a clock.
//!
//! The yardstick is Prometheus 3 (library version 0.315): ranges and the 5 minute lookback are open on the left, `rate`
//! and `increase` extrapolate by its rules, names are dropped where it drops them. `tests/agreed.txt` holds queries
//! with the answers that the real one gave.
//!
//! # What it does not do
//!
//! * Functions: `label_replace`, `label_join`, `deriv`, `predict_linear`, `double_exponential_smoothing`,
//!   `mad_over_time`, `ts_of_*`, `info`, `sort_by_label*`, trigonometry, calendar (`hour`, `day_of_week`, …),
//!   `integral`, and all of `histogram_*` but `histogram_quantile`. Aggregations `limitk`, `limit_ratio`. Asked for,
//!   they are an error (422), never a guess.
//! * Native histograms, exemplars, metadata, OpenMetrics, names outside `[a-zA-Z0-9_:]`, `fill` modifiers, duration
//!   expressions, `smoothed` and `anchored` ranges, created timestamps.
//! * Warnings and infos in answers ("might not be a counter", "forced monotonicity"); positions in parse errors, whose
//!   texts are the parser's, not Prometheus'. Regexes are Rust's: `.` does not match a newline.
//! * `up` and `scrape_*` series, service discovery, relabelling, rules, alerts, remote read and write, a disk. HTTP
//!   paths beyond those in [`handle`]; the parameters `timeout`, `limit`, `stats` and `lookback_delta` are ignored.
//! * An `@` or `offset` is applied per step; results are the same, it is only slower.

mod eval;
mod http;
mod labels;
mod number;
mod registry;
mod store;
#[cfg(test)]
mod tests;
mod text;

pub use eval::{Element, LOOKBACK_MS, MAX_STEPS, QueryError, QueryValue, Series};
pub use http::{Answer, handle};
pub use labels::{Labels, METRIC_NAME};
pub use registry::{Counter, Gauge, Histogram};
pub use store::{AppendError, Ingested, MetricStore, Sample};
pub use text::{Scraped, TextError, parse as parse_text};
