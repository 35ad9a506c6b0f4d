//! The narrow trait for routers whose route is generated from an object of the user and has precedence over it.

use serde_json::Value;
use vexil_analysis::Routes;
use vexil_object::{Kind, ObjectKey};

use crate::{
    Claim, Provider, RouteContext, RouteError, RouteObject, RouteRequest, RouteTarget, Source, SourceKind,
    copy::{followed_or_reduced, labelled, untrack},
};

/// A router that generates a copy of the user's object, in which the Canary's Services take the place of the apex. The
/// user's object is only read, and serves the clients without the copy. Every `GeneratedRoute` is a [`RouteObject`].
///
/// The copy is the Canary's: an object of its name without this Canary as controller is refused. It follows the
/// user's object. When that is missing or does not lead to the apex, the copy stays, and only the canary's share can
/// still be reduced. It is deleted when the Canary releases it.
pub trait GeneratedRoute: Provider {
    /// The product that reads the objects, for messages.
    fn product(&self) -> &'static str;

    /// How a Canary names the user's object.
    fn source_kind(&self) -> &'static SourceKind;

    /// See [`RouteObject::routes`].
    ///
    /// # Errors
    /// As there.
    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError>;

    /// `object` as it follows the user's, saying `want`. It is the generated one as observed, or a new one with the
    /// labels and annotations of the user's; tracking metadata of tools is removed from it already.
    ///
    /// # Errors
    /// When the user's object does not lead to the apex, or not in a way that can be followed.
    fn followed(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        source: &Source<'_>,
        object: Value,
    ) -> Result<Value, RouteError>;

    /// `object`, the generated one as observed, saying `want` and otherwise unchanged.
    ///
    /// # Errors
    /// When it has no place for the weights.
    fn reweighted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        object: Value,
    ) -> Result<Value, RouteError>;
}

impl<T: GeneratedRoute> RouteObject for T {
    fn product(&self) -> &'static str {
        GeneratedRoute::product(self)
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![self.source_kind().kind]
    }

    fn key(&self, target: &RouteTarget<'_>, _: Kind) -> Result<ObjectKey, RouteError> {
        self.source_kind().keys(target).map(|(_, generated)| generated)
    }

    fn sources(&self, route: &RouteContext<'_>) -> Vec<ObjectKey> {
        self.source_kind().keys(route.target).map(|(users, _)| users).into_iter().collect()
    }

    fn claim<'a>(&self, route: &RouteContext<'a>) -> Result<Claim<'a>, RouteError> {
        Claim::exclusive(&route.key, route.target.owner, route.have)
    }

    fn is_dispensable(&self) -> bool {
        true
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        GeneratedRoute::routes(self, route, live)
    }

    fn created(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        bare: Value,
    ) -> Result<Value, RouteError> {
        self.owned(route, want, &labelled(self.source_kind().source(route)?.live, bare))
    }

    fn owned(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let followed = self.source_kind().source(route).and_then(|source| {
            let mut object = live.clone();
            untrack(&mut object);
            self.followed(route, want, &source, object)
        });
        let reduced = || self.reweighted(route, want, live.clone());
        followed_or_reduced(followed, GeneratedRoute::routes(self, route, live), want, reduced)
    }

    fn adopted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        self.owned(route, want, live)
    }

    /// An object that the Canary does not own is refused, so that nothing of ours is in one.
    fn released(&self, _: &RouteContext<'_>, live: &Value) -> Value {
        live.clone()
    }
}
