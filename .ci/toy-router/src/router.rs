//! A Split as a route: what it is and who owns what of it.

use serde_json::Value;
use vexil_object::Kind;
use vexil_routing::{
    Capabilities, Entries, Provider, QuerySet, RouteContext, RouteError, RouteObject, RouteRequest, Routes,
    Side, declare, omit, put,
};

const BACKENDS: &str = "spec.backends";
const SPLIT: Kind = Kind::namespaced("toy.example.com", "v1", "Split", "splits");

/// Routes traffic with a Split. Its provider name is one that the CRD of Canaries admits and that no crate has.
#[derive(Clone, Copy, Debug)]
pub struct Toy;

impl Provider for Toy {
    fn name(&self) -> &'static str {
        "osm"
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, ..Capabilities::default() }
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        None
    }
}

impl RouteObject for Toy {
    fn product(&self) -> &'static str {
        "Toy"
    }

    fn kinds(&self) -> Vec<Kind> {
        vec![SPLIT]
    }

    fn check_adopted(&self, route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
        backends(route, live)?.all_named()
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        backends(route, live)?.routes(Value::as_i64)
    }

    fn owned(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let service = &route.target.spec.service;
        let mut object = live.clone();
        declare(&mut object, service.apex.as_ref(), service.unmanaged_metadata.as_ref());
        self.adopted(route, want, &object)
    }

    fn adopted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError> {
        let list =
            backends(route, live)?.written([Side::Primary, Side::Canary], want, |side, weight, mut entry| {
                put(&mut entry, "name", route.target.service(side).into());
                put(&mut entry, "weight", weight.percent().into());
                entry
            });
        let mut object = live.clone();
        put(&mut object, BACKENDS, list.into());
        Ok(object)
    }

    fn released(&self, route: &RouteContext<'_>, live: &Value) -> Value {
        let mut object = live.clone();
        match listed(route, live).ok().filter(Entries::has_ours).map(|entries| entries.others()) {
            None => {}
            Some(others) if others.is_empty() => omit(&mut object, BACKENDS),
            Some(others) => put(&mut object, BACKENDS, others.into()),
        }
        object
    }
}

fn backends<'a>(route: &'a RouteContext<'_>, live: &'a Value) -> Result<Entries<'a>, RouteError> {
    let is_nameless = |entry: &Value| entry.get("name").is_none_or(Value::is_null);
    Ok(listed(route, live)?.without_nameless(is_nameless))
}

fn listed<'a>(route: &'a RouteContext<'_>, live: &'a Value) -> Result<Entries<'a>, RouteError> {
    let side = |entry: &Value| route.target.side(entry.get("name")?.as_str()?);
    Entries::at(&route.key, live, BACKENDS, side)
}
