//! The router: which objects it reads, who owns the generated Ingress, and what happens without the user's.

use serde_json::Value;
use vexil_api::{Canary, Defect};
use vexil_object::{Kind, ObjectKey, meta};
use vexil_routing::{
    Capabilities, Claim, INGRESS, IngressSource, Provider, QuerySet, RouteContext, RouteError, RouteObject,
    RouteRequest, RouteTarget, Routes, Side, followed_or_reduced, ingress_names, ingress_sides, labelled,
    mark, untrack,
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
        Capabilities { weights: true, needs_port: true, ..Capabilities::default() }
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&QUERIES)
    }

    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        let spec = &canary.spec;
        // A reference without a name is a defect with any provider.
        let nameless = spec.ingress_ref.as_ref().is_some_and(|reference| reference.name.is_empty());
        ingress_names(spec).err().filter(|_| !nameless).into_iter().collect()
    }
}

impl RouteObject for Skipper {
    fn product(&self) -> &'static str {
        "Skipper"
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![INGRESS]
    }

    fn key(&self, target: &RouteTarget<'_>, _: Kind) -> Result<ObjectKey, RouteError> {
        IngressSource::keys(target).map(|(_, generated)| generated)
    }

    fn sources(&self, route: &RouteContext<'_>) -> Vec<ObjectKey> {
        IngressSource::keys(route.target).map(|(users, _)| users).into_iter().collect()
    }

    fn claim<'a>(&self, route: &RouteContext<'a>) -> Result<Claim<'a>, RouteError> {
        Claim::exclusive(&route.key, route.target.owner, route.have)
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        let found = ingress_sides(route, live)?;
        if found.chunks(2).any(|pair| pair != SIDES) {
            let problem = "has a path without an entry for each of our Services";
            return Err(RouteError::edited(&route.key, "spec.rules", problem));
        }
        annotations::routes(route, live)
    }

    /// A new one has the user's labels and annotations.
    fn created(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        bare: Value,
    ) -> Result<Value, RouteError> {
        self.owned(route, want, &labelled(IngressSource::of(route)?.live, bare))
    }

    /// Without the user's Ingress only the canary's weight can be reduced.
    fn owned(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let canary = want.weight(Side::Canary);
        let followed = IngressSource::of(route).and_then(|source| {
            let spec = source.spec(route.target, &SIDES, None)?;
            let mut object = live.clone();
            untrack(&mut object);
            meta::set(&mut object, &["spec"], spec);
            annotations::write(route, &mut object, canary, Some(source.live));
            mark(&mut object);
            Ok(object)
        });
        followed_or_reduced(followed, self.routes(route, live), want, || {
            let mut object = live.clone();
            annotations::write(route, &mut object, canary, None);
            Ok(object)
        })
    }

    fn adopted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        self.owned(route, want, live)
    }

    /// The user's Ingress was only read, and the generated one is deleted with its Canary.
    fn released(&self, _: &RouteContext<'_>, live: &Value) -> Value {
        live.clone()
    }
}
