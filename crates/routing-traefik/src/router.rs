//! The TraefikService of a Canary: which API group has it, which entries are ours, and how they are written.

use serde_json::{Value, json};
use vexil_object::{Kind, meta};
use vexil_routing::{
    Capabilities, Entries, Provider, QuerySet, RouteContext, RouteError, RouteObject, RouteRequest,
    RouteTarget, Routes, Side, Weight, declare, mark, omit, put, unmark,
};

use crate::queries::QUERIES;

/// The list of the weights.
const LIST: &str = "spec.weighted.services";

/// The two API groups of Traefik's CRDs. Traefik 3 removed the older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// `traefik.io`, since Traefik 2.10.
    Io,
    /// `traefik.containo.us`, up to Traefik 2.
    Containo,
}

impl Group {
    /// The kind in this group.
    pub const fn kind(self) -> Kind {
        let group = match self {
            Group::Io => "traefik.io",
            Group::Containo => "traefik.containo.us",
        };
        Kind::namespaced(group, "v1alpha1", "TraefikService", "traefikservices")
    }
}

/// Routes traffic with the TraefikService that has the name of the apex.
#[derive(Clone, Debug)]
pub struct Traefik {
    groups: Vec<Group>,
}

impl Traefik {
    /// A router that writes to the group `forced`, or else to the newest one that the cluster serves.
    pub fn new(forced: Option<Group>) -> Self {
        Traefik { groups: forced.map_or_else(|| vec![Group::Io, Group::Containo], |group| vec![group]) }
    }
}

impl Provider for Traefik {
    fn name(&self) -> &'static str {
        "traefik"
    }

    fn supports(&self) -> Capabilities {
        Capabilities { weights: true, needs_port: true, ..Capabilities::default() }
    }

    fn queries(&self) -> Option<&'static QuerySet> {
        Some(&QUERIES)
    }
}

impl RouteObject for Traefik {
    fn product(&self) -> &'static str {
        "Traefik"
    }

    fn kinds(&self) -> Vec<Kind> {
        self.groups.iter().map(|group| group.kind()).collect()
    }

    fn check_adopted(&self, route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
        entries(route, live)?.all_named()
    }

    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
        entries(route, live)?.routes(Value::as_i64)
    }

    /// The metadata of `service.apex` is ours too. Flagger also adds the target's selector label to it; that label has
    /// no meaning on a route, so it is not copied.
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
        let port = route.target.port()?;
        let entry = |side, weight, base| entry(route.target, port, side, weight, base);
        let list = entries(route, live)?.written([Side::Primary, Side::Canary], want, entry);
        let mut object = live.clone();
        put(&mut object, LIST, list.into());
        mark(&mut object);
        Ok(object)
    }

    fn released(&self, route: &RouteContext<'_>, live: &Value) -> Value {
        let mut object = live.clone();
        unmark(&mut object, |_| false);
        if let Ok(entries) = listed(route, live)
            && entries.has_ours()
        {
            match entries.others() {
                others if others.is_empty() => omit(&mut object, LIST),
                others => put(&mut object, LIST, others.into()),
            }
        }
        object
    }
}

/// The entries of the list. Traefik drops a TraefikService in which any Service has no endpoints, even at weight 0
/// (observed with Traefik 3.6). The canary has none outside of a rollout, and neither has a primary that is down, so an
/// entry exists only while it has weight.
fn entries<'a>(route: &'a RouteContext<'_>, live: &'a Value) -> Result<Entries<'a>, RouteError> {
    let is_nameless = |entry: &Value| entry.get("name").is_none_or(Value::is_null);
    Ok(listed(route, live)?.without_nameless(is_nameless).without_zero())
}

fn listed<'a>(route: &'a RouteContext<'_>, live: &'a Value) -> Result<Entries<'a>, RouteError> {
    Entries::at(&route.key, live, LIST, |entry| side(route.target, entry))
}

/// An entry is a reference: to a Service unless it has another kind, in the TraefikService's own namespace unless it
/// names one.
fn side(target: &RouteTarget<'_>, entry: &Value) -> Option<Side> {
    let field = |name: &str, default| match entry.get(name) {
        None | Some(Value::Null) => Some(default),
        Some(value) => value.as_str().map(|text| if text.is_empty() { default } else { text }),
    };
    let is_service = field("kind", "Service") == Some("Service");
    let is_here = field("namespace", target.namespace) == Some(target.namespace);
    target.side(field("name", "")?).filter(|_| is_service && is_here)
}

fn entry(target: &RouteTarget<'_>, port: i64, side: Side, weight: Weight, base: Value) -> Value {
    let mut entry = if base.is_null() { json!({"namespace": target.namespace}) } else { base };
    put(&mut entry, "name", target.service(side).into());
    // The name of the port means the same as its number, and may be what a tool writes again and again.
    if entry.get("port").and_then(Value::as_str) != Some(target.port_name()) {
        meta::set(&mut entry, &["port"], port.into());
    }
    put(&mut entry, "weight", weight.percent().into());
    entry
}
