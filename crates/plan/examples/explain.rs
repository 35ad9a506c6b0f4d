//! Plans and simulates a rollout from a Canary in a file, without a cluster: prints the plan, then every decision of a
//! rollout in which all checks pass.
//!
//! `cargo run -p vexil-plan --example explain -- examples/traefik/podinfo-canary.yaml`

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use vexil_analysis::{
    Answer, Convergence, Effect, Facts, Known, LiveRoutes, Memory, Millis, Next, Observed, Phase, Pods,
    Revision, Step, SyncState, TargetScaler, Waiting, advance, next_effect,
};
use vexil_plan::{Planner, Registry, Settings, StatusContext, load, store};
use vexil_routing_kubernetes::{Kubernetes, KubernetesServices};
use vexil_routing_traefik::Traefik;

fn main() -> Result<(), String> {
    let path = std::env::args().nth(1).ok_or("name a file with a Canary")?;
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let mut canary: Value = serde_saphyr::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
    let metadata = canary.pointer_mut("/metadata").and_then(Value::as_object_mut);
    metadata.ok_or_else(|| format!("{path}: no metadata"))?.insert("uid".to_owned(), json!("simulated"));
    let registry = Registry::new(KubernetesServices).with(Kubernetes).with(Traefik::new(None));
    let settings = Settings { provider: "kubernetes".to_owned(), ..Settings::default() };
    for line in explain(&registry, &settings, canary)? {
        println!("{line}");
    }
    Ok(())
}

/// The lines about a Canary: its plan, and a rollout without failures.
fn explain(registry: &Registry, settings: &Settings, canary: Value) -> Result<Vec<String>, String> {
    let planner = Planner::new(registry, settings);
    let canary = planner.open(Arc::new(canary)).map_err(|defects| vexil_api::summary(&defects))?;
    let plan = canary.plan();
    let mut lines = vec![
        format!("target    {} {}", plan.names.kind, plan.names.target),
        format!("provider  {}", plan.binding.provider),
        format!("strategy  {:?}", plan.strategy),
        format!("interval  {} s, threshold {}", plan.interval_ms / 1000, plan.threshold),
        format!("checks    {}", plan.checks.join(", ")),
    ];
    lines.extend(plan.remarks.iter().map(|warning| format!("warning   {warning}")));

    let mut world = World::new();
    let mut memory = load(canary.status());
    for _ in 0..200 {
        let convergence = world.converge(plan, &memory)?;
        let transition = world.decide(plan, &memory, convergence)?;
        for notice in &transition.notices {
            lines.push(format!(
                "{:>6} s  {:<14} {}",
                world.now.0 / 1000,
                notice.phase.as_str(),
                notice.message
            ));
        }
        if transition.memory == memory {
            if memory.phase == Phase::Initialized {
                world.push("v1-second");
            } else if memory.phase == Phase::Succeeded {
                break;
            }
            let wake = transition.wake.unwrap_or(world.now.plus(1_000));
            world.now = wake.max(world.now.plus(1));
        }
        // What survives a crash is the status: each decision goes through it, as in the operator.
        let context = StatusContext::new(&plan.names.kind, world.now);
        memory = load(&store(&transition.memory, &context, canary.status()));
    }
    lines.push(format!("result    {}", memory.phase.as_str()));
    Ok(lines)
}

/// A cluster in which every effect succeeds at once.
struct World {
    now: Millis,
    seen: Observed,
}

impl World {
    fn new() -> Self {
        // Revisions of Vexil begin like this; others count as Flagger's.
        let target = pods("v1-first");
        let seen = Observed {
            backends: SyncState::OutOfSync,
            apex: SyncState::OutOfSync,
            configs: SyncState::InSync,
            scaler: SyncState::InSync,
            target_scaler: TargetScaler::None,
            routes: LiveRoutes::Absent,
            primary_addresses: Known::Present(1),
            canary_addresses: Known::Present(1),
            leftovers: SyncState::InSync,
            target: Known::Present(target),
            primary: Known::Absent,
            ..Observed::default()
        };
        World { now: Millis(0), seen }
    }

