//! The load generator: sends requests at a steady rate and keeps its own tally of what clients saw.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::network::{Network, lock};
use super::pods::VERSION_HEADER;

/// Requests under way at most; more are not sent but counted as [`Tally::skipped`].
const MAX_IN_FLIGHT: usize = 512;
/// Different texts of each kind that a tally counts.
const MAX_KINDS: usize = 64;

/// What to send, how fast and how long.
#[derive(Clone, Debug)]
pub struct Load {
    method: Method,
    url: String,
    body: Bytes,
    headers: Vec<(String, String)>,
    per_second: u32,
    requests: Option<u64>,
    duration: Option<Duration>,
}

impl Load {
    /// GET requests for `url`, such as `http://traefik.traefik/`: ten per second, a hundred in all.
    pub fn new(url: &str) -> Self {
        Load {
            method: Method::GET,
            url: url.to_owned(),
            body: Bytes::new(),
            headers: Vec::new(),
            per_second: 10,
            requests: Some(100),
            duration: None,
        }
    }

    /// Requests through the gateway for the site `host`.
    pub fn of_site(host: &str) -> Self {
        Load::new("http://traefik.traefik/").host(host)
    }

    /// Sets the method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into().into();
        self
    }

    /// Sets the header `Host`.
    #[must_use]
    pub fn host(self, host: impl Into<String>) -> Self {
        self.header("host", host)
    }

    /// Adds a header; one that is not valid is left out.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the rate, at least one request per second.
    #[must_use]
    pub fn per_second(mut self, rate: u32) -> Self {
        self.per_second = rate.max(1);
        self
    }

    /// Ends after so many requests.
    #[must_use]
    pub fn requests(mut self, requests: u64) -> Self {
        self.requests = Some(requests);
        self
    }

    /// Ends after this time, whatever the number of requests.
    #[must_use]
    pub fn lasting(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self.requests = None;
        self
    }

    fn request(&self) -> Option<Request<Bytes>> {
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.url.parse::<Uri>().ok()?;
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                request.headers_mut().insert(name, value);
            }
        }
        Some(request)
    }
}

/// What clients saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests sent and answered, or failed.
    pub requests: u64,
    /// Answers by status.
    pub by_status: BTreeMap<u16, u64>,
    /// Answers by the version that served them; answers of no pod are not among them.
    pub by_version: BTreeMap<String, u64>,
    /// Answers with a status of 500 or more, by the version that served them; empty where no pod did.
    pub errors_by_version: BTreeMap<String, u64>,
    /// Requests without an answer, by reason.
    pub failed: BTreeMap<String, u64>,
    /// Requests not sent since too many were under way.
    pub skipped: u64,
    /// The slowest answer.
    pub slowest: Duration,
}

impl Tally {
    /// The share of a version in all answers of pods, from 0 to 1; 0 when there are none.
    pub fn share(&self, version: &str) -> f64 {
        let total: u64 = self.by_version.values().sum();
        let own = self.by_version.get(version).copied().unwrap_or(0);
        if total == 0 { 0.0 } else { own as f64 / total as f64 }
    }

    /// Requests that did not go well for the client: no answer, or a status of 400 or more.
    pub fn errors(&self) -> u64 {
        let bad = self.by_status.iter().filter(|(status, _)| **status >= 400);
        bad.map(|(_, count)| count).sum::<u64>() + self.failed.values().sum::<u64>()
    }

    /// What was counted since `earlier`, which is a former state of this tally. The slowest answer is of the whole
    /// time.
    pub fn since(&self, earlier: &Tally) -> Tally {
        Tally {
            requests: self.requests.saturating_sub(earlier.requests),
            by_status: less(&self.by_status, &earlier.by_status),
            by_version: less(&self.by_version, &earlier.by_version),
            errors_by_version: less(&self.errors_by_version, &earlier.errors_by_version),
            failed: less(&self.failed, &earlier.failed),
            skipped: self.skipped.saturating_sub(earlier.skipped),
            slowest: self.slowest,
        }
    }

    fn count(&mut self, response: &Response<Bytes>) {
        let status = response.status().as_u16();
        add(&mut self.by_status, status);
        let version = response.headers().get(VERSION_HEADER).and_then(|version| version.to_str().ok());
        if let Some(version) = version {
            add(&mut self.by_version, version.to_owned());
        }
        if status >= 500 {
            add(&mut self.errors_by_version, version.unwrap_or_default().to_owned());
        }
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    if counts.len() < MAX_KINDS || counts.contains_key(&key) {
        *counts.entry(key).or_default() += 1;
    }
}

fn less<K: Ord + Clone>(now: &BTreeMap<K, u64>, before: &BTreeMap<K, u64>) -> BTreeMap<K, u64> {
    let left = now
        .iter()
        .map(|(key, count)| (key.clone(), count - before.get(key).copied().unwrap_or(0).min(*count)));
    left.filter(|(_, count)| *count > 0).collect()
}

/// A load that is running; it ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    tally: Arc<Mutex<Tally>>,
    task: JoinSet<()>,
}

impl Running {
    /// Starts sending.
    pub(super) fn start(network: Network, load: Load) -> Self {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let mut task = JoinSet::new();
        let shared = Arc::clone(&tally);
        task.spawn(async move { run(&network, &load, &shared).await });
        Running { tally, task }
    }

    /// What was seen up to now.
    pub fn tally(&self) -> Tally {
        lock(&self.tally).clone()
    }

    /// Waits until all requests are answered.
    pub async fn finished(mut self) -> Tally {
        while self.task.join_next().await.is_some() {}
        self.tally()
    }
}

/// Sends a load and waits for its last answer.
pub(super) async fn run(network: &Network, load: &Load, tally: &Mutex<Tally>) {
    let Some(request) = load.request() else { return };
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / load.per_second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut under_way = JoinSet::new();
    let mut sent = 0;
    let over = |sent: u64| {
        load.requests.is_some_and(|most| sent >= most)
            || load.duration.is_some_and(|most| begun.elapsed() >= most)
    };
    while !over(sent) {
        ticks.tick().await;
        while let Some(Ok(seen)) = under_way.try_join_next() {
            record(tally, seen);
        }
        sent += 1;
        if under_way.len() < MAX_IN_FLIGHT {
            under_way.spawn(ask(network.clone(), request.clone()));
        } else {
            lock(tally).skipped += 1;
        }
    }
    while let Some(seen) = under_way.join_next().await {
        if let Ok(seen) = seen {
            record(tally, seen);
        }
    }
}

type Seen = (Result<Response<Bytes>, String>, Duration);

async fn ask(network: Network, request: Request<Bytes>) -> Seen {
    let begun = Instant::now();
    let answer = network.send(request).await.map_err(|error| error.to_string());
    (answer, begun.elapsed())
}

fn record(tally: &Mutex<Tally>, (answer, took): Seen) {
    let mut tally = lock(tally);
    tally.requests += 1;
    tally.slowest = tally.slowest.max(took);
    match answer {
        Ok(response) => tally.count(&response),
        Err(reason) => add(&mut tally.failed, reason),
    }
}
