//! The trait that describes a provider of traffic routing: its names, features and metric queries.

use vexil_api::{Canary, Capabilities, Defect, ObjectReference, QuerySet};
use vexil_object::Kind;

use crate::Unowned;

/// What users name in `spec.provider`, as far as it does not depend on a Canary or a cluster.
pub trait Provider: Send + Sync {
    /// The provider name that users write: `traefik`. Where it has several, the one that lists of providers show.
    fn name(&self) -> &'static str;

    /// Whether this is the provider that `provider` names. Some names carry more, such as a version or a mesh.
    fn serves(&self, provider: &str) -> bool {
        provider == self.name()
    }

    /// The features that it supports. A Canary that needs another one is refused when it is validated, and so is a
    /// request to the router.
    fn supports(&self) -> Capabilities;

    /// Its built-in queries for the metrics `request-success-rate` and `request-duration`; `None` when its users have
    /// to write a MetricTemplate.
    fn queries(&self) -> Option<&'static QuerySet>;

    /// Whether its queries are also those of Canaries that name another provider, when it is the operator's default: a
    /// mesh that measures every pod, whatever splits the traffic.
    fn measures_all(&self) -> bool {
        false
    }

    /// The annotations of the Canary that name its route. Traffic depends on them: editing one is a migration.
    fn annotations(&self) -> &'static [&'static str] {
        &[]
    }

    /// The field of the Canary that names the user's object from which the route is made. Traffic depends on it: naming
    /// another object is a migration.
    fn reference(&self) -> Option<ObjectReference> {
        None
    }

    /// Kinds whose definitions are observed with their schema, because the router writes another form of the object for
    /// an older schema ([`vexil_object::definition::has_field`]).
    fn forms(&self) -> Vec<Kind> {
        Vec::new()
    }

    /// What in the Canary itself keeps this router from working, whatever the cluster contains: a reference to a route
    /// that is missing or of another kind, an annotation that is not a valid name. Part of the Canary's validation, so
    /// that nothing is created for it. Reading and rendering return the same as an error.
    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        let _ = canary;
        Vec::new()
    }

    /// How to find routes whose Canary was deleted, where they cannot have the Canary as their owner; `None` where the
    /// garbage collector deletes them.
    fn unowned(&self) -> Option<&dyn Unowned> {
        None
    }
}
