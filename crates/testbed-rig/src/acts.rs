//! The acts of a guide: its manifests, a version that is good, one whose pods crash, one that answers with errors.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use vexil_testbed_cluster::objects;

use crate::{
    cast::PODINFO,
    guide::{CANARY, CONTAINER, NAMESPACE, tag},
    guide_objects,
    manifests::merge,
    player::{Environment, Player, View},
    record::GATEWAY_DELAY,
    report::{Expect, Report},
    scene::Scene,
    styled_line::{Line, Tone},
};

/// The pace of the analysis. Nothing else is changed of a guide, but for [`Environment::SLOWEST_MS`].
pub const INTERVAL: Duration = Duration::from_secs(2);
/// What becomes of the version that is there from the beginning.
const INITIALISED: &str = "initialised";
/// How long the route is watched after pods have crashed.
const QUIET: Duration = Duration::from_secs(3);

impl<G: Environment, V: View> Player<G, V> {
    /// The manifests are applied, with `spec` merged into the Canary's, and the operator makes what they ask for.
    ///
    /// # Errors
    /// When the cluster refuses something, or the Canary is not initialised in time.
    pub async fn opening(&mut self, spec: Option<&Value>) -> anyhow::Result<Report> {
        self.begin("The manifests");
        for (name, text) in self.guide.manifests {
            if *name == CANARY && self.guide.is_open_before {
                self.admit().await?;
                self.pause(G::AROUND).await?;
            }
            let command = format!("kubectl apply -f examples/{}/{name}", self.guide.name);
            self.tell("apply", Line::of(Tone::Plain, command));
            objects::apply_yaml(&self.environment.api().client, text).await?;
            if *name == CANARY {
                self.quicken().await?;
                if let Some(spec) = spec {
                    self.patch(&json!({"spec": spec})).await?;
                }
            }
        }
        self.until("initialisation", |scene| scene.phase == "Initialized").await?;
        let took = self.of_act();
        for object in guide_objects::found(self.environment.api(), self.guide).await? {
            self.tell("made", Line::of(Tone::Plain, object.shown()));
        }
        self.admit().await?;
        let version = self.scene.primary.version.clone();
        self.report(&version, INITIALISED, took, Expect::NoErrors).await
    }

    /// A good version is promoted.
    ///
    /// # Errors
    /// When it is not.
    pub async fn promotion(&mut self, act: &str) -> anyhow::Result<Report> {
        let text = match self.guide.splits() {
            true => "Its share grows while all checks hold; then the primary becomes the new version.",
            false => {
                "It is checked where no client comes; then the primary becomes the new version, pod by pod."
            }
        };
        self.push(act, "a good version", self.guide.images.good, text).await?;
        let took = self.ended("Succeeded").await?;
        self.report(tag(self.guide.images.good), "promoted", took, Expect::NoErrors).await
    }

    /// A version that answers with errors is rolled back.
    ///
    /// # Errors
    /// When it is not.
    pub async fn rollback(&mut self, act: &str) -> anyhow::Result<Report> {
        let checks = self.checks.threshold;
        let (fate, expect) = match self.guide.splits() {
            true => ("it gets no more requests", Expect::OnlyItsOwn),
            false => ("it is gone, and no client saw it", Expect::NoErrors),
        };
        let text = format!("Every second answer is an error; after {checks} failed checks {fate}.");
        self.push(act, "a version that answers 500", self.guide.images.bad, &text).await?;
        let took = self.ended("Failed").await?;
        self.report(tag(self.guide.images.bad), "rolled back", took, expect).await
    }

    /// All pods of a version crash while it serves a part of the clients, and its owner takes it back. `crash` makes
    /// them crash.
    ///
    /// # Errors
    /// When the route does not leave the crashed pods, or the run does not end.
    pub async fn crash(&mut self, act: &str, weight: u64, crash: impl Fn(&G)) -> anyhow::Result<Report> {
        let images = &self.guide.images;
        let new = tag(images.crashing);
        let text =
            "No check is waited for: the route follows the pods, and the gateway the route, a second later.";
        self.push(act, &format!("all pods crash at {weight} %"), images.crashing, text).await?;
        let there = |scene: &Scene| scene.routed == weight || scene.is_over();
        self.until(&format!("a weight of {weight}"), there).await?;
        self.pause(GATEWAY_DELAY + Duration::from_millis(500)).await?;
        let (at, before) = (self.elapsed(), self.tally().errors());
        self.record.interrupt(at);
        crash(&self.environment);
        self.tell("crash", Line::of(Tone::Bad, format!("all pods of {new} crash now")));
        self.until("the route to leave the crashed pods", |scene| scene.routed == 0).await?;
        self.pause(QUIET).await?;
        self.explain(
            "Its owner takes it back. That is what the primary runs, so the rollout is over at once.",
        );
        self.set_image(images.good).await?;
        let took = self.ended("Succeeded").await?;
        let mut report = self.report(new, "taken back", took, Expect::NoErrors).await?;
        let lasted = self.record.last_error(at).map(|last| last.saturating_sub(at));
        report.expect = Expect::OnlyAfterCrash { before, lasted };
        Ok(report)
    }

