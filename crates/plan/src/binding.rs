//! The binding of a Canary: what its spec asks traffic to depend on, and the spec under a binding in force.

use std::collections::BTreeMap;

use vexil_analysis::{Binding, Route};
use vexil_api::{Canary, CanarySpec, ServicePort};
use vexil_object::ObjectKey;
use vexil_routing::{BoundKind, Router};

use crate::status;

/// What the spec asks traffic to depend on, with the provider and router that it names.
pub(crate) fn wanted(canary: &Canary, provider: &str, router: &dyn Router) -> Binding {
    let spec = &canary.spec;
    let annotations = canary.metadata.annotations.as_ref();
    let named = |name: &str| annotations.and_then(|all| all.get(name)).cloned();
    let mut references: BTreeMap<String, String> =
        router.annotations().iter().filter_map(|name| Some(((*name).to_owned(), named(name)?))).collect();
    let object = router.reference();
    let object = object.and_then(|of| Some((of.field().to_owned(), of.name(spec)?.to_owned())));
    references.extend(object);
    references.retain(|_, name| !name.is_empty());
    Binding {
        kind: spec.target_ref.bound_kind().to_owned(),
        target: spec.target_ref.name.clone(),
        apex: spec.apex_name().to_owned(),
        provider: provider.to_owned(),
        service_port: Some(status::service_port(&ServicePort::of(&spec.service))),
        references,
        ..Binding::default()
    }
}

/// Spec and annotations with the target, provider, apex and references of `bound`, as `router`, that of the binding,
/// reads them.
pub(crate) fn under(
    spec: &CanarySpec,
    annotations: &BTreeMap<String, String>,
    bound: &Binding,
    router: &dyn Router,
) -> (CanarySpec, BTreeMap<String, String>) {
    let (mut spec, mut annotations) = (spec.clone(), annotations.clone());
    spec.target_ref.set_bound_kind(&bound.kind);
    spec.target_ref.name.clone_from(&bound.target);
    spec.service.name = Some(bound.apex.clone());
    spec.provider = Some(bound.provider.clone());
    if let Some(object) = router.reference()
        && let Some(name) = bound.references.get(object.field())
    {
        object.set_name(&mut spec, name);
    }
    for name in router.annotations() {
        match bound.references.get(*name) {
            Some(value) => annotations.insert((*name).to_owned(), value.clone()),
            None => annotations.remove(*name),
        };
    }
    (spec, annotations)
}

/// A route object as the binding records it.
pub fn route(key: &ObjectKey) -> Route {
    Route {
        api_version: key.kind().api_version(),
        kind: key.kind().kind.to_owned(),
        namespace: key.namespace().to_owned(),
        name: key.name().to_owned(),
    }
}

/// The kind of the route that a binding records.
pub fn bound_kind(binding: Option<&Binding>) -> Option<BoundKind> {
    let route = binding?.route.as_ref()?;
    Some(BoundKind { api_version: route.api_version.clone(), kind: route.kind.clone() })
}
