//! How each step of a case is carried out.

use std::{
    collections::BTreeSet,
    sync::{PoisonError, atomic::Ordering},
};

use anyhow::bail;
use serde_json::{Value, json};
use vexil_testbed_apiserver::{Fault, FaultAction, Matcher};
use vexil_testbed_rig::{OPERATOR, manifests};

use super::{
    features::APPS,
    gates::Turn,
    place::{IMAGE, NAME, NAMESPACE},
    record::{Ms, Span, number, text},
    step::{Moment, Step, Which},
    world::World,
};

/// How long a moment of a case may be in coming.
const PATIENCE: Ms = 300_000;
/// How long the operator may be busy with one request that is answered wrongly.
const HARM: Ms = 35_000;
/// What an edit is called that changes which requests a route takes.
const LEFT_OUT: &str = "clients are left out by an edit";
const CANARY: (&str, &str) = ("flagger.app/v1beta1", "Canary");

/// What came of a step.
pub enum Done {
    /// It is done.
    Well,
    /// The API server refused it.
    Refused,
    /// The moment did not come.
    Stuck(Moment),
}

impl World {
    /// Carries out one step.
    ///
    /// # Errors
    /// When the cluster cannot do it, which is a mistake of the case.
    pub async fn carry_out(&mut self, step: &Step) -> anyhow::Result<Done> {
        match step {
            Step::Apply => self.apply().await?,
            Step::Until(moment) => {
                let moment = *moment;
                if !self.until(PATIENCE, |world| world.is_at(moment)).await {
                    return Ok(Done::Stuck(moment));
                }
            }
            Step::Pass(ms) => self.pass(*ms).await,
            Step::Push(tag) => self.push(tag).await?,
            Step::Edit(title, spec) => return self.edit(title, spec).await,
            Step::EditBack => self.edit_back().await?,
            Step::DeleteCanary => drop(self.cluster.delete(CANARY.0, CANARY.1, NAMESPACE, NAME).await?),
            Step::ApplyCanary => self.apply_canary().await?,
            Step::Crash(app, tag) => self.crash(app, tag),
            Step::KeepDown(app, tag, ms) => {
                let end = self.recorder.ms() + ms;
                while self.recorder.ms() < end {
                    self.crash(app, tag);
                    self.pass(200).await;
                }
            }
            Step::Scale(name, replicas) => self.scale(name, *replicas).await?,
            Step::DeleteTarget => {
                self.deed("the target is deleted", 0);
                let kind = self.features.workload().kind;
                self.cluster.delete(APPS, kind, NAMESPACE, NAME).await?;
            }
            Step::MakeTarget(tag) => {
                self.know(tag);
                self.make(NAME, tag).await?;
            }
            Step::EditRoute => self.edit_route().await?,
            Step::DeleteService(name) => {
                self.deed(&format!("Service {name} is deleted"), 0);
                self.cluster.delete("v1", "Service", NAMESPACE, name).await?;
            }
            Step::Annotate(mesh) => self.annotate(*mesh).await?,
            Step::Config(content) => self.configure(content).await?,
            Step::Hook(name, status) => {
                self.turned.push(Turn { at: self.recorder.ms(), name, status: *status });
                let mut hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
                hooks.insert((*name).to_owned(), *status);
            }
            Step::Kill => self.kill().await,
            Step::Start if self.is_alive => {}
            Step::Start => self.start(),
            Step::Jump(ms) => self.clock.jump(*ms),
            Step::Harm(which, times, action) => self.harm(*which, 0, *times, action.clone()),
            Step::DropWatches => self.cluster.server().drop_watches(),
            Step::Compact => {
                self.cluster.server().compact();
                self.cluster.server().drop_watches();
            }
            Step::AsFlagger => self.as_flagger().await?,
        }
        Ok(Done::Well)
    }

    /// Whether a moment has come.
    pub fn is_at(&self, moment: Moment) -> bool {
        let canary = self.canary();
        let phase = text(&canary, "/status/phase");
        match moment {
            Moment::Phase(wanted) => phase == wanted,
            Moment::Step(step) if self.place.has_weights() => {
                number(&canary, "/status/canaryWeight") >= 25 * step
            }
            Moment::Step(step) => phase == "Progressing" && number(&canary, "/status/iterations") >= step,
            Moment::Draining => canary.pointer("/status/drainUntil").is_some_and(|until| !until.is_null()),
            Moment::Rest => {
                matches!(phase, "Initialized" | "Succeeded" | "Failed")
                    && canary.pointer("/status/ending").is_none_or(Value::is_null)
            }
            Moment::Gone => !self.is_there(),
        }
    }

    /// Remembers something that excuses errors from now on, for so long.
    pub fn deed(&mut self, what: &str, ms: Ms) {
        let from = self.recorder.ms();
        self.deeds.push(Span { from, to: from.saturating_add(ms), what: what.to_owned() });
    }

    fn know(&mut self, tag: &str) {
        self.tag = tag.to_owned();
        self.is_bad.store(tag.starts_with("bad"), Ordering::Relaxed);
    }

    async fn push(&mut self, tag: &str) -> anyhow::Result<()> {
        self.know(tag);
        // The target may be away.
        if self.target().is_some() {
            let path =
                format!("/apis/{APPS}/namespaces/{NAMESPACE}/{}/{NAME}", self.features.workload().plural);
            let field = "/spec/template/spec/containers/0/image";
            let patch = json!([{"op": "replace", "path": field, "value": format!("{IMAGE}:{tag}")}]);
            self.patch(&path, "application/json-patch+json", &patch).await?;
        }
        Ok(())
    }