    /// What an act came to, once clients have been watched for a while after it.
    ///
    /// # Errors
    /// When operator or cluster fail.
    pub async fn report(
        &mut self,
        version: &str,
        outcome: &'static str,
        took: Duration,
        expect: Expect,
    ) -> anyhow::Result<Report> {
        self.pause(G::AROUND).await?;
        Ok(Report {
            version: version.to_owned(),
            outcome,
            took,
            tally: self.tally(),
            shares: self.shares().to_vec(),
            api_requests: self.environment.operators_requests()?,
            is_rollout: outcome != INITIALISED && outcome != "migrated",
            expect,
        })
    }

    /// A line that explains what follows.
    pub fn explain(&mut self, text: &str) {
        self.say(Line::of(Tone::Dim, format!("  {text}")).hanging(2));
    }

    /// Sets the pace of the analysis, as a command that is shown.
    async fn quicken(&mut self) -> anyhow::Result<()> {
        let canary: Value = serde_saphyr::from_str(self.guide.canary()).context("the Canary's manifest")?;
        let old = canary.pointer("/spec/canaryAnalysis").is_some();
        let field = if old { "canaryAnalysis" } else { "analysis" };
        let written = canary.pointer(&format!("/spec/{field}/interval")).and_then(Value::as_str);
        let interval = format!("{}s", INTERVAL.as_secs());
        let mut analysis = json!({"interval": interval});
        let mut rest = "nothing else is changed".to_owned();
        if let Some(ms) = G::SLOWEST_MS {
            // A merge patch replaces lists whole.
            let mut metrics =
                canary.pointer(&format!("/spec/{field}/metrics")).cloned().unwrap_or_else(|| json!([]));
            for metric in metrics.as_array_mut().into_iter().flatten() {
                slower(metric, ms);
            }
            merge(&mut analysis, &json!({"metrics": metrics}));
            rest = format!("a request may take {ms} ms");
        }
        self.patch(&json!({"spec": {field: analysis}})).await?;
        let written = written.unwrap_or("the default").to_owned();
        self.explain(&format!("A check every {interval} instead of {written}; {rest}."));
        Ok(())
    }

    async fn patch(&mut self, patch: &Value) -> anyhow::Result<()> {
        let command = format!("kubectl -n {NAMESPACE} patch canary/{PODINFO} --type merge -p '{patch}'");
        self.tell("patch", Line::of(Tone::Plain, command));
        let canary = ("flagger.app/v1beta1", "Canary");
        objects::merge(&self.environment.api().client, canary, (NAMESPACE, PODINFO), patch).await
    }

    /// Begins an act with a push, and waits until the operator has seen it.
    async fn push(&mut self, act: &str, what: &str, image: &str, text: &str) -> anyhow::Result<()> {
        let old = self.scene.primary.version.clone();
        self.begin(&format!("{act} · {what}: {old} → {}", tag(image)));
        self.explain(text);
        self.set_image(image).await?;
        self.until("the new run", |scene| scene.phase == "Progressing").await
    }

    async fn set_image(&mut self, image: &str) -> anyhow::Result<()> {
        let target = self.guide.system.target;
        self.tell("push", Line::of(Tone::Canary, (target.push)(PODINFO, image)));
        let (client, kind) = (&self.environment.api().client, (target.version, target.kind));
        objects::set_image(client, kind, (NAMESPACE, PODINFO), CONTAINER, image).await
    }

    /// Waits for the end of the run; how long it took since the act began.
    async fn ended(&mut self, phase: &str) -> anyhow::Result<Duration> {
        self.until("the end of the run", Scene::is_over).await?;
        if self.scene.phase != phase {
            bail!("the run ended as {}, not as {phase}", self.scene.phase);
        }
        Ok(self.of_act())
    }
}

/// Raises the limit of the built-in metric of request durations to so many milliseconds.
fn slower(metric: &mut Value, ms: u64) {
    if metric.get("name").and_then(Value::as_str) != Some("request-duration") {
        return;
    }
    let old = metric.get("threshold").is_some();
    merge(metric, &if old { json!({"threshold": ms}) } else { json!({"thresholdRange": {"max": ms}}) });
}
