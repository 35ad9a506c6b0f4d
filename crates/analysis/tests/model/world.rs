//! The world of the exhaustive check: as small as it can be while every order of events is still possible.

use vexil_analysis::{
    Acceptance, Effect, Exposure, Known, LiveRoutes, Observed, Routes, SyncState, TargetScaler, Weight,
};

use super::binding::Aside;
pub use super::workload::{Pods, Rev, Side, Workload};

/// What a write goes to, and what a cache can be late with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    Target,
    Primary,
    Backends,
    Apex,
    Scaler,
    Routes,
    /// Never written by us.
    Addresses,
    /// What an earlier binding left.
    Leftovers,
    /// Apex and routes that are given back.
    Traffic,
    /// The Canary itself.
    Status,
}

impl Object {
    pub fn of(effect: &Effect) -> Object {
        match effect {
            Effect::Backends | Effect::Restore => Object::Backends,
            Effect::CreatePrimary(_) | Effect::Promote(_) | Effect::Configs => Object::Primary,
            Effect::Apex => Object::Apex,
            Effect::Scaler => Object::Scaler,
            Effect::Route(_) => Object::Routes,
            Effect::ScaleUp | Effect::ScaleToZero | Effect::RevertTarget => Object::Target,
            Effect::Release => Object::Leftovers,
            Effect::ReleaseTraffic => Object::Traffic,
        }
    }

