//! The trait that every mesh and ingress implements.

use vexil_analysis::Routes;
use vexil_api::{Canary, Defect};
use vexil_object::{Change, Kind, ObjectKey, Objects};

use crate::{RouteError, RouteTarget, Unowned};

/// Splits the traffic of one kind of mesh or ingress.
pub trait Router: Send + Sync {
    /// The provider name users write: `traefik`. Where a router has several, the one that lists of providers show.
    fn name(&self) -> &'static str;

    /// Whether it is the router of a provider. Most have one name; some names say more, such as a version or a mesh.
    fn serves(&self, provider: &str) -> bool {
        provider == self.name()
    }

    /// The objects it still has to see; empty once `have` holds all of them. Asked again after each look, so that an
    /// answer may lead to the next question (first the CRDs, then the object of the group that is served).
    fn needs(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<ObjectKey>;

    /// The object that it reads and writes for this Canary; `None` when it needs none, or cannot tell which.
    fn route(&self, target: &RouteTarget<'_>, have: &Objects) -> Option<ObjectKey>;

    /// The annotations of the Canary that name its route. They are part of what traffic depends on: an edit of one is a
    /// migration.
    fn annotations(&self) -> &'static [&'static str] {
        &[]
    }

    /// Kinds of which it has to know which fields their definitions have, since it can write more than one form. Their
    /// definitions are seen with them ([`vexil_object::definition::has_field`]).
    fn forms(&self) -> Vec<Kind> {
        Vec::new()
    }

    /// The weights as the live objects say. Strict: what is not exactly as a router writes it is an error, so that an
    /// edit by hand is told before it is put back.
    ///
    /// # Errors
    /// [`RouteError::Absent`] when there is no route yet and [`RouteError::Edited`] when fields of ours were edited:
    /// rendering mends both. The others when it cannot be read for certain; rendering then says the same.
    fn read(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Routes, RouteError>;

    /// The changes that make the live objects say `want`, in order. None when they do already. Fields of ours are
    /// written whatever they hold; fields and entries of others are kept.
    ///
    /// # Errors
    /// When a live object has no place for our fields, is not ours, or cannot express `want`.
    fn render(
        &self,
        target: &RouteTarget<'_>,
        want: &Routes,
        have: &Objects,
    ) -> Result<Vec<Change>, RouteError>;

    /// The changes that leave nothing of ours and all of the user's. Objects that the Canary owns are left to the
    /// garbage collector. None when there is nothing to release: the object is gone, is somebody else's, or its kind is
    /// no longer served; a deletion must not wait for any of that.
    ///
    /// # Errors
    /// When a live object has not been looked at.
    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError>;

    /// How to find its routes whose Canary is gone, where they cannot have the Canary as their owner; `None` where the
    /// garbage collector does that.
    fn unowned(&self) -> Option<&dyn Unowned> {
        None
    }

    /// What of the Canary itself keeps this router from its work, whatever the cluster holds: a reference to a route
    /// that is missing or names another kind, an annotation that can name no mesh. Asked when the Canary is validated,
    /// so that nothing is created for it; reading and rendering say the same to who has not asked.
    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        let _ = canary;
        Vec::new()
    }

    /// What it can do; a strategy that needs more is refused when the Canary is validated.
    fn supports(&self) -> Capabilities;

    /// Its built-in success-rate and duration queries.
    fn queries(&self) -> QuerySet;
}

/// What a router can do beyond sending all traffic one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Split by weight.
    pub weights: bool,
    /// Send only matching requests to the canary (A/B testing).
    pub matches: bool,
    /// Copy requests to the canary.
    pub mirror: bool,
    /// Keep a client on the side it first met.
    pub affinity: bool,
}

/// The name of a set of built-in queries (`metrics.md` 2.2): which product's series tell of the canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuerySet(pub &'static str);
