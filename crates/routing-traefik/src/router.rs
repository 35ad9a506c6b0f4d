//! The router: which API group it is, whose the object is, and then reading and rendering.

use vexil_object::{Change, Kind, ObjectKey, Objects, Seen};
use vexil_routing::{Capabilities, Claim, QuerySet, RouteError, RouteTarget, Router, Routes};

use crate::{read, render, view::View};

/// The two names under which Traefik has published its API. The older one was removed in Traefik 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// `traefik.io`, since Traefik 2.10.
    Io,
    /// `traefik.containo.us`, up to Traefik 2.
    Containo,
}

impl Group {
    /// The kind as this group has it.
    pub const fn kind(self) -> Kind {
        let group = match self {
            Group::Io => "traefik.io",
            Group::Containo => "traefik.containo.us",
        };
        Kind::namespaced(group, "v1alpha1", "TraefikService", "traefikservices")
    }
}

/// Splits traffic with the TraefikService that is named as the apex.
#[derive(Clone, Debug)]
pub struct Traefik {
    groups: Vec<Group>,
}

impl Traefik {
    /// A router that writes to `forced`, or else to the newest group that the cluster serves.
    pub fn new(forced: Option<Group>) -> Self {
        Traefik { groups: forced.map_or_else(|| vec![Group::Io, Group::Containo], |group| vec![group]) }
    }

    fn key(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<ObjectKey, RouteError> {
        for kind in target.preferred(self.groups.clone(), |group| group.kind()).into_iter().map(Group::kind) {
            let definition = kind.definition();
            match have.get(&definition) {
                Seen::Present(_) => return Ok(ObjectKey::new(kind, target.namespace, target.apex)),
                Seen::Absent => {}
                Seen::NotKnown => return Err(RouteError::NotKnown { object: definition.to_string() }),
            }
        }
        let names: Vec<_> = self.groups.iter().map(|group| group.kind().api_version()).collect();
        Err(RouteError::NotServed {
            kinds: format!("TraefikService of {}", names.join(" or ")),
            product: "Traefik",
        })
    }
}

impl Router for Traefik {
    fn name(&self) -> &'static str {
        "traefik"
    }

    fn needs(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<ObjectKey> {
        let mut needs: Vec<_> = self.groups.iter().map(|group| group.kind().definition()).collect();
        needs.retain(|key| !have.has(key));
        if needs.is_empty() {
            needs.extend(self.key(target, have).ok().filter(|key| !have.has(key)));
        }
        needs
    }

    fn route(&self, target: &RouteTarget<'_>, have: &Objects) -> Option<ObjectKey> {
        self.key(target, have).ok()
    }

    fn read(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Routes, RouteError> {
        let key = self.key(target, have)?;
        match Claim::of(&key, target.owner, have)? {
            Claim::Absent => Err(RouteError::Absent { object: key.to_string() }),
            Claim::Ours(live) => read::routes(&View::of(&key, target, live)?),
            Claim::Unclaimed(live) => {
                let view = View::of(&key, target, live)?;
                view.all_named()?;
                read::routes(&view)
            }
        }
    }

    fn render(
        &self,
        target: &RouteTarget<'_>,
        want: &Routes,
        have: &Objects,
    ) -> Result<Vec<Change>, RouteError> {
        if want.mirror() {
            return Err(RouteError::Unsupported { router: self.name(), what: "mirroring" });
        }
        let key = self.key(target, have)?;
        let change = match Claim::of(&key, target.owner, have)? {
            Claim::Absent => {
                let object = render::created(&key, target, want)?;
                Some(Change::create(key, object))
            }
            Claim::Ours(live) => {
                let object = render::owned(&key, target, want, live)?;
                Change::between(key, live, &object)
            }
            Claim::Unclaimed(live) => {
                View::of(&key, target, live)?.all_named()?;
                let object = render::adopted(&key, target, want, live)?;
                Change::between(key, live, &object)
            }
        };
        Ok(Vec::from_iter(change))
    }

    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError> {
        let claim = self.key(target, have).and_then(|key| Ok((Claim::of(&key, target.owner, have)?, key)));
        match claim {
            Ok((Claim::Unclaimed(live), key)) => {
                Ok(Vec::from_iter(Change::between(key, live, &render::released(target, live))))
            }
            Ok((Claim::Absent | Claim::Ours(_), _)) => Ok(Vec::new()),
            Err(RouteError::Foreign { .. } | RouteError::NotServed { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, ..Capabilities::default() }
    }

    fn queries(&self) -> QuerySet {
        QuerySet("traefik")
    }
}
