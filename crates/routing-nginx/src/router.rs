//! The router: what of the generated Ingress is special to ingress-nginx.

use serde_json::Value;
use vexil_api::{Canary, Defect, ObjectReference};
use vexil_object::meta;
use vexil_routing::{
    Capabilities, GeneratedRoute, INGRESS_SOURCE, Provider, QuerySet, RouteContext, RouteError, RouteRequest,
    Routes, Side, Source, SourceKind, ingress_sides, mark,
};

use crate::{annotations, matches, queries::QUERIES};

/// Routes traffic with a canary of the user's Ingress.
#[derive(Clone, Debug)]
pub struct Nginx {
    prefix: String,
}

impl Nginx {
    /// The prefix of annotations that ingress-nginx reads unless it is started with another one.
    pub const PREFIX: &'static str = "nginx.ingress.kubernetes.io";

    /// A router for an ingress-nginx that reads annotations with this prefix, such as [`Nginx::PREFIX`].
    pub fn new(prefix: impl Into<String>) -> Self {
        Nginx { prefix: prefix.into() }
    }
}

impl Default for Nginx {
    fn default() -> Self {
        Nginx::new(Nginx::PREFIX)
    }
}

impl Provider for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, matches: true, ..Capabilities::default() }
    }

    fn reference(&self) -> Option<ObjectReference> {
        Some(INGRESS_SOURCE.reference)
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&QUERIES)
    }

    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        let spec = &canary.spec;
        INGRESS_SOURCE.defect(spec).into_iter().chain(matches::defects(spec)).collect()
    }
}

impl GeneratedRoute for Nginx {
    fn product(&self) -> &'static str {
        "ingress-nginx"
    }

    fn source_kind(&self) -> &'static SourceKind {
        &INGRESS_SOURCE
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        if ingress_sides(route, live)?.contains(&Side::Primary) {
            return Err(RouteError::edited(&route.key, "spec.rules", "has a path that leads to the primary"));
        }
        annotations::routes(&self.prefix, route, live)
    }

    fn followed(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        source: &Source<'_>,
        mut object: Value,
    ) -> Result<Value, RouteError> {
        let spec = source.ingress_spec(route.target, &[Side::Canary], Some(Side::Canary))?;
        meta::set(&mut object, &["spec"], spec);
        annotations::write(&self.prefix, &mut object, route.target, want, Some(source.live));
        mark(&mut object);
        Ok(object)
    }

    fn reweighted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        mut object: Value,
    ) -> Result<Value, RouteError> {
        annotations::write(&self.prefix, &mut object, route.target, want, None);
        Ok(object)
    }
}
