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

/// What the field of a Canary says of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferencedObject<'a> {
    /// The API group and version; empty when it is not written.
    pub api_version: &'a str,
    /// The kind; empty when it is not written.
    pub kind: &'a str,
    /// The name; empty when it is missing.
    pub name: &'a str,
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
    pub fn object(self, spec: &CanarySpec) -> Option<ReferencedObject<'_>> {
        let (api_version, kind, name) = match self {
            Self::Ingress | Self::Route => {
                let field = if self == Self::Ingress { &spec.ingress_ref } else { &spec.route_ref };
                let reference = field.as_ref()?;
                (&reference.api_version, &reference.kind, &reference.name)
            }
            Self::Upstream => {
                let reference = spec.upstream_ref.as_ref()?;
                (&reference.api_version, &reference.kind, &reference.name)
            }
        };
        Some(ReferencedObject { api_version: api_version.as_deref().unwrap_or_default(), kind, name })
    }

    /// Its name; `None` when the field is missing.
    pub fn name(self, spec: &CanarySpec) -> Option<&str> {
        self.object(spec).map(|object| object.name)
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
