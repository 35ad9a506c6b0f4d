//! The router: the HTTPProxy of a Canary, whose it is, and what Contour reports about it.

use serde_json::Value;
use vexil_api::{Canary, Defect};
use vexil_object::{Kind, ObjectKey, meta};
use vexil_routing::{
    Acceptance, Capabilities, Provider, QuerySet, RouteContext, RouteError, RouteObject, RouteRequest,
    Routes, declare, mark, put, unmark,
};

use crate::{queries::QUERIES, routes, settings, view};

const HTTP_PROXY: Kind = Kind::namespaced("projectcontour.io", "v1", "HTTPProxy", "httpproxies");

/// Routes traffic with the HTTPProxy that has the name of the apex.
#[derive(Clone, Debug, Default)]
pub struct Contour {
    class: String,
}

impl Contour {
    /// A router whose HTTPProxies are for the Contour of this ingress class; for any that needs none, if it is empty.
    pub fn new(class: impl Into<String>) -> Self {
        Contour { class: class.into() }
    }
}

impl Provider for Contour {
    fn name(&self) -> &'static str {
        "contour"
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, matches: true, needs_port: true, ..Capabilities::default() }
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&QUERIES)
    }

    fn forms(&self) -> Vec<Kind> {
        vec![HTTP_PROXY]
    }

    fn defects(&self, canary: &Canary) -> Vec<Defect> {
        settings::defects(&canary.spec)
    }
}

impl RouteObject for Contour {
    fn product(&self) -> &'static str {
        "Contour"
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![HTTP_PROXY]
    }

    fn check_adopted(&self, route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
        view::usable(route, live)
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        routes::read(route, live)
    }

    fn acceptance(&self, route: &RouteContext<'_>, live: &Value) -> Acceptance {
        reported(&route.key, live)
    }

    fn owned(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let service = &route.target.spec.service;
        let mut object = routes::written(route, want, live)?;
        declare(&mut object, service.apex.as_ref(), service.unmanaged_metadata.as_ref());
        settings::record(route.target, &mut object);
        if !self.class.is_empty() {
            put(&mut object, "spec.ingressClassName", self.class.as_str().into());
        }
        mark(&mut object);
        Ok(object)
    }

    fn adopted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let mut object = routes::written(route, want, live)?;
        mark(&mut object);
        Ok(object)
    }

    fn released(&self, route: &RouteContext<'_>, live: &Value) -> Value {
        let mut object = live.clone();
        unmark(&mut object, |_| false);
        routes::release(route, live, &mut object);
        object
    }
}

/// What the condition `Valid` says. Without it there is no Contour that reports.
pub(crate) fn reported(key: &ObjectKey, live: &Value) -> Acceptance {
    let conditions = live.pointer("/status/conditions").and_then(Value::as_array);
    let valid = conditions.into_iter().flatten().find(|one| meta::text(one, "/type") == "Valid");
    let Some(valid) = valid else { return Acceptance::Accepted };
    let generation = live.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
    if valid.get("observedGeneration").and_then(Value::as_i64).is_some_and(|seen| seen < generation) {
        return Acceptance::Outdated(format!("Contour has not applied generation {generation} of {key} yet"));
    }
    if meta::text(valid, "/status") == "True" {
        return Acceptance::Accepted;
    }
    let first = valid.pointer("/errors/0").unwrap_or(valid);
    let (reason, message) = (meta::text(first, "/reason"), meta::text(first, "/message"));
    Acceptance::Refused(format!("Contour does not apply {key}: {reason}: {message}"))
}