    /// Puts what `from` says of this object into `into`.
    pub fn copy(self, from: &Observed, into: &mut Observed) {
        match self {
            Object::Target => {
                into.target = from.target.clone();
                into.reverted = from.reverted.clone();
            }
            Object::Primary => {
                into.primary = from.primary.clone();
                into.configs = from.configs.clone();
            }
            Object::Backends => {
                into.backends = from.backends.clone();
                into.former = from.former.clone();
            }
            Object::Apex => into.apex = from.apex.clone(),
            Object::Scaler => into.scaler = from.scaler.clone(),
            Object::Routes => into.routes = from.routes.clone(),
            Object::Addresses => {
                into.primary_addresses = from.primary_addresses.clone();
                into.canary_addresses = from.canary_addresses.clone();
            }
            Object::Leftovers => into.leftovers = from.leftovers.clone(),
            Object::Traffic => into.traffic = from.traffic.clone(),
            Object::Status => {}
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub target: Option<Workload>,
    pub primary: Option<Workload>,
    pub backends: bool,
    pub apex: bool,
    pub scaler: bool,
    /// The primary's copies of ConfigMaps and Secrets are those of the target as it is.
    pub configs: bool,
    /// The canary's share in percent.
    pub routes: Option<u8>,
    /// Which requests that is about.
    pub exposure: Exposure,
    /// What the binding that is not in force has, or had.
    pub aside: Aside,
    /// The primary's owner reference is gone.
    pub disowned: bool,
    /// Someone else edited the primary.
    pub edited: bool,
    /// The Canary is being deleted, with `revertOnDeletion`.
    pub deleted: bool,
    /// Apex and routes lead to the target again.
    pub given_back: bool,
    /// The pods of this revision never become ready.
    pub broken: Option<Rev>,
    /// The route is not as a router can read it.
    pub unreadable: bool,
    /// Pods are counted for a while after a scale-down.
    pub slow: bool,
    /// Writes to this are refused.
    pub refused: Option<Object>,
}

/// What came of an effect.
#[derive(Debug, PartialEq, Eq)]
pub enum Acted {
    Done,
    Moved,
    Refused,
}

impl World {
    /// Before the operator has looked at the Canary.
    pub fn new() -> World {
        let target = Some(Workload::new(Rev::H0, Pods::Ready));
        World {
            target,
            primary: None,
            backends: false,
            apex: false,
            scaler: false,
            configs: true,
            routes: None,
            exposure: Exposure::Share,
            aside: Aside::default(),
            disowned: false,
            edited: false,
            deleted: false,
            given_back: false,
            broken: None,
            unreadable: false,
            slow: false,
            refused: None,
        }
    }

    pub fn seen(&self) -> Observed {
        let addresses = |side: Side| match self.behind(side) {
            _ if !self.has_services() => Known::Absent,
            Some(workload) => Known::Present(u32::from(workload.serves())),
            None => Known::Present(0),
        };
        let pods = |workload: &Option<Workload>| workload.map_or(Known::Absent, |w| Known::Present(w.seen()));
        let mut primary = pods(&self.primary);
        if let Known::Present(pods) = &mut primary {
            pods.owner_conflict = self.disowned.then(|| "is not ours".to_owned());
            pods.edited = self.edited;
        }
        let former = self.aside.primary.is_some_and(|primary| primary.serves());
        let fit = |fits: bool| if fits { SyncState::InSync } else { SyncState::OutOfSync };
        Observed {
            target: pods(&self.target),
            primary,
            backends: fit(self.backends),
            apex: fit(self.apex),
            configs: fit(self.configs),
            scaler: fit(self.scaler),
            acceptance: Acceptance::Accepted,
            unroutable: self.unreadable.then(|| "names no backend".to_owned()),
            target_scaler: TargetScaler::None,
            routes: self.live_routes(),
            primary_addresses: addresses(Side::Primary),
            canary_addresses: addresses(Side::Canary),
            former: former.then(|| match self.has_services() {
                true => fit(self.aside.selected && self.aside.apex),
                false => SyncState::Missing,
            }),
            leftovers: fit(!self.aside.left),
            deleted: self.deleted,
            reverted: fit(self.target.is_none_or(|target| target.scaled)),
            traffic: fit(self.given_back),
            ..Observed::default()
        }
    }

    fn live_routes(&self) -> LiveRoutes {
        if self.unreadable {
            return LiveRoutes::Invalid("names no backend".to_owned());
        }
        let Some(canary) = self.routes else { return LiveRoutes::Absent };
        let routes = match self.exposure {
            Exposure::Share => Routes::split(Weight::clamped(u32::from(canary))),
            Exposure::Matched => Routes::Matched,
            Exposure::Mirrored => Routes::Mirrored { percent: Weight::FULL },
        };
        LiveRoutes::Present { routes, in_sync: true }
    }

    pub fn act(&mut self, effect: &Effect) -> Acted {
        if self.refused == Some(Object::of(effect)) {
            return Acted::Refused;
        }
        match effect {
            Effect::Backends => (self.backends, self.aside.selected) = (true, false),
            Effect::Apex => (self.apex, self.aside.apex) = (true, false),
            Effect::Restore => {
                (self.backends, self.apex) = (false, false);
                (self.aside.selected, self.aside.apex) = (true, true);
            }
            Effect::Scaler => self.scaler = true,
            Effect::Configs => self.configs = true,
            Effect::Release => self.release(),
            Effect::Route(routes) => {
                self.routes = Some(routes.canary().percent());
                self.exposure = Exposure::of(routes);
            }
            Effect::CreatePrimary(expected) => match self.target {
                Some(target) if target.rev.is(expected) => {
                    (self.disowned, self.edited, self.configs) = (false, false, true);
                    self.primary.get_or_insert(Workload::new(target.rev, Pods::Coming));
                }
                _ => return Acted::Moved,
            },
            Effect::Promote(expected) => match (self.target, &mut self.primary) {
                (Some(target), Some(primary)) if target.rev.is(expected) => {
                    primary.roll(target.rev);
                    (self.edited, self.configs) = (false, true);
                }
                _ => return Acted::Moved,
            },
            Effect::ScaleUp | Effect::RevertTarget | Effect::ScaleToZero => {
                let (slow, up) = (self.slow, *effect != Effect::ScaleToZero);
                match &mut self.target {
                    Some(target) if slow && !up => target.leave(),
                    Some(target) => target.scale(up),
                    None => {}
                }
            }
            Effect::ReleaseTraffic => (self.given_back, self.routes) = (true, None),
        }
        Acted::Done
    }

    /// Everything that can become well becomes well.
    pub fn heal(&mut self) {
        (self.refused, self.disowned, self.unreadable) = (None, false, false);
        self.target.iter_mut().for_each(|target| target.leaves = false);
        let broken = self.broken;
        for workload in self.workloads().filter(|workload| Some(workload.rev) != broken) {
            workload.ready();
        }
    }
}