    /// A new revision of the target.
    fn push(&mut self, revision: &str) {
        self.seen.target = Known::Present(Pods { replicas: 0, ..pods(revision) });
    }

    fn converge(&mut self, plan: &vexil_analysis::Plan, memory: &Memory) -> Result<Convergence, String> {
        loop {
            match next_effect(plan, memory, &self.seen, self.now) {
                Next::Do(effect) => self.apply(effect),
                Next::Wait(pending) => return Ok(Convergence::Pending(pending)),
                Next::Settled => return Ok(Convergence::Settled),
                Next::Unlawful(law) => return Err(format!("the engine breaks a law: {law}")),
            }
        }
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Backends => self.seen.backends = SyncState::InSync,
            Effect::Restore => self.seen.former = Some(SyncState::InSync),
            Effect::Apex => self.seen.apex = SyncState::InSync,
            Effect::Configs => self.seen.configs = SyncState::InSync,
            Effect::Scaler => self.seen.scaler = SyncState::InSync,
            Effect::Release => self.seen.leftovers = SyncState::InSync,
            Effect::Route(routes) => self.seen.routes = LiveRoutes::Present { routes, in_sync: true },
            Effect::CreatePrimary(revision) | Effect::Promote(revision) => {
                self.seen.primary = Known::Present(pods(revision.as_str()));
            }
            Effect::ScaleUp => self.scale(1),
            Effect::RevertTarget => {
                self.scale(1);
                self.seen.reverted = SyncState::InSync;
            }
            Effect::ReleaseTraffic => self.seen.traffic = SyncState::InSync,
            Effect::ScaleToZero => self.scale(0),
        }
    }

    fn scale(&mut self, replicas: u32) {
        if let Known::Present(target) = &mut self.seen.target {
            target.replicas = replicas;
        }
    }

    /// Decides, and answers every question with yes.
    fn decide(
        &self,
        plan: &vexil_analysis::Plan,
        memory: &Memory,
        convergence: Convergence,
    ) -> Result<vexil_analysis::Transition, String> {
        let mut facts = Facts {
            now: self.now,
            due: Facts::is_due(memory.last_step, plan.interval_ms, self.now),
            convergence,
            seen: self.seen.clone(),
            waiting: Waiting::default(),
            drift: None,
            warnings: Vec::new(),
            delivered: memory
                .outbox
                .entries
                .iter()
                .flat_map(|entry| entry.to.iter().map(|to| (entry.seq, to.clone())))
                .collect(),
            answers: BTreeMap::new(),
        };
        loop {
            match advance(plan, memory, &facts) {
                Step::Done(transition) => return Ok(transition),
                Step::Ask(question) => drop(facts.answers.insert(question, Answer::Passed)),
                Step::Unlawful(law) => return Err(format!("the engine breaks a law: {law}")),
            }
        }
    }
}

fn pods(revision: &str) -> Pods {
    Pods::ready(Revision::new(revision), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollout_is_explained_to_its_end() {
        let canary = json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
            "metadata": {"name": "podinfo", "namespace": "test"},
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
                "provider": "traefik",
                "service": {"port": 80},
                "analysis": {"interval": "10s", "threshold": 2, "maxWeight": 50, "stepWeight": 25},
            },
        });
        let registry = Registry::new(KubernetesServices).with(Kubernetes).with(Traefik::new(None));
        let lines = explain(&registry, &Settings::default(), canary).unwrap();
        let has = |text: &str| lines.iter().any(|line| line.contains(text));
        assert!(has("Advance podinfo.test canary weight 25"), "{lines:#?}");
        assert!(has("Advance podinfo.test canary weight 50"), "{lines:#?}");
        assert_eq!(lines.last().map(String::as_str), Some("result    Succeeded"), "{lines:#?}");
    }
}
