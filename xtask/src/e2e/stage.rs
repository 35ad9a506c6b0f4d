//! What a scene plays on: a namespace of its own, hands to act with, and ways to wait and to compare.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    api::{Api, CANARIES, DEPLOYMENTS, NAMESPACES, PODS, ROUTES, namespace},
    laws::{self, Pace},
    manifests,
    operator::Recipe,
    recorder::{Moment, Recorder, text},
    stand_in::{Script, StandIn},
    story::{self, story, told},
};

/// Longest wait for anything, unless the scene says otherwise.
const PATIENCE: Duration = Duration::from_secs(45);

/// The stage of one scene.
#[derive(Clone)]
pub struct Stage {
    pub namespace: String,
    pub api: Api,
    pub recorder: Recorder,
    pub stand_in: StandIn,
    /// Starts an operator of this namespace only.
    pub recipe: Recipe,
    pub start: Instant,
}

impl Stage {
    /// Makes the namespace.
    pub async fn open(&self) -> anyhow::Result<()> {
        self.stand_in.script(&self.namespace, |_| ());
        self.api.create(NAMESPACES, "", &namespace(&self.namespace)).await
    }

    /// Removes the namespace and everything in it.
    pub async fn close(&self) -> anyhow::Result<()> {
        self.api.delete(NAMESPACES, "", &self.namespace).await
    }

    /// Applies the application and its Canary.
    pub async fn apply(&self, changes: Value) -> anyhow::Result<()> {
        self.api.create(DEPLOYMENTS, &self.namespace, &manifests::deployment("6.0.0")).await?;
        self.canary(changes).await
    }

    /// Applies the Canary alone.
    pub async fn canary(&self, changes: Value) -> anyhow::Result<()> {
        let canary = manifests::canary(&self.namespace, &self.stand_in, &changes);
        self.api.apply(CANARIES, &self.namespace, &canary).await
    }

    /// Applies application and Canary, and waits until it is initialised.
    pub async fn initialise(&self, changes: Value) -> anyhow::Result<()> {
        self.apply(changes).await?;
        self.rests_in("Initialized").await
    }

    /// Pushes another image.
    pub async fn push(&self, tag: &str) -> anyhow::Result<()> {
        self.api.merge(DEPLOYMENTS, (&self.namespace, "podinfo"), &manifests::push(tag)).await
    }

    /// Edits the route by hand.
    pub async fn edit_route(&self, canary: u32) -> anyhow::Result<()> {
        let live = self.api.get(ROUTES, &self.namespace, "podinfo").await?.context("no route")?;
        let mut services = live.pointer("/spec/weighted/services").cloned().unwrap_or_default();
        for service in services.as_array_mut().into_iter().flatten() {
            let share = if text(service, "/name") == "podinfo-canary" { canary } else { 100 - canary };
            service["weight"] = share.into();
        }
        let body = json!({"spec": {"weighted": {"services": services}}});
        self.api.merge(ROUTES, (&self.namespace, "podinfo"), &body).await
    }

    /// Every pod of the target crashes and does not come back: what a kubelet would write is written in its place.
    pub async fn crash_canary_pods(&self) -> anyhow::Result<()> {
        let waiting =
            json!({"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"});
        let condition = |kind: &str| json!({"type": kind, "status": "False"});
        for pod in self.api.list(PODS, &self.namespace, "app=podinfo").await? {
            let image = text(&pod, "/spec/containers/0/image");
            let crashed = json!({"status": {
                "conditions": [condition("Ready"), condition("ContainersReady")],
                "containerStatuses": [{
                    "name": "podinfod", "image": image, "imageID": "", "ready": false, "restartCount": 3,
                    "state": {"waiting": waiting},
                }],
            }});
            let name = format!("{}/status", text(&pod, "/metadata/name"));
            self.api.merge(PODS, (&self.namespace, &name), &crashed).await?;
        }
        Ok(())
    }

    /// Deletes the pods of the target, so that new ones come.
    pub async fn delete_canary_pods(&self) -> anyhow::Result<()> {
        for pod in self.api.list(PODS, &self.namespace, "app=podinfo").await? {
            self.api.delete(PODS, &self.namespace, text(&pod, "/metadata/name")).await?;
        }
        Ok(())
    }

