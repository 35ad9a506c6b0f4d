//! The course of a case, folded from what happened: progress, ready pods, and which of them got lost.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    place::NAME,
    record::{Ms, Span, number, text},
    step::is_bad,
    world::World,
};

/// One pod's life.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Its label `app`.
    pub app: String,
    /// Its version.
    pub version: String,
    /// From when to when it was ready.
    pub ready: Vec<(Ms, Ms)>,
}

/// The reason of the conditions of a Canary whose spec is invalid.
const REFUSED: &str = "InvalidSpec";

/// What the deletion of a Canary is called that gives its target the traffic back.
pub const REVERTED: &str = "the Canary is reverted";

/// What became of a case.
#[derive(Debug, Default)]
pub struct Course {
    /// When the status moved, or something new was asked for.
    pub progress: Vec<Ms>,
    /// The status from each moment on, in words; and whether something was still to be done.
    states: Vec<(Ms, String, bool)>,
    /// Pods by uid.
    pub pods: BTreeMap<String, Pod>,
    /// Pods that got lost without being deleted.
    pub losses: Vec<Span>,
    /// When the Canary first was initialised.
    pub initialized: Option<Ms>,
    /// From when to when the Canary was initialised on its target anew, after it was bound to another: what the target
    /// runs is taken as it is, like at first.
    rebound: Vec<Span>,
    /// From the deletion of a Canary until another one is initialised: what its clients use goes with it, unless it is
    /// reverted, and what the target runs is taken as it is.
    pub remade: Vec<Span>,
    /// When each version was first wanted of the target.
    pub pushed: BTreeMap<String, Ms>,
    /// When each version first was the primary's.
    pub promoted: BTreeMap<String, Ms>,
    /// What the operator keeps as it is to be, from each moment on.
    kept: Vec<(Ms, Kept)>,
    /// The weight in the status, from each moment on.
    pub weights: Vec<(Ms, u64)>,
}

/// What the operator keeps: all of a Canary's binding; while it initialises one, what that shares with the one before.
#[derive(Debug, Default)]
struct Kept {
    /// The apex whose Services it keeps.
    apex: Option<String>,
    /// It keeps the route.
    route: bool,
}

impl Kept {
    fn of(phase: &str, status: &Value) -> Kept {
        let same =
            |other: &Value, field: &str| text(other, field) == text(status, &format!("/binding{field}"));
        let earlier = status.get("previousBindings").and_then(Value::as_array).into_iter().flatten();
        let shares: Vec<&Value> = earlier.filter(|one| same(one, "/apex") && !same(one, "/target")).collect();
        let is_bound = !matches!(phase, "Initializing" | "gone");
        let apex = || text(status, "/binding/apex").to_owned();
        Kept {
            apex: (phase != "gone" && (is_bound || !shares.is_empty())).then(apex),
            route: is_bound || shares.iter().any(|one| same(one, "/provider")),
        }
    }
}

impl Course {
    /// Whether a version that was pushed then could be the primary's at a moment without an analysis, because the
    /// Canary was initialised anew.
    pub fn is_taken_as_it_is(&self, pushed: Ms, at: Ms) -> bool {
        let anew = self.rebound.iter().chain(&self.remade);
        anew.into_iter().any(|span| pushed <= span.to && span.from <= at)
    }

    /// Whether something was still to be done.
    pub fn is_busy_at(&self, at: Ms) -> bool {
        self.states.iter().rev().find(|(from, ..)| *from <= at).is_some_and(|(.., busy)| *busy)
    }

    /// The status at a moment.
    pub fn state_at(&self, at: Ms) -> &str {
        self.states.iter().rev().find(|(from, ..)| *from <= at).map_or("", |(_, state, _)| state)
    }

    /// When a Canary that is suspended at this moment is resumed; `None` when it is not suspended.
    pub fn resumed_after(&self, at: Ms) -> Option<Ms> {
        let later = || self.states.iter().filter(|(from, ..)| *from > at);
        let resumed = later().find(|(_, state, _)| !is_suspended(state)).map_or(Ms::MAX, |(from, ..)| *from);
        is_suspended(self.state_at(at)).then_some(resumed)
    }

