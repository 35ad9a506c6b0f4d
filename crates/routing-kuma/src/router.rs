//! The router: which kind is written, who owns the object, and how routes without an owner are found.

use serde_json::Value;
use vexil_api::{Canary, Defect};
use vexil_object::{Change, Kind, ObjectKey, Seen};
use vexil_routing::{
    Capabilities, Claim, Provider, QuerySet, RouteContext, RouteError, RouteObject, RouteRequest,
    RouteTarget, Routes, Unowned, agreed,
};

use crate::{
    api::{Api, MESH, mesh_defect},
    claim,
    queries::QUERIES,
    render, view,
};

/// Routes traffic with a TrafficRoute or a MeshHTTPRoute.
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

    /// Sets the namespace of Kuma's control plane when it is not `kuma-system`. A MeshHTTPRoute in another namespace
    /// applies only to the proxies there.
    #[must_use]
    pub fn with_system_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.system_namespace = namespace.into();
        self
    }
}

impl Provider for Kuma {
    fn name(&self) -> &'static str {
        "kuma"
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, needs_port: true, ..Capabilities::default() }
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&QUERIES)
    }

    fn annotations(&self) -> &'static [&'static str] {
        &[MESH]
    }

    fn forms(&self) -> Vec<Kind> {
        vec![Api::MeshHttpRoute.kind()]
    }

    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        let annotations = canary.metadata.annotations.as_ref();
        annotations.and_then(mesh_defect).into_iter().collect()
    }

    fn unowned(&self) -> Option<&dyn Unowned> {
        Some(self)
    }
}

impl RouteObject for Kuma {
    fn product(&self) -> &'static str {
        "Kuma"
    }

    fn kinds(&self) -> Vec<Kind> {
        self.apis.iter().map(|api| api.kind()).collect()
    }

    fn key(&self, target: &RouteTarget<'_>, kind: Kind) -> Result<ObjectKey, RouteError> {
        Ok(Api::of_kind(kind).key(target, &self.system_namespace))
    }

    fn claim<'a>(&self, route: &RouteContext<'a>) -> Result<Claim<'a>, RouteError> {
        claim::claim(route)
    }

    fn check_owned(&self, route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
        view::lists(route, live)?;
        match view::drift(route, live).first() {
            Some((path, problem)) => Err(RouteError::edited(&route.key, *path, *problem)),
            None => Ok(()),
        }
    }

    fn check_adopted(&self, route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
        view::usable(route, live)?;
        view::has_place(route, live)
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        agreed(&view::lists(route, live)?, Value::as_i64)?.ok_or_else(|| {
            RouteError::edited(&route.key, view::TO, "has no rule that sends traffic to our Services")
        })
    }

    fn owned(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        render::owned(route, want, live)
    }

    fn adopted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        render::adopted(route, want, live)
    }

    fn released(&self, route: &RouteContext<'_>, live: &Value) -> Value {
        render::released(route, live)
    }
}

impl Unowned for Kuma {
    fn kinds(&self) -> Vec<Kind> {
        RouteObject::kinds(self)
    }

    fn made_for(&self, route: &Value) -> Option<ObjectKey> {
        claim::canary_of(route)
    }

    fn abandoned(&self, key: &ObjectKey, route: &Value, canary: &Seen) -> Option<Change> {
        claim::abandoned(key, route, canary)
    }
}
