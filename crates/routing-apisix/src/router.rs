//! The router: which objects it reads, who owns the generated route, and what happens without the user's route.

use serde_json::Value;
use vexil_api::{Canary, Defect};
use vexil_object::{Kind, ObjectKey};
use vexil_routing::{
    Capabilities, Claim, Provider, QuerySet, RouteContext, RouteError, RouteObject, RouteRequest,
    RouteTarget, Routes, followed_or_reduced, labelled,
};

use crate::{
    queries::QUERIES,
    read, render,
    source::{ROUTE, Source, generated, names, source},
};

/// Routes traffic with a copy of the user's ApisixRoute.
#[derive(Clone, Copy, Debug, Default)]
pub struct Apisix;

impl Provider for Apisix {
    fn name(&self) -> &'static str {
        "apisix"
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, needs_port: true, ..Capabilities::default() }
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&QUERIES)
    }

    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        let spec = &canary.spec;
        // A reference without a name is a defect with any provider.
        let nameless = spec.route_ref.as_ref().is_some_and(|reference| reference.name.is_empty());
        let defect = names(spec, spec.apex_name()).err().filter(|_| !nameless);
        defect.into_iter().collect()
    }
}

impl RouteObject for Apisix {
    fn product(&self) -> &'static str {
        "APISIX's ingress controller"
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![ROUTE]
    }

    fn key(&self, target: &RouteTarget<'_>, _: Kind) -> Result<ObjectKey, RouteError> {
        generated(target)
    }

    fn sources(&self, route: &RouteContext<'_>) -> Vec<ObjectKey> {
        source(route.target).into_iter().collect()
    }

    fn claim<'a>(&self, route: &RouteContext<'a>) -> Result<Claim<'a>, RouteError> {
        Claim::exclusive(&route.key, route.target.owner, route.have)
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        read::routes(route, live)
    }

    /// A new one has the user's labels and annotations.
    fn created(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        bare: Value,
    ) -> Result<Value, RouteError> {
        let source = Source::of(route)?;
        render::owned(route, want, &source, &labelled(source.live, bare))
    }

    /// Without the user's route only the canary's weight can be reduced.
    fn owned(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let followed = Source::of(route).and_then(|source| render::owned(route, want, &source, live));
        let reduced = || render::weighted(route, want, live);
        followed_or_reduced(followed, read::routes(route, live), want, reduced)
    }

    fn adopted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        self.owned(route, want, live)
    }

    /// The user's route was only read, and the generated one is deleted with its Canary.
    fn released(&self, _: &RouteContext<'_>, live: &Value) -> Value {
        live.clone()
    }
}
