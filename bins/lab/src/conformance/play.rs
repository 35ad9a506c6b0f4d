//! Plays a scene on both servers at once.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{
    compare::{differences, matches},
    known::Known,
    mask::mask,
    script::{Scene, Step, Until},
    side::Side,
};
use crate::e2e::crds;

/// Both servers.
pub struct Stage {
    /// The testbed's server.
    pub testbed: Side,
    /// The real one.
    pub real: Side,
    /// Whether everything is shown.
    pub verbose: bool,
    /// CRDs that were not on the real cluster before.
    pub brought: Vec<String>,
}

impl Stage {
    /// Gives both servers the CRDs, as they stand in the repository.
    pub async fn open(&mut self) -> anyhow::Result<()> {
        let definitions = [crds::ours()?, crds::traefik()?].concat();
        for definition in &definitions {
            let name = definition.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            let (_, created) = self.both(&step("POST", DEFINITIONS, &definition.to_string())).await?;
            if created.get("code") == Some(&json!(201)) {
                self.brought.push(name.to_owned());
            } else {
                let mut ours = step("PATCH", &format!("{DEFINITIONS}/{name}"), &definition.to_string());
                "merge".clone_into(&mut ours.content);
                self.real.answer(&ours).await?;
            }
            let mut served = step("GET", &format!("{DEFINITIONS}/{name}"), "");
            served.until = Some(Until::Says("/body/status/conditions/1/status".into(), "True".into()));
            self.both(&served).await?;
        }
        Ok(())
    }

    /// Takes away the CRDs that were brought, and waits until they are gone: the next suite may bring the same.
    pub async fn close(&mut self) -> anyhow::Result<()> {
        for name in std::mem::take(&mut self.brought) {
            let gone = Some(Until::Code(404));
            let delete = Step { until: gone, ..step("DELETE", &format!("{DEFINITIONS}/{name}"), "") };
            self.real.answer(&delete).await?;
        }
        Ok(())
    }

    /// Plays a scene in a namespace of its own; the answer is what differs, ready to be shown.
    pub async fn play(&mut self, scene: &Scene, known: &mut Known) -> anyhow::Result<Vec<String>> {
        let run = format!("c{:x}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() % 0xffff_ffff);
        self.testbed.begin(&run, &run);
        self.real.begin(&run, &run);
        let uses =
            |step: &Step| step.verb == "KUBECTL" || format!("{}{}", step.target, step.body).contains("${");
        let has_namespace = scene.steps.iter().any(uses);
        if has_namespace {
            let body = json!({"metadata": {"name": run}}).to_string();
            self.both(&step("POST", NAMESPACES, &body)).await?;
        }
        let mut found = Vec::new();
        for step in &scene.steps {
            let differs = self.step(scene, step, known).await?;
            if !differs.is_empty() {
                found.push(format!("{} {} {}", step.verb, step.content, step.target));
                found.extend(differs.into_iter().map(|line| format!("  {line}")));
            }
        }
        if has_namespace {
            self.both(&step("DELETE", &format!("{NAMESPACES}/{run}"), "")).await?;
        }
        Ok(found)
    }

    async fn step(&mut self, scene: &Scene, step: &Step, known: &mut Known) -> anyhow::Result<Vec<String>> {
        let (mut testbed, mut real) = self.both(step).await?;
        mask(&mut testbed, &self.testbed.symbols, step);
        mask(&mut real, &self.real.symbols, step);
        if self.verbose {
            println!("{} {}\n  testbed {testbed}\n  real    {real}", step.verb, step.target);
        }
        let mut found = differences(&testbed, &real, step.subset);
        if found.iter().any(|found| found.path == "/code") {
            // The bodies have nothing in common then.
            found.retain(|found| matches!(found.path.as_str(), "/code" | "/body/message" | "/body"));
        }
        let found =
            found.into_iter().filter(|found| !step.ignore.iter().any(|path| matches(path, &found.path)));
        Ok(found.filter(|found| !known.covers(&scene.name, found)).map(|found| found.line()).collect())
    }

    async fn both(&mut self, step: &Step) -> anyhow::Result<(Value, Value)> {
        tokio::try_join!(self.testbed.answer(step), self.real.answer(step))
    }
}

const NAMESPACES: &str = "/api/v1/namespaces";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

fn step(verb: &str, target: &str, body: &str) -> Step {
    Step { verb: verb.to_owned(), target: target.to_owned(), body: body.to_owned(), ..Step::default() }
}
