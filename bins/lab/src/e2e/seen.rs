//! Ways for a scene to wait for what it wants to see, and to compare what was seen.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    api::{CANARIES, DEPLOYMENTS},
    cast::PODINFO,
    compare::{differ, fits, lines},
    laws::{self, Pace},
    recorder::{Moment, text},
    scenes::TOLD_INITIALISED,
    stage::Stage,
    story::{self, story, told},
};

/// How long nothing may happen before a wait counts as in vain. An operator may have to start for it.
const PATIENCE: Duration = Duration::from_secs(90);
/// The same where all that is waited for should have happened by now.
const SHORT_PATIENCE: Duration = Duration::from_secs(10);
/// What is reported about waits that take longer here than on other machines.
const SLOW: [&str; 4] = [
    " not ready: ",
    " is scaled to zero but still has available pods",
    " has not reported on ",
    " has not applied ",
];

impl Stage {
    /// Everything that happened here.
    pub fn moments(&self) -> Vec<Moment> {
        self.recorder.of(&self.cast)
    }

    /// Waits until the story has a line after the first `after` lines; answers when it came.
    pub async fn line_after(&self, after: usize, line: &str) -> anyhow::Result<Instant> {
        let find = |moments: &[Moment]| {
            story(&self.cast, moments)
                .into_iter()
                .skip(after)
                .find(|told| told.text == line)
                .map(|told| told.at)
        };
        let found = self.recorder.until(&self.cast, PATIENCE, find).await;
        found.with_context(|| format!("nothing happened for {PATIENCE:?}, waiting for the line `{line}`"))
    }

    /// Waits until the story has a line; answers when it came.
    pub async fn line(&self, line: &str) -> anyhow::Result<Instant> {
        self.line_after(0, line).await
    }

    /// Seconds between two lines of the story.
    pub async fn seconds(&self, from: &str, to: &str) -> anyhow::Result<f64> {
        let from = self.line(from).await?;
        Ok(self.line(to).await?.saturating_duration_since(from).as_secs_f64())
    }

    /// How many lines the story has.
    pub fn lines(&self) -> usize {
        story(&self.cast, &self.moments()).len()
    }

    /// Waits until the Canary rests in a phase and everything has been reported.
    pub async fn rests_in(&self, phase: &str) -> anyhow::Result<()> {
        let rests = |moments: &[Moment]| {
            let live = moments.iter().rev().find(|moment| moment.of == CANARIES)?;
            let untold = live.object.pointer("/status/outbox/entries").and_then(Value::as_array);
            let quiet = untold.is_none_or(Vec::is_empty) && live.object.pointer("/status/ending").is_none();
            (text(&live.object, "/status/phase") == phase && quiet).then_some(())
        };
        let found = self.recorder.until(&self.cast, PATIENCE, rests).await;
        found.with_context(|| {
            format!("nothing happened for {PATIENCE:?}, waiting for the Canary to rest in {phase}")
        })
    }

    /// Waits until the Deployment controller has nothing left to do about the target.
    pub async fn target_is_empty(&self) -> anyhow::Result<()> {
        let empty = |moments: &[Moment]| {
            let target = |m: &&Moment| m.of == DEPLOYMENTS && m.name() == self.cast.target;
            let live = &moments.iter().rev().find(target)?.object;
            let number = |at: &str| live.pointer(at).and_then(Value::as_u64);
            let seen = number("/status/observedGeneration") == number("/metadata/generation");
            (seen && number("/status/replicas").unwrap_or(0) == 0).then_some(())
        };
        let found = self.recorder.until(&self.cast, PATIENCE, empty).await;
        found.with_context(|| {
            format!("nothing happened for {PATIENCE:?}, waiting for the target's pods to go")
        })
    }

    /// Waits until an Event says this; answers when it came.
    pub async fn event(&self, message: &str) -> anyhow::Result<Instant> {
        let message = self.named(message);
        let find = |moments: &[Moment]| {
            let says = |m: &&Moment| fits(&message, text(&m.object, "/message"));
            moments.iter().find(says).map(|moment| moment.at)
        };
        let found = self.recorder.until(&self.cast, PATIENCE, find).await;
        found.with_context(|| format!("nothing happened for {PATIENCE:?}, waiting for the event `{message}`"))
    }