    /// When the Services of an apex, or else the route, are kept as they are to be; `None` when they are now. Those of
    /// an apex that was left are not, nor what a migration that is under way does not share with the binding before.
    pub fn kept_after(&self, at: Ms, apex: Option<&str>) -> Option<Ms> {
        let keeps = |kept: &Kept| match apex {
            Some(apex) => kept.apex.as_deref() == Some(apex),
            None => kept.route,
        };
        let now = self.kept.iter().rev().find(|(from, _)| *from <= at);
        let later = self.kept.iter().find(|(from, kept)| *from > at && keeps(kept));
        let is_kept = now.is_some_and(|(_, kept)| keeps(kept));
        (!is_kept).then(|| later.map_or(Ms::MAX, |(from, _)| *from))
    }

    /// From when to when the Canary was suspended.
    pub fn suspended(&self) -> Vec<Span> {
        let mut all: Vec<Span> = Vec::new();
        for (at, state, _) in &self.states {
            let open = all.last_mut().filter(|span| span.to == Ms::MAX);
            match (is_suspended(state), open) {
                (true, None) => all.push(Span { from: *at, to: Ms::MAX, what: "suspended".to_owned() }),
                (false, Some(span)) => span.to = *at,
                _ => {}
            }
        }
        all
    }

    /// Whether a pod that fits was ready all the time.
    pub fn was_ready(&self, from: Ms, to: Ms, fits: impl Fn(&Pod) -> bool) -> bool {
        let mut pods = self.pods.values().filter(|pod| fits(pod));
        pods.any(|pod| pod.ready.iter().any(|(begin, end)| *begin <= from && *end >= to))
    }
}

fn is_suspended(state: &str) -> bool {
    state.contains(" suspended")
}

/// What became of a case so far.
pub fn course(world: &World) -> Course {
    let mut fold = Fold::default();
    let seen = world.recorder.seen();
    for (at, happened) in &seen.past {
        let object = &*happened.object;
        match happened.resource.as_str() {
            "canaries.flagger.app" if text(object, "/metadata/name") == NAME => {
                fold.canary(*at, object, happened.gone);
            }
            "pods" => fold.pod(*at, object, happened.gone),
            "deployments.apps" | "daemonsets.apps" => fold.workload(*at, object),
            _ => {}
        }
    }
    fold.course
}

#[derive(Default)]
struct Fold {
    course: Course,
    target: String,
    primary: String,
    state: (String, bool),
    /// The target of the binding.
    bound: String,
    /// A push changes nothing before the user does something else.
    is_users: bool,
}

