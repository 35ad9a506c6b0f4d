//! The router: what of the generated route is special to APISIX.

use serde_json::Value;
use vexil_api::{Canary, Defect, ObjectReference};
use vexil_object::meta;
use vexil_routing::{
    Capabilities, GeneratedRoute, Provider, QuerySet, RouteContext, RouteError, RouteRequest, Routes, Source,
    SourceKind,
};

use crate::{queries::QUERIES, read, render, source::ROUTE_SOURCE};

/// Routes traffic with a copy of the user's ApisixRoute.
#[derive(Clone, Copy, Debug, Default)]
pub struct Apisix;

impl Provider for Apisix {
    fn name(&self) -> &'static str {
        "apisix"
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, ..Capabilities::default() }
    }

    fn reference(&self) -> Option<ObjectReference> {
        Some(ROUTE_SOURCE.reference)
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&QUERIES)
    }

    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        ROUTE_SOURCE.defect(&canary.spec).into_iter().collect()
    }
}

impl GeneratedRoute for Apisix {
    fn product(&self) -> &'static str {
        "APISIX's ingress controller"
    }

    fn source_kind(&self) -> &'static SourceKind {
        &ROUTE_SOURCE
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        read::routes(route, live)
    }

    fn followed(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        source: &Source<'_>,
        mut object: Value,
    ) -> Result<Value, RouteError> {
        meta::set(&mut object, &["spec"], render::spec(route.target, want, source)?);
        Ok(object)
    }

    fn reweighted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        object: Value,
    ) -> Result<Value, RouteError> {
        render::weighted(route, want, object)
    }
}
