//! The routers: which providers each of them serves, whose the split is, and then reading and rendering.

use vexil_object::{Change, ObjectKey, Objects, Seen};
use vexil_routing::{Capabilities, Claim, QuerySet, RouteError, RouteTarget, Router, Routes};

use crate::{
    provider::{Mesh, Version, parse},
    split::Split,
};

/// Splits traffic with the TrafficSplit that is named as the apex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Smi {
    version: Version,
    mesh: Mesh,
}

impl Smi {
    /// A router for each version, with Istio's adapter behind it and without.
    pub fn all() -> [Smi; 6] {
        let [first, second, third] =
            Version::ALL.map(|version| [Mesh::Istio, Mesh::Other].map(|mesh| Smi { version, mesh }));
        let ([a, b], [c, d], [e, f]) = (first, second, third);
        [a, b, c, d, e, f]
    }

    /// The router that serves a provider: `smi:istio`, `smi:v1alpha2`. `None` for a name that is none of ours.
    pub fn for_provider(provider: &str) -> Option<Self> {
        parse(provider).map(|(version, mesh)| Smi { version, mesh })
    }

    fn split<'a>(&self, target: &'a RouteTarget<'a>) -> Split<'a> {
        Split { version: self.version, mesh: self.mesh, target }
    }

    fn key(&self, target: &RouteTarget<'_>) -> ObjectKey {
        ObjectKey::new(self.version.kind(), target.namespace, target.apex)
    }

    fn claim<'a>(
        &self,
        key: &ObjectKey,
        target: &RouteTarget<'_>,
        have: &'a Objects,
    ) -> Result<Claim<'a>, RouteError> {
        let kind = key.kind();
        let definition = kind.definition();
        match have.get(&definition) {
            Seen::Present(_) => Claim::of(key, target.owner, have),
            Seen::NotKnown => Err(RouteError::NotKnown { object: definition.to_string() }),
            Seen::Absent => {
                let kinds = format!("{} of {}", kind.kind, kind.api_version());
                Err(RouteError::NotServed { kinds, product: "the Service Mesh Interface" })
            }
        }
    }
}

impl Router for Smi {
    fn name(&self) -> &'static str {
        match (self.version, self.mesh) {
            (Version::V1Alpha1, Mesh::Istio) => "smi:istio",
            (Version::V1Alpha1, Mesh::Other) => "smi:v1alpha1",
            (Version::V1Alpha2, Mesh::Istio) => "smi:v1alpha2:istio",
            (Version::V1Alpha2, Mesh::Other) => "smi:v1alpha2",
            (Version::V1Alpha3, Mesh::Istio) => "smi:v1alpha3:istio",
            (Version::V1Alpha3, Mesh::Other) => "smi:v1alpha3",
        }
    }

    fn serves(&self, provider: &str) -> bool {
        Smi::for_provider(provider) == Some(*self)
    }

    fn needs(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<ObjectKey> {
        let mut needs = vec![self.version.kind().definition(), self.key(target)];
        needs.retain(|key| !have.has(key));
        needs
    }

    fn route(&self, target: &RouteTarget<'_>, _: &Objects) -> Option<ObjectKey> {
        Some(self.key(target))
    }

    fn read(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Routes, RouteError> {
        let key = self.key(target);
        match self.claim(&key, target, have)? {
            Claim::Absent => Err(RouteError::Absent { object: key.to_string() }),
            Claim::Ours(live) => self.split(target).read(&key, live),
            Claim::Unclaimed(live) => {
                self.split(target).all_named(&key, live)?;
                self.split(target).read(&key, live)
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
        let (key, split) = (self.key(target), self.split(target));
        let change = match self.claim(&key, target, have)? {
            Claim::Absent => {
                let object = split.created(&key, want)?;
                Some(Change::create(key, object))
            }
            Claim::Ours(live) => {
                let object = split.owned(&key, want, live)?;
                Change::between(key, live, &object)
            }
            Claim::Unclaimed(live) => {
                split.all_named(&key, live)?;
                let object = split.adopted(&key, want, live)?;
                Change::between(key, live, &object)
            }
        };
        Ok(Vec::from_iter(change))
    }

    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError> {
        let key = self.key(target);
        match self.claim(&key, target, have) {
            Ok(Claim::Unclaimed(live)) => {
                let object = self.split(target).released(&key, live);
                Ok(Vec::from_iter(object.and_then(|object| Change::between(key, live, &object))))
            }
            Err(error @ RouteError::NotKnown { .. }) => Err(error),
            _ => Ok(Vec::new()),
        }
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, ..Capabilities::default() }
    }

    fn queries(&self) -> QuerySet {
        QuerySet("istio")
    }
}
