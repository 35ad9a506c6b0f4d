//! TrafficRoute, of Kuma 1 and 2.
//!
//! Of the routes whose sources select the caller and whose destinations select the Service, the most specific one is
//! taken: more tags that are named exactly first, then more wildcards, counted over the best source and the best
//! destination together; of equals the youngest, then the first by name. A destination is distinguished by
//! `kuma.io/service` alone. A share of weight 0 gets nothing, a Service without endpoints gets its share and answers
//! 503 (Envoy's "no healthy upstream"). Not done: `conf.http`, `conf.loadBalancer`, destinations by other tags.

use serde_json::{Map, Value};

use super::{DEFAULT_MESH, Place, Port, TRAFFIC_ROUTE, caller, tag};
use crate::controllers::Snapshot;
use crate::gateway::mesh::Target;
use crate::view;
use http::StatusCode;

const SERVICE_TAG: &str = "kuma.io/service";

/// Tags named exactly, and wildcards.
type Rank = (usize, usize);

/// Where the traffic for a port goes; `None` when no route is about it.
pub(super) fn place(seen: &Snapshot, port: &Port<'_>) -> Option<Place> {
    let Target { namespace, name, .. } = &port.target;
    let service = tag(name, namespace, port.number);
    let ranked = seen.all(TRAFFIC_ROUTE).filter(|route| in_mesh(route)).filter_map(|route| {
        let source = best(view::list(route, "/spec/sources"), &caller())?;
        let destination = best(view::list(route, "/spec/destinations"), &service)?;
        let created = view::time(route, "/metadata/creationTimestamp");
        Some(((source.0 + destination.0, source.1 + destination.1), created, route))
    });
    // In the order of their names; `max_by` would take the last of equals.
    let ranked: Vec<_> = ranked.collect();
    let chosen = ranked.iter().rev().max_by_key(|(rank, created, _)| (*rank, *created));
    chosen.map(|(_, _, route)| read(route))
}

fn in_mesh(route: &Value) -> bool {
    matches!(view::text(route, "/mesh"), "" | DEFAULT_MESH)
}

/// The rank of the most specific selector that selects a caller with this tag and no other.
fn best(selectors: &[Value], service: &str) -> Option<Rank> {
    let none = Map::new();
    let rank = |selector: &Value| {
        let tags = selector.get("match").and_then(Value::as_object).unwrap_or(&none);
        let fits = |(key, value): (&String, &Value)| {
            key == SERVICE_TAG && matches!(value.as_str(), Some(text) if text == "*" || text == service)
        };
        let wild = tags.values().filter(|value| value.as_str() == Some("*")).count();
        tags.iter().all(fits).then(|| (tags.len() - wild, wild))
    };
    selectors.iter().filter_map(rank).max()
}

fn read(route: &Value) -> Place {
    let nowhere = Place::Nowhere(StatusCode::SERVICE_UNAVAILABLE, "no healthy upstream");
    let split = view::list(route, "/spec/conf/split");
    if split.is_empty() {
        return match view::at(route, "/spec/conf/destination") {
            Some(tags) => target(tags).map_or(Place::Asked, |target| Place::Split(vec![(1, target)])),
            None => nowhere,
        };
    }
    let entry = |entry: &Value| {
        let weight = u64::try_from(view::number(entry, "/weight", 0)).unwrap_or(0);
        Some((weight, target(entry.get("destination")?)?))
    };
    Place::split(split.iter().filter_map(entry).collect(), nowhere)
}

/// The Service that a tag names; none for the wildcard, which means the one that was asked for.
fn target(tags: &Value) -> Option<Target> {
    let service = tags.get(SERVICE_TAG).and_then(Value::as_str).filter(|service| *service != "*")?;
    let mut parts = service.split('_');
    let (name, namespace) = (parts.next()?.to_owned(), parts.next().unwrap_or_default().to_owned());
    let port = parts.next_back().and_then(|port| port.parse().ok());
    // A name that is no Service of this cluster has no endpoints.
    Some(Target { namespace, name, port: Some(port.unwrap_or(0)) })
}
