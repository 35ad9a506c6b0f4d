//! The router: which objects it reads, who owns the generated Ingress, and what happens without the user's.

use serde_json::Value;
use vexil_api::{Canary, Defect};
use vexil_object::{Kind, ObjectKey, meta};
use vexil_routing::{
    Capabilities, Claim, INGRESS, IngressSource, Provider, QuerySet, RouteContext, RouteError, RouteObject,
    RouteRequest, RouteTarget, Routes, Side, followed_or_reduced, ingress_names, ingress_sides, labelled,
    mark, untrack,
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
        Capabilities { weights: true, matches: true, needs_port: true, ..Capabilities::default() }
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&QUERIES)
    }

    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        let spec = &canary.spec;
        // A reference without a name is a defect with any provider.
        let nameless = spec.ingress_ref.as_ref().is_some_and(|reference| reference.name.is_empty());
        let reference = ingress_names(spec).err().filter(|_| !nameless);
        reference.into_iter().chain(matches::defects(spec)).collect()
    }
}

impl RouteObject for Nginx {
    fn product(&self) -> &'static str {
        "ingress-nginx"
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
        if ingress_sides(route, live)?.contains(&Side::Primary) {
            return Err(RouteError::edited(&route.key, "spec.rules", "has a path that leads to the primary"));
        }
        annotations::routes(&self.prefix, route, live)
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
        let followed = IngressSource::of(route).and_then(|source| {
            let spec = source.spec(route.target, &[Side::Canary], Some(Side::Canary))?;
            let mut object = live.clone();
            untrack(&mut object);
            meta::set(&mut object, &["spec"], spec);
            annotations::write(&self.prefix, &mut object, route.target, want, Some(source.live));
            mark(&mut object);
            Ok(object)
        });
        followed_or_reduced(followed, self.routes(route, live), want, || {
            let mut object = live.clone();
            annotations::write(&self.prefix, &mut object, route.target, want, None);
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
