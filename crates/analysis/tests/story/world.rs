//! A cluster small enough to read: two workloads, three Services, one route, hooks and metrics with scripted answers.

use std::collections::{BTreeMap, BTreeSet};

use vexil_analysis::{
    Acceptance, Answer, Known, LiveRoutes, Millis, Observed, Pods, Readiness, Revision, Routes, SyncState,
    TargetScaler, Weight,
};

use super::workload::Workload;

pub struct World {
    pub target: Option<Workload>,
    pub primary: Option<Workload>,
    pub backends: bool,
    pub apex: bool,
    /// Whether the primary's copies of ConfigMaps and Secrets are as wanted.
    pub copies: bool,
    /// Whether the primary's autoscaler is as wanted; the text is why it cannot be.
    pub scaler: Result<bool, String>,
    pub target_scaler: TargetScaler,
    pub routes: Option<Routes>,
    /// The routes are not as a router can read them.
    pub unreadable: bool,
    /// What gateways report about the routes.
    pub acceptance: Acceptance,
    pub refused: Option<String>,
    /// Gateways do not hear of the canary's pods.
    pub hidden: bool,
    /// The primary has no addresses although its pods are ready: its Service is gone.
    pub primary_hidden: bool,
    /// Services do not exist, instead of being as others want them.
    pub services_deleted: bool,
    /// An earlier binding left something.
    pub leftovers: bool,
    /// The primary of an earlier binding, which the Services select until they are moved.
    pub former: Option<Workload>,
    /// Why the primary is not the Canary's.
    pub foreign: Option<String>,
    /// Someone else edited the primary.
    pub edited: bool,
    /// The Canary is being deleted, with `revertOnDeletion`.
    pub deleted: bool,
    /// Apex and routes lead to the target again.
    pub given_back: bool,
    /// Revisions whose pods never become ready, anywhere or only in the primary.
    pub broken: BTreeSet<Revision>,
    pub broken_primary: BTreeSet<Revision>,
    answers: BTreeMap<String, String>,
    ready_after_ms: u64,
    deadline_ms: u64,
    /// How long a scale-down takes.
    pub leave_after_ms: u64,
}

/// Replicas of a workload.
pub const WANTED: u32 = 2;

impl World {
    pub fn new(ready_after_ms: u64, leave_after_ms: u64, deadline_ms: u64) -> World {
        let target = Workload {
            revision: Revision::new("6.0.0"),
            replicas: WANTED,
            ready_at: Millis(0),
            since: Millis(0),
            crashed: false,
            covered: false,
            leaving_until: Millis(0),
        };
        World {
            target: Some(target),
            primary: None,
            backends: false,
            apex: false,
            copies: true,
            scaler: Ok(true),
            target_scaler: TargetScaler::None,
            routes: None,
            unreadable: false,
            acceptance: Acceptance::Accepted,
            refused: None,
            hidden: false,
            primary_hidden: false,
            services_deleted: false,
            leftovers: false,
            former: None,
            foreign: None,
            edited: false,
            deleted: false,
            given_back: false,
            broken: BTreeSet::new(),
            broken_primary: BTreeSet::new(),
            answers: BTreeMap::new(),
            ready_after_ms,
            deadline_ms,
            leave_after_ms,
        }
    }

    pub fn target_mut(&mut self) -> &mut Workload {
        self.target.as_mut().expect("there is a target")
    }

    pub fn primary_mut(&mut self) -> &mut Workload {
        self.primary.as_mut().expect("there is a primary")
    }

    pub fn push(&mut self, revision: Revision, now: Millis) {
        let ready_at = self.ready_at(&revision, false, now);
        self.target_mut().roll(&revision, ready_at, now);
    }

    pub fn create(&mut self, revision: Revision, now: Millis) {
        let ready_at = self.ready_at(&revision, false, now);
        self.target = Some(Workload {
            revision,
            replicas: WANTED,
            ready_at,
            since: now,
            crashed: false,
            covered: false,
            leaving_until: Millis(0),
        });
    }

    /// The image of the target cannot be pulled, from the start.
    pub fn break_first(&mut self) {
        let target = self.target_mut();
        (target.ready_at, target.crashed) = (Millis(u64::MAX), true);
        let revision = target.revision.clone();
        self.broken.insert(revision.clone());
        self.broken_primary.insert(revision);
    }

    /// Moves every time by so many milliseconds, as when the clock is set.
    pub fn shift(&mut self, by_ms: i64) {
        for workload in self.target.iter_mut().chain(&mut self.primary).chain(&mut self.former) {
            for time in [&mut workload.ready_at, &mut workload.since, &mut workload.leaving_until] {
                *time = Millis(time.0.saturating_add_signed(by_ms));
            }
        }
    }

    pub fn answer(&mut self, name: &str, text: &str) {
        self.answers.insert(name.to_owned(), text.to_owned());
    }

    pub fn fix_primary(&mut self, now: Millis) {
        self.broken_primary.clear();
        if let Some(primary) = &mut self.primary {
            primary.ready_at = now;
        }
    }

    /// Another target: its pods run already, its primary is still to be made, and the Services still select the former.
    pub fn retarget(&mut self, now: Millis) {
        self.former = self.primary.take();
        (self.leftovers, self.backends, self.apex) = (true, false, false);
        if let Some(target) = &mut self.target {
            (target.replicas, target.ready_at, target.crashed) = (WANTED, now, false);
            target.revision = Revision::new("other");
        }
    }

