//! The fields of a Canary that name an object of its user, which a router reads to make its own.

use super::{CanarySpec, TargetRef, UpstreamRef};

/// One of these fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectReference {
    /// `spec.ingressRef`.
    Ingress,
    /// `spec.routeRef`.
    Route,
    /// `spec.upstreamRef`.
    Upstream,
}

impl ObjectReference {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ingress, Self::Route, Self::Upstream];

    /// Its name in the spec.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Ingress => "ingressRef",
            Self::Route => "routeRef",
            Self::Upstream => "upstreamRef",
        }
    }

    /// The object that it names; `None` when the field is missing.
    pub fn name(self, spec: &CanarySpec) -> Option<&str> {
        match self {
            Self::Ingress => spec.ingress_ref.as_ref().map(|reference| reference.name.as_str()),
            Self::Route => spec.route_ref.as_ref().map(|reference| reference.name.as_str()),
            Self::Upstream => spec.upstream_ref.as_ref().map(|reference| reference.name.as_str()),
        }
    }

    /// Names another object. A field that is missing is added with the name alone.
    pub fn set_name(self, spec: &mut CanarySpec, name: &str) {
        let field = match self {
            Self::Ingress => &mut spec.ingress_ref.get_or_insert_with(TargetRef::default).name,
            Self::Route => &mut spec.route_ref.get_or_insert_with(TargetRef::default).name,
            Self::Upstream => &mut spec.upstream_ref.get_or_insert_with(UpstreamRef::default).name,
        };
        name.clone_into(field);
    }
}
