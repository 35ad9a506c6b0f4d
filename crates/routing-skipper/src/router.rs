//! The router: what of the generated Ingress is special to Skipper.

use serde_json::Value;
use vexil_api::{Canary, Defect, ObjectReference};
use vexil_object::meta;
use vexil_routing::{
    Capabilities, GeneratedRoute, INGRESS_SOURCE, Provider, QuerySet, RouteContext, RouteError, RouteRequest,
    Routes, Side, Source, SourceKind, ingress_sides, mark,
};

use crate::{annotations, queries::QUERIES};

const SIDES: [Side; 2] = [Side::Primary, Side::Canary];

/// Routes traffic with a second Ingress beside the user's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Skipper;

impl Provider for Skipper {
    fn name(&self) -> &'static str {
        "skipper"
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, ..Capabilities::default() }
    }

    fn reference(&self) -> Option<ObjectReference> {
        Some(INGRESS_SOURCE.reference)
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&QUERIES)
    }

    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        INGRESS_SOURCE.defect(&canary.spec).into_iter().collect()
    }
}

impl GeneratedRoute for Skipper {
    fn product(&self) -> &'static str {
        "Skipper"
    }

    fn source_kind(&self) -> &'static SourceKind {
        &INGRESS_SOURCE
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        let found = ingress_sides(route, live)?;
        if found.chunks(2).any(|pair| pair != SIDES) {
            let problem = "has a path without an entry for each of our Services";
            return Err(RouteError::edited(&route.key, "spec.rules", problem));
        }
        annotations::routes(route, live)
    }

    fn followed(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        source: &Source<'_>,
        mut object: Value,
    ) -> Result<Value, RouteError> {
        let spec = source.ingress_spec(route.target, &SIDES, None)?;
        meta::set(&mut object, &["spec"], spec);
        annotations::write(route, &mut object, want.weight(Side::Canary), Some(source.live));
        mark(&mut object);
        Ok(object)
    }

    fn reweighted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        mut object: Value,
    ) -> Result<Value, RouteError> {
        annotations::write(route, &mut object, want.weight(Side::Canary), None);
        Ok(object)
    }
}
