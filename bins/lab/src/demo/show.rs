//! The show: looks at the cluster twenty times a second, tells what has changed, and draws the panel.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::bail;
use vexil_testbed_cluster::{Running, Tally};

use super::checks::Checks;
use super::operator::Operator;
use super::paint::{Line, Tone, bar};
use super::panel::{View, panel};
use super::record::{Record, Share};
use super::scene::{Lens, Scene, Told};
use super::screen::Screen;
use super::stage::Stage;

/// Between two looks.
const PACE: Duration = Duration::from_millis(50);
/// Looks per drawing.
const LOOKS: u32 = 2;
/// How long anything may take; the longest wait of a good run is that for the end of a promotion, about 40 s.
const LIMIT: Duration = Duration::from_secs(120);
/// From the begin of a promotion until the first pod of the primary that it changes could answer: pods take a second.
const UNCHANGED: Duration = Duration::from_millis(500);
/// Columns of the bars among the lines that stay.
const BAR: usize = 16;

/// The running show.
pub struct Show<'a> {
    pub stage: &'a Stage,
    pub scene: Scene,
    pub record: Record,
    /// When the act began.
    pub begun: Duration,
    operator: &'a mut Operator,
    screen: Screen,
    lens: Lens,
    began: Instant,
    looks: u32,
    /// When the last look began.
    looked: Duration,
    title: String,
    told: BTreeSet<String>,
    clients: Option<Running>,
    before: Tally,
    shares: Vec<Share>,
    checks: Checks,
    lines: Vec<Line>,
}

impl<'a> Show<'a> {
    /// A show that has not begun.
    ///
    /// # Errors
    /// When the Canary's manifest cannot be read.
    pub fn new(stage: &'a Stage, operator: &'a mut Operator, screen: Screen) -> anyhow::Result<Self> {
        Ok(Show {
            stage,
            scene: Scene::default(),
            record: Record::default(),
            begun: Duration::ZERO,
            operator,
            screen,
            lens: Lens::new(&stage.cluster.client(), stage.guide),
            began: Instant::now(),
            looks: 0,
            looked: Duration::ZERO,
            title: String::new(),
            told: BTreeSet::new(),
            clients: None,
            before: Tally::default(),
            shares: Vec::new(),
            checks: Checks::of(stage.guide.canary())?,
            lines: Vec::new(),
        })
    }

    /// Since the show began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Starts an act, with counters of its own.
    pub fn begin(&mut self, title: &str) {
        title.clone_into(&mut self.title);
        self.begun = self.elapsed();
        self.before = self.counted();
        self.shares.clear();
        self.say(Line::default());
        self.say(Line::of(Tone::Bold, format!("  {title}")));
    }

    /// Lets clients come, if they do not already.
    pub fn admit(&mut self) {
        let stage = self.stage;
        self.clients.get_or_insert_with(|| stage.clients());
    }

    /// Failed checks before the rollback.
    pub fn threshold(&self) -> u32 {
        self.checks.threshold
    }

    /// What clients saw in this act.
    pub fn tally(&self) -> Tally {
        self.counted().since(&self.before)
    }

    /// The shares measured in this act.
    pub fn shares(&self) -> Vec<Share> {
        self.shares.clone()
    }

    fn counted(&self) -> Tally {
        self.clients.as_ref().map(Running::tally).unwrap_or_default()
    }

    /// A line that stays; what is too long goes on a little indented.
    pub fn say(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// A line that stays, with the time and a word for what it is.
    pub fn tell(&mut self, kind: &str, line: Line) {
        let head = format!("{:>7.1} s  {kind:7}", self.elapsed().as_secs_f64());
        let hang = head.chars().count();
        self.say(Line::of(Tone::Dim, head).join(line).hanging(hang));
    }

    /// Goes on until a condition holds.
    ///
    /// # Errors
    /// When it does not in time, or when operator or cluster fail.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&Scene) -> bool) -> anyhow::Result<()> {
        let end = Instant::now() + LIMIT;
        loop {
            self.look().await?;
            if holds(&self.scene) {
                return Ok(());
            }
            if Instant::now() >= end {
                let phase = if self.scene.phase.is_empty() { "unknown" } else { &self.scene.phase };
                let log = self.stage.log.display();
                bail!("{what}: not within {} s; the phase is {phase}, see {log}", LIMIT.as_secs());
            }
        }
    }

