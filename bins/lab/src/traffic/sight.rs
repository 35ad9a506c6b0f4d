//! Looks at the rollout ten times a second, as anyone can, and tells what is different; counts what clients see.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tokio::process::Child;
use vexil_testbed_cluster::{Load, Network, Running, Tally};

use super::plane::Plane;
use crate::demo::{
    guide::Guide,
    paint::Line,
    record::{Record, Share},
    scene::{Lens, Scene},
};

/// Between two looks.
const PACE: Duration = Duration::from_millis(100);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// Requests of clients per second.
const RATE: u32 = 200;
/// The same where a gateway splits them: very many beside the 20 of the guide's load test. It takes turns with them,
/// and 20 of 220 could shift the share that clients see by four points.
const SPLIT_RATE: u32 = 400;
/// How long one request is waited for before clients come.
const FIRST: Duration = Duration::from_secs(2);

/// What is seen of a guide.
pub struct Sight {
    pub guide: &'static Guide,
    pub plane: Plane,
    pub scene: Scene,
    operator: Child,
    lens: Lens,
    record: Record,
    began: Instant,
    /// When the act began.
    begun: Duration,
    /// When the last look began.
    looked: Duration,
    clients: Option<Running>,
    before: Tally,
    shares: Vec<Share>,
    told: BTreeSet<String>,
}

impl Sight {
    /// Nothing was seen yet.
    pub fn new(guide: &'static Guide, plane: Plane, operator: Child) -> Self {
        Sight {
            guide,
            lens: Lens::new(&plane.api.client, guide),
            plane,
            operator,
            scene: Scene::default(),
            record: Record::default(),
            began: Instant::now(),
            begun: Duration::ZERO,
            looked: Duration::ZERO,
            clients: None,
            before: Tally::default(),
            shares: Vec::new(),
            told: BTreeSet::new(),
        }
    }

    /// Since the guide began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Since the act began.
    pub fn of_act(&self) -> Duration {
        self.elapsed().saturating_sub(self.begun)
    }

    /// Starts an act, with counters of its own.
    pub fn begin(&mut self) {
        self.begun = self.elapsed();
        self.before = self.counted();
        self.shares.clear();
    }

    /// What clients saw in this act.
    pub fn tally(&self) -> Tally {
        self.counted().since(&self.before)
    }

    /// The shares measured in this act.
    pub fn shares(&self) -> Vec<Share> {
        self.shares.clone()
    }

    /// A line of the output.
    pub fn say(&self, line: Line) {
        println!("{}", line.text());
    }

    /// A line with the time and a word for what it is.
    pub fn tell(&self, kind: &str, text: &str) {
        println!("{:>7.1} s  {kind:7}{text}", self.elapsed().as_secs_f64());
    }

    /// Waits until clients reach the application, and lets them come. They keep the address that its name had first.
    pub async fn admit(&mut self) -> anyhow::Result<()> {
        if self.clients.is_some() {
            return Ok(());
        }
        let (network, end) = (Network::of_machine(), Instant::now() + PATIENCE);
        loop {
            if let Some(load) = load(self.guide).await? {
                let one = network.load(load.clone().requests(1)).finished();
                let one = tokio::time::timeout(FIRST, one).await.unwrap_or_default();
                if one.by_status.contains_key(&200) {
                    let for_ever = Duration::from_secs(24 * 3600);
                    let rate = if self.guide.route.is_some() { SPLIT_RATE } else { RATE };
                    self.clients = Some(network.load(load.per_second(rate).lasting(for_ever)));
                    return Ok(());
                }
            }
            if Instant::now() > end {
                bail!("there is no way to {}", self.guide.entrance.name());
            }
            self.look().await?;
        }
    }

    /// Goes on until a condition holds.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&Scene) -> bool) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            self.look().await?;
            if holds(&self.scene) {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("{what}: not within {} s; the phase is {:?}", PATIENCE.as_secs(), self.scene.phase);
            }
        }
    }

    /// Goes on for a while.
    pub async fn pause(&mut self, span: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + span;
        while Instant::now() < end {
            self.look().await?;
        }
        Ok(())
    }

    fn counted(&self) -> Tally {
        self.clients.as_ref().map(Running::tally).unwrap_or_default()
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        let next = tokio::time::Instant::now() + PACE;
        if let Some(status) = self.operator.try_wait()? {
            bail!("the operator has ended by itself ({status}); see operator.log");
        }
        let began = self.elapsed();
        let scene = self.lens.look().await?;
        let now = self.elapsed();
        self.record.count(now, self.counted());
        let before = std::mem::replace(&mut self.scene, scene);
        self.notice(&before, now);
        self.looked = began;
        for share in self.record.shares(now, &self.scene.canary.version) {
            let Share { asked, measured, answers } = share;
            self.tell(
                "split",
                &format!("asked {asked:>2} %, measured {measured:>4.1} % of {answers} requests"),
            );
            self.shares.push(share);
        }
        tokio::time::sleep_until(next).await;
        Ok(())
    }

    /// Tells what is different.
    fn notice(&mut self, before: &Scene, now: Duration) {
        if self.scene.phase != before.phase {
            self.tell("phase", &self.scene.phase);
            if self.scene.phase == "Promoting" {
                // The primary gets the new version too, so versions say nothing about the split any more.
                self.record.interrupt(now);
            }
        }
        if self.scene.tried() != before.tried() {
            self.record.tried(self.looked, now, self.scene.tried());
        }
        for event in &self.scene.events {
            if self.told.insert(event.name.clone()) {
                self.tell("event", &event.message);
            }
        }
    }
}

/// Requests as the guide's clients send them; `None` while the name of the entrance is not known.
async fn load(guide: &Guide) -> anyhow::Result<Option<Load>> {
    let url = guide.entrance.url.parse::<http::Uri>()?;
    let name = url.host().context("an entrance without a host")?;
    let port = url.port_u16().unwrap_or(80);
    let found = tokio::net::lookup_host((name, port)).await;
    let address = found.ok().and_then(|mut all| all.next());
    let host = guide.entrance.host.unwrap_or(name);
    Ok(address.map(|address| Load::new(&format!("http://{address}{}", url.path())).host(host)))
}
