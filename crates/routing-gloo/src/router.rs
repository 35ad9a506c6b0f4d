//! The router: the RouteTable of a Canary, its Upstreams, and whose they are.

use serde_json::Value;
use vexil_api::{Canary, Defect, ObjectReference};
use vexil_object::{Kind, ObjectKey, Objects};
use vexil_routing::{
    Capabilities, Claim, Companion, Provider, QuerySet, RouteContext, RouteError, RouteObject, RouteRequest,
    RouteTarget, Routes, declare, mark,
};

use crate::{matchers, queries::QUERIES, routes, upstreams};

const ROUTE_TABLE: Kind = Kind::namespaced("gateway.solo.io", "v1", "RouteTable", "routetables");

/// Routes traffic with the RouteTable that has the name of the apex.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gloo;

impl Provider for Gloo {
    fn name(&self) -> &'static str {
        "gloo"
    }

    /// A word behind a colon has no meaning, and Flagger takes it.
    fn serves(&self, provider: &str) -> bool {
        provider.split(':').next() == Some(self.name())
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, matches: true, needs_port: true, ..Capabilities::default() }
    }

    fn reference(&self) -> Option<ObjectReference> {
        Some(ObjectReference::Upstream)
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&QUERIES)
    }

    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        matchers::defects(&canary.spec)
    }
}

impl RouteObject for Gloo {
    fn product(&self) -> &'static str {
        "Gloo"
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![ROUTE_TABLE]
    }

    fn sources(&self, route: &RouteContext<'_>) -> Vec<ObjectKey> {
        upstreams::source(route.target).into_iter().collect()
    }

    fn companions(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<Companion> {
        upstreams::wanted(target, have)
    }

    fn claim<'a>(&self, route: &RouteContext<'a>) -> Result<Claim<'a>, RouteError> {
        let claim = Claim::exclusive(&route.key, route.target.owner, route.have)?;
        upstreams::check_source(route.target, route.have)?;
        Ok(claim)
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        routes::read(route, live)
    }

    fn owned(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let service = &route.target.spec.service;
        let mut object = routes::written(route, want, live)?;
        declare(&mut object, service.apex.as_ref(), service.unmanaged_metadata.as_ref());
        mark(&mut object);
        Ok(object)
    }

    /// Never asked for: the RouteTable is the Canary's, or is refused.
    fn adopted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        self.owned(route, want, live)
    }

    fn released(&self, _: &RouteContext<'_>, live: &Value) -> Value {
        live.clone()
    }
}
