//! The provider `istio`: the VirtualService of a Canary, as the adapter for routers of one object writes it.

use serde_json::Value;
use vexil_api::{Canary, Defect};
use vexil_object::{Kind, Objects};
use vexil_routing::{
    Capabilities, Companion, OF_ISTIO, Provider, QuerySet, RouteContext, RouteError, RouteObject,
    RouteRequest, RouteTarget, Routes, declare,
};

use crate::{destination_rules, http_route, release, settings, view};

/// Routes traffic with the VirtualService that has the name of the apex.
#[derive(Clone, Copy, Debug, Default)]
pub struct Istio;

impl Provider for Istio {
    fn name(&self) -> &'static str {
        "istio"
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, matches: true, mirror: true, affinity: true, ..Capabilities::default() }
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&OF_ISTIO)
    }

    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        settings::defects(&canary.spec)
    }
}

impl RouteObject for Istio {
    fn product(&self) -> &'static str {
        "Istio"
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![Kind::namespaced("networking.istio.io", "v1beta1", "VirtualService", "virtualservices")]
    }

    fn companions(&self, target: &RouteTarget<'_>, _: &Objects) -> Vec<Companion> {
        destination_rules::wanted(target)
    }

    fn check_adopted(&self, route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
        view::usable(route, live)
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        http_route::read(route, live)
    }

    fn owned(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let service = &route.target.spec.service;
        let mut object = live.clone();
        declare(&mut object, service.apex.as_ref(), service.unmanaged_metadata.as_ref());
        settings::hosts_and_gateways(route.target, &mut object);
        http_route::write(route, want, live, &mut object)?;
        Ok(object)
    }

    fn adopted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let mut object = live.clone();
        http_route::write(route, want, live, &mut object)?;
        Ok(object)
    }

    fn released(&self, route: &RouteContext<'_>, live: &Value) -> Value {
        release::released(route, live)
    }
}