impl Fold {
    fn canary(&mut self, at: Ms, object: &Value, gone: bool) {
        let status = &object["status"];
        let phase = if gone { "gone" } else { text(status, "/phase") };
        self.remade(at, object, gone);
        if phase == "Initialized" && self.course.initialized.is_none() {
            self.course.initialized = Some(at);
        }
        let bound = text(status, "/binding/target");
        if !bound.is_empty() && self.bound != bound {
            if bound == NAME && !self.bound.is_empty() {
                let what = "the Canary is initialised anew".to_owned();
                self.course.rebound.push(Span { from: at, to: Ms::MAX, what });
            }
            bound.clone_into(&mut self.bound);
        }
        if let Some(span) = self.course.rebound.last_mut().filter(|span| span.to == Ms::MAX)
            && phase == "Initialized"
        {
            span.to = at;
        }
        self.course.kept.push((at, Kept::of(phase, status)));
        let weight = number(status, "/canaryWeight");
        self.course.weights.push((at, weight));
        let suspended = !gone && object.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true);
        let state = format!(
            "{phase} weight={weight} iterations={} failed={} ending={} draining={}{}",
            number(status, "/iterations"),
            number(status, "/failedChecks"),
            text(status, "/ending/result"),
            status.get("drainUntil").is_some_and(|until| !until.is_null()),
            if suspended { " suspended" } else { "" },
        );
        let resting = matches!(phase, "Initialized" | "Succeeded" | "Failed")
            && text(status, "/ending/result").is_empty();
        let conditions = status.get("conditions").and_then(Value::as_array).into_iter().flatten();
        let mut reasons = conditions.map(|one| text(one, "/reason"));
        // A gate that is closed and a spec that is refused were reported, and the user has to act.
        self.is_users = text(status, "/wait/kind") == "approval" || reasons.any(|reason| reason == REFUSED);
        let asked = text(status, "/wait/kind") == "approval";
        let busy = !resting && !suspended && !asked && phase != "gone";
        if self.state != (state.clone(), busy) {
            self.course.progress.push(at);
            self.course.states.push((at, state.clone(), busy));
            self.state = (state, busy);
        }
    }

    fn remade(&mut self, at: Ms, object: &Value, gone: bool) {
        let leaves = gone || !text(object, "/metadata/deletionTimestamp").is_empty();
        let open = self.course.remade.last_mut().filter(|span| span.to == Ms::MAX);
        match open {
            None if leaves => {
                let reverts = object.pointer("/spec/revertOnDeletion").is_some_and(|reverts| reverts == true);
                // A target that does not work takes over all the same, at its deadline.
                let keeps = reverts && text(object, "/status/binding/apex") == NAME && !is_bad(&self.target);
                let what = if keeps { REVERTED } else { "the Canary is deleted" }.to_owned();
                self.course.remade.push(Span { from: at, to: Ms::MAX, what });
            }
            Some(span) if !leaves && text(object, "/status/phase") == "Initialized" => span.to = at,
            _ => {}
        }
    }

    fn pod(&mut self, at: Ms, object: &Value, gone: bool) {
        let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
        let is_ready =
            conditions.into_iter().flatten().any(|one| one["type"] == "Ready" && one["status"] == "True");
        let leaving = gone || !text(object, "/metadata/deletionTimestamp").is_empty();
        let image = text(object, "/spec/containers/0/image");
        let pod = self.course.pods.entry(text(object, "/metadata/uid").to_owned()).or_insert_with(|| Pod {
            app: text(object, "/metadata/labels/app").to_owned(),
            version: image.rsplit(':').next().unwrap_or_default().to_owned(),
            ready: Vec::new(),
        });
        let was_ready = pod.ready.last().is_some_and(|(_, end)| *end == Ms::MAX);
        match (was_ready, is_ready && !leaving) {
            (false, true) => pod.ready.push((at, Ms::MAX)),
            (true, false) => {
                if let Some(last) = pod.ready.last_mut() {
                    last.1 = at;
                }
                if !leaving {
                    let what = format!("a pod of {} {} crashes", pod.app, pod.version);
                    self.course.losses.push(Span { from: at, to: at, what });
                }
            }
            _ => {}
        }
    }

    fn workload(&mut self, at: Ms, object: &Value) {
        let image = text(object, "/spec/template/spec/containers/0/image");
        let tag = image.rsplit(':').next().unwrap_or_default().to_owned();
        match text(object, "/metadata/name") {
            NAME if self.target != tag => {
                self.target.clone_from(&tag);
                self.course.pushed.entry(tag).or_insert(at);
                // From here on something is to be done.
                self.course.progress.push(at);
                let state = format!("{}, pushed {}", self.state.0, self.target);
                // Of another target nothing is to be done, and what an initialisation waits for was reported before.
                let busy = self.course.initialized.is_some()
                    && self.bound == NAME
                    && self.target != self.primary
                    && !self.state.0.starts_with("Initializing");
                self.course.states.push((
                    at,
                    state,
                    busy && !self.is_users && !self.state.0.ends_with("suspended"),
                ));
            }
            "podinfo-primary" | "other-primary" => {
                self.primary.clone_from(&tag);
                self.course.promoted.entry(tag).or_insert(at);
            }
            _ => {}
        }
    }
}