    /// Reads or changes what metric server and hooks answer.
    pub fn script<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        self.stand_in.script(&self.namespace, change)
    }

    /// Everything that happened here.
    pub fn moments(&self) -> Vec<Moment> {
        self.recorder.of(&self.namespace)
    }

    /// Waits until the story has a line after the first `after` lines; answers when it came.
    pub async fn line_after(&self, after: usize, line: &str) -> anyhow::Result<Instant> {
        let find = |moments: &[Moment]| {
            story(moments).into_iter().skip(after).find(|told| told.text == line).map(|told| told.at)
        };
        let found = self.recorder.until(&self.namespace, PATIENCE, find).await;
        found.with_context(|| format!("waited {PATIENCE:?} for the line `{line}`"))
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
        story(&self.moments()).len()
    }

    /// Waits until the Canary rests in a phase and everything has been told.
    pub async fn rests_in(&self, phase: &str) -> anyhow::Result<()> {
        let rests = |moments: &[Moment]| {
            let live = moments.iter().rev().find(|moment| moment.of == CANARIES)?;
            let untold = live.object.pointer("/status/outbox/entries").and_then(Value::as_array);
            let quiet = untold.is_none_or(Vec::is_empty) && live.object.pointer("/status/ending").is_none();
            (text(&live.object, "/status/phase") == phase && quiet).then_some(())
        };
        let found = self.recorder.until(&self.namespace, PATIENCE, rests).await;
        found.with_context(|| format!("waited {PATIENCE:?} for the Canary to rest in {phase}"))
    }

    /// Waits until the Deployment controller has nothing left to do about the target.
    pub async fn target_is_empty(&self) -> anyhow::Result<()> {
        let empty = |moments: &[Moment]| {
            let target = |m: &&Moment| m.of == DEPLOYMENTS && m.name() == "podinfo";
            let live = &moments.iter().rev().find(target)?.object;
            let number = |at: &str| live.pointer(at).and_then(Value::as_u64);
            let seen = number("/status/observedGeneration") == number("/metadata/generation");
            (seen && number("/status/replicas").unwrap_or(0) == 0).then_some(())
        };
        let found = self.recorder.until(&self.namespace, PATIENCE, empty).await;
        found.with_context(|| format!("waited {PATIENCE:?} for the target's pods to go"))
    }

    /// Waits until an Event says this; answers when it came.
    pub async fn event(&self, message: &str) -> anyhow::Result<Instant> {
        let message = self.named(message);
        let find = |moments: &[Moment]| {
            let says = |m: &&Moment| fits(&message, text(&m.object, "/message"));
            moments.iter().find(says).map(|moment| moment.at)
        };
        let found = self.recorder.until(&self.namespace, PATIENCE, find).await;
        found.with_context(|| format!("waited {PATIENCE:?} for the event `{message}`"))
    }

    /// The story must be exactly this, line by line.
    pub fn tells(&self, parts: &[&str]) -> anyhow::Result<()> {
        let want: Vec<String> = parts.iter().flat_map(|part| lines(part)).collect();
        let have: Vec<String> = story(&self.moments()).into_iter().map(|line| line.text).collect();
        differ("the story", &want, &have)
    }

    /// The Events of the Canary must be exactly these, in this order; they are waited for. `{}` stands for
    /// `podinfo.namespace`, `…` for any words. That pods take long here is left out where it is not expected.
    pub async fn events(&self, parts: &[&str]) -> anyhow::Result<()> {
        let want: Vec<String> =
            parts.iter().flat_map(|part| lines(part)).map(|line| self.named(&line)).collect();
        let slow = !want.iter().any(|line| line.contains(" not ready: "));
        let told = |moments: &[Moment]| -> Vec<String> {
            told(moments).into_iter().filter(|line| !(slow && line.contains(" not ready: waiting"))).collect()
        };
        let enough = |moments: &[Moment]| (told(moments).len() >= want.len()).then_some(());
        let _come = self.recorder.until(&self.namespace, Duration::from_secs(10), enough).await;
        differ("the events", &want, &told(&self.moments()))
    }

    /// The laws must hold.
    pub fn keeps_the_laws(&self, interval: Duration) -> anyhow::Result<()> {
        let broken = laws::broken(&self.moments(), Pace { interval });
        if broken.is_empty() { Ok(()) } else { bail!("broken: {}", broken.join("; ")) }
    }

    /// What happened, with seconds.
    pub fn timeline(&self) -> String {
        story::timeline(&self.moments(), self.start)
    }

    fn named(&self, line: &str) -> String {
        line.replace("{}", &format!("podinfo.{}", self.namespace))
            .replace("{ns}", &self.namespace)
            .replace("{primary}", &format!("podinfo-primary.{}", self.namespace))
    }
}

/// Whether a line is as wanted; `…` stands for any words.
fn fits(want: &str, have: &str) -> bool {
    let Some((begin, end)) = want.split_once('…') else { return want == have };
    let Some(rest) = have.strip_prefix(begin) else { return false };
    (0..=rest.len()).filter_map(|at| rest.get(at..)).any(|rest| fits(end, rest))
}

/// The lines of a text that have words on them.
fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
}

/// Names the first line that differs.
fn differ(what: &str, want: &[String], have: &[String]) -> anyhow::Result<()> {
    let longest = want.len().max(have.len());
    for at in 0..longest {
        let (wanted, had) = (want.get(at), have.get(at));
        if !wanted.zip(had).is_some_and(|(wanted, had)| fits(wanted, had)) {
            let or_end =
                |line: Option<&String>| line.map_or("the end".to_owned(), |line| format!("`{line}`"));
            bail!("{what} at line {}: expected {}, got {}", at + 1, or_end(wanted), or_end(had));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn three_dots_stand_for_any_words() {
        for (want, have, is) in [
            ("a b", "a b", true),
            ("a b", "a b c", false),
            ("a …", "a b c", true),
            ("a … c", "a b c", true),
            ("a … c … e", "a b c d e", true),
            ("a … c … e", "a b d e", false),
            ("a …", "b", false),
        ] {
            assert_eq!(fits(want, have), is, "{want} {have}");
        }
    }
}
