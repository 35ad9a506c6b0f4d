//! The router: which kind it writes, whose the object is, and then reading and rendering.

use serde_json::Value;
use vexil_api::{Canary, Defect};
use vexil_object::{Change, Kind, ObjectKey, Objects, Seen};
use vexil_routing::{Capabilities, Claim, QuerySet, RouteError, RouteTarget, Router, Routes, Unowned};

use crate::{
    api::{Api, MESH, mesh_defect},
    claim::{self, claim},
    read,
    reference::Form,
    render, view,
};

/// Splits traffic with a TrafficRoute or a MeshHTTPRoute.
#[derive(Clone, Debug)]
pub struct Kuma {
    apis: Vec<Api>,
    system_namespace: String,
}

impl Kuma {
    /// A router that writes `forced`, or else the TrafficRoute where it is served, or else the MeshHTTPRoute.
    pub fn new(forced: Option<Api>) -> Self {
        let apis = forced.map_or_else(|| vec![Api::TrafficRoute, Api::MeshHttpRoute], |api| vec![api]);
        Kuma { apis, system_namespace: "kuma-system".to_owned() }
    }

    /// The namespace that Kuma's control plane runs in, when it is not `kuma-system`. A MeshHTTPRoute that is in
    /// another one concerns only the proxies there.
    #[must_use]
    pub fn with_system_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.system_namespace = namespace.into();
        self
    }

    fn written(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<(Api, ObjectKey), RouteError> {
        self.place(target, have).map(|(api, key, _)| (api, key))
    }

    /// The kind that is served, the route, and the form in which it names Services.
    fn place(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<(Api, ObjectKey, Form), RouteError> {
        for api in target.preferred(self.apis.clone(), |api| api.kind()) {
            let definition = api.kind().definition();
            match have.get(&definition) {
                Seen::Present(found) => {
                    return Ok((api, api.key(target, &self.system_namespace), Form::of(found)));
                }
                Seen::Absent => {}
                Seen::NotKnown => return Err(RouteError::NotKnown { object: definition.to_string() }),
            }
        }
        let names: Vec<_> = self.apis.iter().map(|api| api.kind().kind).collect();
        let kinds = format!("{} of kuma.io/v1alpha1", names.join(" or "));
        Err(RouteError::NotServed { kinds, product: "Kuma" })
    }
}

impl Router for Kuma {
    fn name(&self) -> &'static str {
        "kuma"
    }

    fn needs(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<ObjectKey> {
        let mut needs: Vec<_> = self.apis.iter().map(|api| api.kind().definition()).collect();
        needs.retain(|key| !have.has(key));
        if needs.is_empty() {
            needs.extend(self.written(target, have).ok().map(|(_, key)| key).filter(|key| !have.has(key)));
        }
        needs
    }

    fn route(&self, target: &RouteTarget<'_>, have: &Objects) -> Option<ObjectKey> {
        self.written(target, have).ok().map(|(_, key)| key)
    }

    fn annotations(&self) -> &'static [&'static str] {
        &[MESH]
    }

    fn forms(&self) -> Vec<Kind> {
        vec![Api::MeshHttpRoute.kind()]
    }

    fn read(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Routes, RouteError> {
        let (api, key) = self.written(target, have)?;
        read::routes(api, &key, target, claim(api, &key, target, have)?)
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
        let (api, key, form) = self.place(target, have)?;
        let change = match claim(api, &key, target, have)? {
            Claim::Absent => {
                let object = render::created((api, form), &key, target, want)?;
                Some(Change::create(key, object))
            }
            Claim::Ours(live) => {
                let object = render::owned((api, form), &key, target, want, live)?;
                Change::between(key, live, &object)
            }
            Claim::Unclaimed(live) => {
                view::unusable(api, &key, target, live)?;
                view::has_place(api, &key, target, live)?;
                let object = render::adopted((api, form), &key, target, want, live)?;
                Change::between(key, live, &object)
            }
        };
        Ok(Vec::from_iter(change))
    }

    /// No garbage collector knows of a route that was made for the Canary, so it is deleted.
    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError> {
        let claimed =
            self.written(target, have).and_then(|(api, key)| Ok((claim(api, &key, target, have)?, api, key)));
        let change = match claimed {
            Ok((Claim::Absent, ..)) => None,
            Ok((Claim::Ours(live), _, key)) => Some(Change::delete(key, live)),
            Ok((Claim::Unclaimed(live), api, key)) => match render::released(api, &key, target, live) {
                Ok(object) => Change::between(key, live, &object),
                // Nothing of ours can stand in a list that is none.
                Err(_) => None,
            },
            Err(RouteError::Foreign { .. } | RouteError::NotServed { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Vec::from_iter(change))
    }

    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        let annotations = canary.metadata.annotations.as_ref();
        annotations.and_then(mesh_defect).into_iter().collect()
    }

    fn unowned(&self) -> Option<&dyn Unowned> {
        Some(self)
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, ..Capabilities::default() }
    }

    fn queries(&self) -> QuerySet {
        QuerySet("kuma")
    }
}

impl Unowned for Kuma {
    fn kinds(&self) -> Vec<Kind> {
        self.apis.iter().map(|api| api.kind()).collect()
    }

    fn made_for(&self, route: &Value) -> Option<ObjectKey> {
        claim::canary_of(route)
    }

    fn abandoned(&self, key: &ObjectKey, route: &Value, canary: &Seen) -> Option<Change> {
        claim::abandoned(key, route, canary)
    }
}