    /// Waits until this has been reported so many times; counted Events count.
    pub async fn told_times(&self, message: &str, times: u64) -> anyhow::Result<()> {
        let message = self.named(message);
        let enough = |moments: &[Moment]| {
            let said: u64 = story::events(moments)
                .into_iter()
                .filter(|event| fits(&message, text(event, "/message")))
                .map(|event| event.get("count").and_then(Value::as_u64).unwrap_or(1))
                .sum();
            (said >= times).then_some(())
        };
        let found = self.recorder.until(&self.cast, PATIENCE, enough).await;
        found.with_context(|| {
            format!("nothing happened for {PATIENCE:?}, waiting for {times} times the event `{message}`")
        })
    }

    /// The story must be exactly this, line by line, as soon as each watch has reported its part of it. A system
    /// without routes reports none.
    pub async fn tells(&self, parts: &[&str]) -> anyhow::Result<()> {
        let want = self.wanted(parts).len();
        let enough = |moments: &[Moment]| (story(&self.cast, moments).len() >= want).then_some(());
        let _come = self.recorder.until(&self.cast, SHORT_PATIENCE, enough).await;
        self.is_story(&self.story(), parts)
    }

    /// The lines of the story.
    pub fn story(&self) -> Vec<String> {
        story(&self.cast, &self.moments()).into_iter().map(|line| line.text).collect()
    }

    /// These lines of the story must be exactly this.
    pub fn is_story(&self, have: &[String], parts: &[&str]) -> anyhow::Result<()> {
        differ("the story", &self.wanted(parts), have)
    }

    fn wanted(&self, parts: &[&str]) -> Vec<String> {
        let routed = self.cast.system.route.is_some();
        let lines = parts.iter().flat_map(|part| lines(part));
        lines.filter(|line| routed || !line.starts_with("route")).collect()
    }

    /// The Events of the Canary must be exactly these, in this order; they are waited for. `{}` stands for
    /// `podinfo.namespace`, `…` for any words. That pods or products take long here is left out
    /// where it is not expected.
    pub async fn events(&self, parts: &[&str]) -> anyhow::Result<()> {
        let want: Vec<String> =
            parts.iter().flat_map(|part| lines(part)).map(|line| self.named(&line)).collect();
        let slow = |line: &String| {
            SLOW.iter().any(|text| line.contains(text)) && !want.iter().any(|wanted| fits(wanted, line))
        };
        let told = |moments: &[Moment]| -> Vec<String> {
            told(moments).into_iter().filter(|line| !slow(line)).collect()
        };
        let enough = |moments: &[Moment]| (told(moments).len() >= want.len()).then_some(());
        let _come = self.recorder.until(&self.cast, SHORT_PATIENCE, enough).await;
        differ("the events", &want, &told(&self.moments()))
    }

    /// This is reported, once, and nothing else; what was applied stays as it was. Then it is put right, and all goes
    /// on.
    pub async fn told_until_right(
        &self,
        warning: &str,
        put_right: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        self.told_until_edited(warning, &[], put_right).await
    }

    /// The same when what is put right is part of what traffic depends on, which has Events of its own.
    pub async fn told_until_edited(
        &self,
        warning: &str,
        edit: &[&str],
        put_right: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        self.event(warning).await?;
        let warning = format!("Warning {warning}");
        self.events(&[&warning]).await?;
        put_right.await?;
        self.rests_in("Initialized").await?;
        let told: Vec<&str> =
            [warning.as_str()].into_iter().chain(edit.iter().copied()).chain([TOLD_INITIALISED]).collect();
        self.events(&told).await
    }

    /// The laws must hold.
    pub fn keeps_the_laws(&self, interval: Duration) -> anyhow::Result<()> {
        let broken = laws::broken(&self.cast, &self.moments(), Pace { interval });
        if broken.is_empty() { Ok(()) } else { bail!("broken: {}", broken.join("; ")) }
    }

    /// What happened, with seconds.
    pub fn timeline(&self) -> String {
        story::timeline(&self.cast, &self.moments(), self.start)
    }

    fn named(&self, line: &str) -> String {
        let namespace = self.namespace();
        line.replace("{}", &format!("{PODINFO}.{namespace}"))
            .replace("{ns}", namespace)
            .replace("{primary}", &format!("{}.{namespace}", self.cast.primary()))
    }
}