    /// Another router: its route is still to be written.
    pub fn reroute(&mut self) {
        (self.leftovers, self.routes) = (true, None);
    }

    pub fn route(&mut self, canary: Weight) {
        self.routes = Some(Routes::split(canary));
    }

    /// When pods of a revision that start now are ready.
    pub fn ready_at(&self, revision: &Revision, primary: bool, now: Millis) -> Millis {
        let never = self.broken.contains(revision) || primary && self.broken_primary.contains(revision);
        if never { Millis(u64::MAX) } else { now.plus(self.ready_after_ms) }
    }

    /// When something changes by itself after `now`.
    pub fn next_change(&self, now: Millis) -> Option<Millis> {
        let times = |w: &Workload| [w.ready_at, w.since.plus(self.deadline_ms), w.leaving_until];
        self.target.iter().chain(&self.primary).flat_map(times).filter(|t| *t > now && t.0 < u64::MAX).min()
    }

    pub fn ask(&self, name: &str) -> Answer {
        match self.answers.get(name).map(String::as_str) {
            None | Some("" | "ok") => Answer::Passed,
            Some(text) => Answer::Failed(text.to_owned()),
        }
    }

    pub fn seen(&self, now: Millis) -> Observed {
        let addresses = |workload: &Option<Workload>| match workload {
            _ if self.former_is_selected() => Known::Present(WANTED),
            _ if !self.backends => Known::Absent,
            Some(w) if w.serves(now) => Known::Present(w.replicas),
            _ => Known::Present(0),
        };
        let canary = if self.hidden { Known::Present(0) } else { addresses(&self.target) };
        let unlike = if self.services_deleted { SyncState::Missing } else { SyncState::OutOfSync };
        Observed {
            target: self.pods(&self.target, now, "canary deployment podinfo.test"),
            primary: self.pods(&self.primary, now, "podinfo-primary.test"),
            backends: if self.backends { SyncState::InSync } else { unlike.clone() },
            apex: if self.apex { SyncState::InSync } else { unlike },
            configs: if self.copies { SyncState::InSync } else { SyncState::OutOfSync },
            scaler: match &self.scaler {
                Ok(fits) => {
                    if *fits {
                        SyncState::InSync
                    } else {
                        SyncState::OutOfSync
                    }
                }
                Err(text) => SyncState::Invalid(text.clone()),
            },
            target_scaler: self.target_scaler,
            acceptance: self.acceptance.clone(),
            unroutable: self.unreadable.then(|| "the route names no backend".to_owned()),
            routes: match self.routes {
                _ if self.unreadable => LiveRoutes::Invalid("the route names no backend".to_owned()),
                None => LiveRoutes::Absent,
                Some(routes) => LiveRoutes::Present { routes, in_sync: true },
            },
            primary_addresses: if self.primary_hidden { Known::Absent } else { addresses(&self.primary) },
            canary_addresses: canary,
            former: self.former.as_ref().map(|_| match self.former_is_selected() && !self.apex {
                true => SyncState::InSync,
                false if self.services_deleted => SyncState::Missing,
                false => SyncState::OutOfSync,
            }),
            leftovers: if self.leftovers { SyncState::OutOfSync } else { SyncState::InSync },
            route: None,
            selector: BTreeMap::from([("app".to_owned(), "podinfo".to_owned())]),
            deleted: self.deleted,
            reverted: match &self.target {
                Some(target) if target.replicas < WANTED => SyncState::OutOfSync,
                _ if self.target_scaler == TargetScaler::Rests => SyncState::OutOfSync,
                _ => SyncState::InSync,
            },
            traffic: if self.given_back { SyncState::InSync } else { SyncState::OutOfSync },
            since: Millis(0),
        }
    }

    /// The Services select the primary of the earlier binding.
    fn former_is_selected(&self) -> bool {
        !self.backends && !self.services_deleted && self.former.is_some()
    }

    fn pods(&self, workload: &Option<Workload>, now: Millis, who: &str) -> Known<Pods> {
        let Some(w) = workload else { return Known::Absent };
        let text = format!(
            "{who} not ready: waiting for rollout to finish: 0 of {WANTED} (readyThreshold 100%) updated replicas are \
             available"
        );
        let readiness = if w.replicas == 0 {
            Readiness::Waiting(text)
        } else if w.ready(now) {
            Readiness::Ready
        } else if !w.crashed && now.since(w.since) >= self.deadline_ms {
            let name = who.trim_start_matches("canary deployment ").trim_end_matches(".test");
            Readiness::Failed(format!(
                "{who} not ready: deployment \"{name}\" exceeded its progress deadline"
            ))
        } else {
            Readiness::Waiting(text)
        };
        let primary = who.contains("-primary");
        Known::Present(Pods {
            revision: Some(w.revision.clone()),
            replicas: w.replicas,
            available: match () {
                () if w.leaves(now) => WANTED,
                () if w.serves(now) => w.replicas,
                () => 0,
            },
            readiness,
            owner_conflict: self.foreign.clone().filter(|_| primary),
            edited: primary && self.edited,
        })
    }
}