    fn crash(&mut self, app: &str, tag: &str) {
        let what = format!("pods of {app} {tag} crash");
        match self.deeds.last_mut().filter(|last| last.what == what) {
            Some(last) => last.to = self.recorder.ms(),
            None => self.deed(&what, 0),
        }
        let label =
            if self.features.is_daemon_set { "controller-revision-hash" } else { "pod-template-hash" };
        let families: BTreeSet<String> = {
            let seen = self.recorder.seen();
            let pods = seen
                .now
                .iter()
                .filter(|((kind, ..), pod)| kind == "pods" && text(pod, "/metadata/labels/app") == app);
            let pods = pods.filter(|(_, pod)| text(pod, "/spec/containers/0/image").ends_with(tag));
            pods.map(|(_, pod)| text(pod, &format!("/metadata/labels/{label}")).to_owned()).collect()
        };
        for family in families {
            self.cluster.crash_pods(NAMESPACE, &[("app", app), (label, &family)]);
        }
    }

    async fn edit(&mut self, title: &str, spec: &Value) -> anyhow::Result<Done> {
        self.enter_besides(title, spec);
        self.let_in();
        if self.place.lets_in.iter().any(|field| title.starts_with(field)) {
            self.deed(LEFT_OUT, Ms::MAX);
        }
        Ok(if self.replace_spec(spec).await? { Done::Well } else { Done::Refused })
    }

    /// An edit that leaves clients out is over.
    fn let_in(&mut self) {
        let now = self.recorder.ms();
        let open = self.deeds.iter_mut().filter(|deed| deed.what == LEFT_OUT && deed.to == Ms::MAX);
        open.for_each(|deed| deed.to = now);
    }

    async fn edit_back(&mut self) -> anyhow::Result<()> {
        self.let_in();
        let spec = self.spec.clone();
        if self.is_there() && !self.replace_spec(&spec).await? {
            bail!("the first spec is refused");
        }
        Ok(())
    }

    /// The mesh that the Canary names.
    async fn annotate(&mut self, mesh: Option<&str>) -> anyhow::Result<()> {
        let (Some(annotation), true) = (self.place.mesh, self.is_there()) else { return Ok(()) };
        let body = json!({"metadata": {"annotations": {annotation: mesh}}});
        self.cluster.merge(CANARY, (NAMESPACE, NAME), &body).await
    }

    async fn configure(&mut self, content: &str) -> anyhow::Result<()> {
        self.config = content.to_owned();
        self.configured.push(self.recorder.ms());
        match self.features.config(content) {
            Some(config) => self.cluster.apply_yaml(&config.to_string()).await,
            None => Ok(()),
        }
    }

    async fn scale(&mut self, name: &str, replicas: u32) -> anyhow::Result<()> {
        let what = format!("{name} sleeps");
        let now = self.recorder.ms();
        if replicas == 0 {
            self.deeds.push(Span { from: now, to: Ms::MAX, what });
        } else if let Some(span) = self.deeds.iter_mut().find(|span| span.what == what && span.to == Ms::MAX)
        {
            span.to = now + 2_000;
        }
        let workload = self.features.workload();
        if self.recorder.object(workload.resource, name).is_some() {
            let body = json!({"spec": {"replicas": replicas}});
            self.cluster.merge((APPS, workload.kind), (NAMESPACE, name), &body).await?;
        }
        Ok(())
    }

    /// Lets requests of the operator be answered wrongly: so many, after so many others.
    pub fn harm(&mut self, which: Which, after: u32, times: u32, action: FaultAction) {
        let mut matcher = match which {
            Which::Writes => Matcher::writes(),
            Which::Gets => Matcher { verb: Some("get".to_owned()), ..Matcher::default() },
            Which::Reads => Matcher { verb: Some("list".to_owned()), ..Matcher::default() },
            Which::Watches => Matcher { verb: Some("watch".to_owned()), ..Matcher::default() },
        };
        matcher.user_agent = Some(OPERATOR.to_owned());
        let fault = Fault::once(matcher, action).after(after).times(times);
        self.cluster.server().faults().push(fault);
        let from = self.recorder.ms();
        let to = from + HARM * Ms::from(times);
        self.impaired.push(Span { from, to, what: "the API server answers wrongly".to_owned() });
    }

    /// What another operator leaves behind, for ours to take over.
    async fn as_flagger(&mut self) -> anyhow::Result<()> {
        self.kill().await;
        let status = json!({"status": {
            "lastAppliedSpec": "5b4c8d7f99", "lastPromotedSpec": "68bf6f479b", "trackedConfigs": {},
            "run": null, "primarySpec": null, "lastStepTime": null, "withheldWeight": null, "ending": null,
            "drainUntil": null, "drainRestarts": null, "postRollout": null, "wait": null, "outbox": null,
            "binding": null,
        }});
        let path = format!("/apis/flagger.app/v1beta1/namespaces/{NAMESPACE}/canaries/{NAME}/status");
        self.patch(&path, "application/merge-patch+json", &status).await?;
        self.start();
        Ok(())
    }
}

/// The first spec with a change merged into it.
pub fn changed(spec: &Value, change: &Value) -> Value {
    let mut spec = spec.clone();
    manifests::merge(&mut spec, change);
    spec
}
