//! The router: whether the kind is served, whose the generated route is, and then reading and rendering.

use serde_json::Value;
use vexil_api::{Canary, Defect};
use vexil_object::{Change, ObjectKey, Objects, Seen};
use vexil_routing::{Capabilities, Claim, QuerySet, RouteError, RouteTarget, Router, Routes};

use crate::{
    read, render,
    source::{Keys, ROUTE, Source, names},
};

/// Splits traffic with a copy of the user's ApisixRoute.
#[derive(Clone, Copy, Debug, Default)]
pub struct Apisix;

fn served(have: &Objects) -> Result<(), RouteError> {
    let definition = ROUTE.definition();
    match have.get(&definition) {
        Seen::Present(_) => Ok(()),
        Seen::NotKnown => Err(RouteError::NotKnown { object: definition.to_string() }),
        Seen::Absent => {
            let kinds = format!("{} of {}", ROUTE.kind, ROUTE.api_version());
            Err(RouteError::NotServed { kinds, product: "APISIX's ingress controller" })
        }
    }
}

/// With the user's route out of order, the generated one stays as it is, but for traffic that a canary loses.
fn retreat(
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    want: &Routes,
    live: &Value,
    error: RouteError,
) -> Result<Value, RouteError> {
    match read::routes(key, target, live) {
        Ok(routes) if !routes.canary().is_zero() && want.canary() <= routes.canary() => {
            render::weighted(key, target, want, live)
        }
        _ => Err(error),
    }
}

impl Router for Apisix {
    fn name(&self) -> &'static str {
        "apisix"
    }

    fn needs(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<ObjectKey> {
        let mut needs = vec![ROUTE.definition()];
        needs.extend(Keys::of(target).into_iter().flat_map(|keys| [keys.source, keys.generated]));
        needs.retain(|key| !have.has(key));
        needs
    }

    fn route(&self, target: &RouteTarget<'_>, _: &Objects) -> Option<ObjectKey> {
        Keys::of(target).ok().map(|keys| keys.generated)
    }

    fn read(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Routes, RouteError> {
        served(have)?;
        let key = Keys::of(target)?.generated;
        match Claim::exclusive(&key, target.owner, have)? {
            Claim::Absent => Err(RouteError::Absent { object: key.to_string() }),
            Claim::Ours(live) | Claim::Unclaimed(live) => read::routes(&key, target, live),
        }
    }

    fn render(
        &self,
        target: &RouteTarget<'_>,
        want: &Routes,
        have: &Objects,
    ) -> Result<Vec<Change>, RouteError> {
        if want.mirror() {
            return Err(RouteError::Unsupported { router: self.name(), what: "mirroring" });
        }
        served(have)?;
        let keys = Keys::of(target)?;
        let key = keys.generated.clone();
        let claim = Claim::exclusive(&key, target.owner, have)?;
        let source = Source::of(&keys.source, target, have);
        let change = match (claim, source) {
            (Claim::Absent, source) => {
                let object = render::created(&key, &keys, target, want, &source?)?;
                Some(Change::create(key, object))
            }
            (_, Err(error @ RouteError::NotKnown { .. })) => return Err(error),
            (Claim::Ours(live) | Claim::Unclaimed(live), source) => {
                let follow = source.and_then(|source| render::owned(&keys, target, want, &source, live));
                let object = follow.or_else(|error| retreat(&key, target, want, live, error))?;
                Change::between(key, live, &object)
            }
        };
        Ok(Vec::from_iter(change))
    }

    /// The generated route goes with its Canary, and the user's was never touched.
    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError> {
        let claim = served(have)
            .and_then(|()| Keys::of(target))
            .and_then(|keys| Claim::exclusive(&keys.generated, target.owner, have).map(drop));
        match claim {
            Err(error @ RouteError::NotKnown { .. }) => Err(error),
            _ => Ok(Vec::new()),
        }
    }

    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        let spec = &canary.spec;
        // That a reference needs a name is told of every Canary.
        let nameless = spec.route_ref.as_ref().is_some_and(|reference| reference.name.is_empty());
        let defect = names(spec, spec.apex_name()).err().filter(|_| !nameless);
        defect.into_iter().collect()
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, ..Capabilities::default() }
    }

    fn queries(&self) -> QuerySet {
        QuerySet("apisix")
    }
}