    /// Goes on for a while.
    ///
    /// # Errors
    /// When operator or cluster fail.
    pub async fn pause(&mut self, span: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + span;
        while Instant::now() < end {
            self.look().await?;
        }
        Ok(())
    }

    /// Ends the panel and shows the last lines.
    ///
    /// # Errors
    /// When the output is gone.
    pub fn close(&mut self) -> anyhow::Result<()> {
        Ok(self.screen.show(&std::mem::take(&mut self.lines), &[])?)
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        let next = tokio::time::Instant::now() + PACE;
        self.operator.must_run()?;
        let began = self.elapsed();
        let scene = self.lens.look().await?;
        let now = self.elapsed();
        self.record.count(now, self.counted());
        let before = std::mem::replace(&mut self.scene, scene);
        self.notice(&before, now);
        self.looked = began;
        if self.scene.last_step != before.last_step && (before.weight > 0 || before.iterations > 0) {
            self.measure().await?;
        }
        for share in self.record.shares(now, &self.scene.canary.version) {
            self.tell("split", split(&share));
            self.shares.push(share);
        }
        self.looks += 1;
        if self.looks.is_multiple_of(LOOKS) {
            self.draw(now)?;
        }
        tokio::time::sleep_until(next).await;
        Ok(())
    }

    /// Tells what is different.
    fn notice(&mut self, before: &Scene, now: Duration) {
        let phase = self.scene.phase.clone();
        if phase != before.phase {
            match phase.as_str() {
                "Progressing" => self.checks.reset(),
                // The primary gets the new version too, so versions say nothing about the split any more.
                "Promoting" => self.record.interrupt(now + UNCHANGED),
                _ => {}
            }
            self.tell("phase", Line::of(tone(&phase), phase.as_str()));
        }
        if self.scene.tried() != before.tried() {
            self.record.tried(self.looked, now, self.scene.tried());
        }
        let new = |event: &Told| !self.told.contains(&event.name);
        let news: Vec<Told> = self.scene.events.iter().filter(|event| new(event)).cloned().collect();
        for event in news {
            let tone = if event.is_warning { Tone::Warn } else { Tone::Plain };
            self.tell("event", Line::of(tone, event.message));
            self.told.insert(event.name);
        }
    }

    /// A step of the analysis was made: what did it measure?
    async fn measure(&mut self) -> anyhow::Result<()> {
        let metrics = self.operator.metrics().await?;
        self.checks.update(&metrics);
        let line = self.checks.line();
        if !self.screen.is_live() && !line.text().is_empty() {
            self.tell("checks", line);
        }
        Ok(())
    }

    fn draw(&mut self, now: Duration) -> anyhow::Result<()> {
        let lines = std::mem::take(&mut self.lines);
        let tally = self.tally();
        let view = View {
            title: &self.title,
            elapsed: now,
            scene: &self.scene,
            checks: &self.checks,
            tally: &tally,
            per_second: self.record.per_second(now),
        };
        Ok(self.screen.show(&lines, &panel(&view, self.screen.width()))?)
    }
}

fn tone(phase: &str) -> Tone {
    match phase {
        "Succeeded" | "Initialized" => Tone::Good,
        "Failed" => Tone::Bad,
        _ => Tone::Bold,
    }
}

fn split(share: &Share) -> Line {
    bar(share.measured, BAR)
        .and(Tone::Plain, format!("  asked {:>2} %, measured {:>4.1} %", share.asked, share.measured))
        .and(Tone::Dim, format!(" of {} requests", share.answers))
}
