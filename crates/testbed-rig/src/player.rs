//! Plays a guide: looks at the cluster many times a second, prints what has changed, and counts what clients get.

use std::{collections::BTreeSet, time::Duration};

use anyhow::bail;
use tokio::time::Instant;
use vexil_testbed_cluster::{Running, Tally};

use crate::{
    INTERVAL,
    cast::Cast,
    checks::Checks,
    guide::Guide,
    operator::Operator,
    record::{Record, Share},
    scene::{ReportedEvent, Scene, observe},
    styled_line::{Line, Tone, bar},
};

pub use crate::environment::{Environment, Plain, State, View};

/// Time between two looks.
const PACE: Duration = Duration::from_millis(50);
/// How long anything may take; the longest wait of a good run is that for the end of a promotion, about 40 s.
const LIMIT: Duration = Duration::from_secs(120);
/// Columns of the bars among the lines that stay.
const BAR: usize = 16;

/// A guide that is being played.
#[derive(Debug)]
pub struct Player<G, V> {
    /// The guide.
    pub guide: &'static Guide,
    /// Where it is played.
    pub environment: G,
    /// What was seen last.
    pub scene: Scene,
    /// What clients got, moment by moment.
    pub record: Record,
    pub(crate) checks: Checks,
    cast: Cast,
    operator: Operator,
    view: V,
    began: Instant,
    /// When the act began.
    begun: Duration,
    /// When the last look began.
    looked: Duration,
    title: String,
    reported: BTreeSet<String>,
    clients: Option<Running>,
    before: Tally,
    shares: Vec<Share>,
    lines: Vec<Line>,
}

impl<G: Environment, V: View> Player<G, V> {
    /// A guide that has not begun.
    ///
    /// # Errors
    /// When the Canary's manifest cannot be read.
    pub fn new(guide: &'static Guide, environment: G, operator: Operator, view: V) -> anyhow::Result<Self> {
        Ok(Player {
            record: Record::of(environment.splitting()),
            guide,
            environment,
            scene: Scene::default(),
            checks: Checks::of(guide.canary())?,
            cast: guide.cast(),
            operator,
            view,
            began: Instant::now(),
            begun: Duration::ZERO,
            looked: Duration::ZERO,
            title: String::new(),
            reported: BTreeSet::new(),
            clients: None,
            before: Tally::default(),
            shares: Vec::new(),
            lines: Vec::new(),
        })
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
    pub fn begin(&mut self, title: &str) {
        title.clone_into(&mut self.title);
        self.begun = self.elapsed();
        self.before = self.counted();
        self.shares.clear();
        self.say(Line::default());
        self.say(Line::of(Tone::Bold, format!("  {title}")));
    }

    /// What clients got in this act.
    pub fn tally(&self) -> Tally {
        self.counted().since(&self.before)
    }

    /// The shares measured in this act.
    pub fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// A line that stays.
    pub fn say(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// A line that stays, with the time and a word for what it is.
    pub fn tell(&mut self, kind: &str, line: Line) {
        let head = format!("{:>7.1} s  {kind:7}", self.elapsed().as_secs_f64());
        let hang = head.chars().count();
        self.say(Line::of(Tone::Dim, head).join(line).hanging(hang));
    }

    /// Waits until clients reach the application, and lets them come, if they do not already.
    ///
    /// # Errors
    /// When they do not reach it in time.
    pub async fn admit(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + LIMIT;
        while self.clients.is_none() {
            self.clients = self.environment.clients(self.guide).await?;
            if self.clients.is_none() && Instant::now() > end {
                bail!("clients do not reach {} within {} s", self.guide.entrance().1, LIMIT.as_secs());
            }
            self.look().await?;
        }
        Ok(())
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
                bail!("{what}: not within {} s; the phase is {:?}", LIMIT.as_secs(), self.scene.phase);
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

    /// Shows the lines that were not shown yet.
    ///
    /// # Errors
    /// When the output is gone.
    pub fn flush(&mut self) -> anyhow::Result<()> {
        let (lines, tally) = (std::mem::take(&mut self.lines), self.tally());
        let elapsed = self.elapsed();
        let state = State {
            title: &self.title,
            elapsed,
            scene: &self.scene,
            checks: &self.checks,
            tally: &tally,
            per_second: self.record.per_second(elapsed),
            has_clients: self.clients.is_some(),
            next_check: self.next_check(),
        };
        Ok(self.view.show(&lines, &state)?)
    }

    /// Shows what is left, and stops the operator. A guide that is not `done` leaves its last state on the screen.
    ///
    /// # Errors
    /// When the output is gone.
    pub async fn close(mut self, done: bool) -> anyhow::Result<()> {
        let shown = self.flush();
        if done {
            self.view.end();
        }
        self.operator.stop().await;
        shown
    }

    fn next_check(&self) -> Option<Duration> {
        let due = Duration::from_millis(self.scene.last_step?) + INTERVAL;
        due.checked_sub(Duration::from_millis(self.environment.now_ms())).filter(|left| !left.is_zero())
    }

    fn counted(&self) -> Tally {
        self.clients.as_ref().map(Running::tally).unwrap_or_default()
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        let next = Instant::now() + PACE;
        self.operator.must_run()?;
        let began = self.elapsed();
        let scene = observe(self.environment.api(), &self.cast).await?;
        let now = self.elapsed();
        self.record.count(now, self.counted());
        let before = std::mem::replace(&mut self.scene, scene);
        self.tell_changes(&before, now);
        self.looked = began;
        if self.scene.last_step != before.last_step && (before.weight > 0 || before.iterations > 0) {
            self.measure().await?;
        }
        for share in self.record.shares(now, &self.scene.canary.version) {
            self.tell("split", split(&share));
            self.shares.push(share);
        }
        self.flush()?;
        tokio::time::sleep_until(next).await;
        Ok(())
    }

    fn tell_changes(&mut self, before: &Scene, now: Duration) {
        let phase = self.scene.phase.clone();
        if phase != before.phase {
            match phase.as_str() {
                "Progressing" => self.checks.reset(),
                // The primary gets the new version too, so versions say nothing about the split any more. That may
                // have begun at any moment since the look before: a pod that is a process answers within half a second.
                "Promoting" => self.record.interrupt(self.looked),
                _ => {}
            }
            self.tell("phase", Line::of(Tone::of_phase(&phase), phase.as_str()));
        }
        if self.scene.tried() != before.tried() {
            self.record.tried(self.looked, now, self.scene.tried());
        }
        let new = |event: &ReportedEvent| !self.reported.contains(&event.name);
        let news: Vec<ReportedEvent> = self.scene.events.iter().filter(|event| new(event)).cloned().collect();
        for event in news {
            let tone = if event.is_warning { Tone::Warn } else { Tone::Plain };
            self.tell("event", Line::of(tone, event.message));
            self.reported.insert(event.name);
        }
    }

    /// A step of the analysis was made: what did it measure?
    async fn measure(&mut self) -> anyhow::Result<()> {
        self.checks.update(&self.operator.metrics().await?);
        let line = self.checks.line();
        if !self.view.shows_state() && !line.text().is_empty() {
            self.tell("checks", line);
        }
        Ok(())
    }
}

fn split(share: &Share) -> Line {
    bar(share.measured, BAR)
        .and(Tone::Plain, format!("  asked {:>2} %, measured {:>4.1} %", share.asked, share.measured))
        .and(Tone::Dim, format!(" of {} requests", share.answers))
}
