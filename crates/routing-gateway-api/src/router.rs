//! The router: which kind of route a Canary has, and who owns it.

use serde_json::Value;
use vexil_api::{Canary, Defect};
use vexil_object::{Kind, ObjectKey, kinds};
use vexil_routing::{
    Acceptance, Capabilities, OF_PODS, Provider, QuerySet, RouteContext, RouteError, RouteObject,
    RouteRequest, RouteTarget, Routes, declare, mark, unmark,
};

use crate::{
    acceptance, conditions,
    kinds::{GRPC, HTTP, HTTP_BETA},
    release, render, rules, service,
};

/// Routes traffic with an HTTPRoute or a GRPCRoute.
#[derive(Clone, Copy, Debug, Default)]
pub struct GatewayApi;

impl Provider for GatewayApi {
    fn name(&self) -> &'static str {
        "gatewayapi:v1"
    }

    /// Flagger takes any name that begins like this for the version.
    fn serves(&self, provider: &str) -> bool {
        provider == "gatewayapi" || provider.starts_with("gatewayapi:v1")
    }

    fn supports(&self) -> Capabilities {
        Capabilities {
            weights: true,
            matches: true,
            mirror: true,
            affinity: true,
            needs_port: true,
            ..Capabilities::default()
        }
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&OF_PODS)
    }

    /// Definitions say which versions are served, and older ones have no field for the share that is mirrored.
    fn forms(&self) -> Vec<Kind> {
        vec![HTTP, GRPC]
    }

    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        conditions::defects(&canary.spec)
    }
}

impl RouteObject for GatewayApi {
    fn product(&self) -> &'static str {
        "the Gateway API"
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![HTTP, HTTP_BETA, GRPC]
    }

    fn kinds_for(&self, target: &RouteTarget<'_>) -> Vec<Kind> {
        let protocol = target.spec.service.app_protocol.as_deref().unwrap_or_default();
        if protocol.eq_ignore_ascii_case("grpc") {
            vec![GRPC, HTTP, HTTP_BETA]
        } else {
            vec![HTTP, HTTP_BETA]
        }
    }

    fn follows_existing(&self) -> bool {
        true
    }

    fn acceptance(&self, route: &RouteContext<'_>, live: &Value) -> Acceptance {
        acceptance::of(&route.key, live)
    }

    fn check_adopted(&self, route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
        rules::has_place(route, live)
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        rules::routes(route, live)
    }

    fn created(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        bare: Value,
    ) -> Result<Value, RouteError> {
        if route.target.spec.service.gateway_refs.is_empty() {
            let canary = ObjectKey::new(kinds::CANARY, route.target.namespace, &route.target.owner.name);
            let problem = format!(
                "names no parent for a new route: GatewayRefs must be specified when using Gateway API as a provider; \
                 name them, or create {} yourself",
                route.key
            );
            return Err(RouteError::malformed(&canary, "spec.service.gatewayRefs", problem));
        }
        self.owned(route, want, &bare)
    }

    fn owned(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let service = &route.target.spec.service;
        let mut object = render::written(route, want, live)?;
        declare(&mut object, service.apex.as_ref(), service.unmanaged_metadata.as_ref());
        service::place(route, &mut object);
        mark(&mut object);
        Ok(object)
    }

    fn adopted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let mut object = render::written(route, want, live)?;
        mark(&mut object);
        Ok(object)
    }

    fn released(&self, route: &RouteContext<'_>, live: &Value) -> Value {
        let mut object = release::released(route, live).unwrap_or_else(|_| live.clone());
        unmark(&mut object, |_| false);
        object
    }
}
