//! A VirtualService: whose requests it is about, and where each of them goes.

use serde_json::Value;

use super::condition::Condition;
use super::{Host, MESH, VIRTUAL_SERVICE, fits, open_for};
use crate::controllers::Snapshot;
use crate::gateway::mesh::{Asked, Entrance, Rule, Split};
use crate::view;

/// A VirtualService.
#[derive(Debug, PartialEq)]
pub(super) struct Virtual {
    hosts: Vec<Host>,
    /// Whether all hosts are meant: `*`.
    is_for_all: bool,
    /// Whether sidecars follow it.
    in_mesh: bool,
    /// The hosts for which gateways are open that follow it.
    open_for: Vec<String>,
    rules: Vec<(Vec<Condition>, Rule)>,
}

impl Virtual {
    /// Reads an object; `None` for a delegate, which is read where it is named.
    pub fn read(object: &Value, seen: &Snapshot) -> Option<Self> {
        let namespace = view::namespace(object);
        let texts = |pointer| view::list(object, pointer).iter().filter_map(Value::as_str);
        let hosts: Vec<&str> = texts("/spec/hosts").collect();
        let gateways: Vec<&str> = texts("/spec/gateways").collect();
        if hosts.is_empty() {
            return None;
        }
        let open_for = gateways.iter().flat_map(|name| open_for(name, namespace, seen)).collect();
        Some(Virtual {
            is_for_all: hosts.contains(&"*"),
            hosts: hosts.into_iter().map(|host| Host::read(host, namespace)).collect(),
            in_mesh: gateways.is_empty() || gateways.contains(&MESH),
            open_for,
            rules: rules(object, seen),
        })
    }

    /// Whether it is about a request.
    pub fn takes(&self, asked: &Asked<'_>) -> bool {
        let is_meant = self.is_for_all || self.hosts.iter().any(|host| host.means(asked));
        match asked.entrance {
            Entrance::Sidecar => self.in_mesh && is_meant,
            Entrance::Gateway => is_meant && self.open_for.iter().any(|open| fits(open, asked.host)),
        }
    }

    /// The first route whose conditions a request meets.
    pub fn rule(&self, asked: &Asked<'_>) -> Option<&Rule> {
        let meets = |all: &[Condition]| all.is_empty() || all.iter().any(|condition| condition.is_met(asked));
        self.rules.iter().find(|(conditions, _)| meets(conditions)).map(|(_, rule)| rule)
    }
}

/// The HTTP routes with their conditions, and those of delegates in their place.
fn rules(object: &Value, seen: &Snapshot) -> Vec<(Vec<Condition>, Rule)> {
    let namespace = view::namespace(object);
    let mut rules = Vec::new();
    for route in view::list(object, "/spec/http") {
        let conditions: Vec<Condition> = view::list(route, "/match").iter().map(Condition::read).collect();
        match view::at(route, "/delegate") {
            None => rules.push((conditions, rule(route, namespace))),
            Some(delegate) => {
                let of = view::text(delegate, "/namespace");
                let of = if of.is_empty() { namespace } else { of };
                let found = seen.get(VIRTUAL_SERVICE, of, view::text(delegate, "/name"));
                let below = found.map(|object| self::rules(object, seen)).unwrap_or_default();
                rules.extend(
                    below.into_iter().map(|(inner, rule)| (Condition::both(&conditions, &inner), rule)),
                );
            }
        }
    }
    rules
}

fn rule(route: &Value, namespace: &str) -> Rule {
    let list = view::list(route, "/route");
    let host = |destination: &Value| {
        let port = u16::try_from(view::number(destination, "/port/number", -1)).ok();
        Host::read(view::text(destination, "/host"), namespace).target(port)
    };
    // A destination that is alone gets everything, whatever its weight is.
    let weight =
        |entry: &Value| if list.len() == 1 { 1 } else { view::number(entry, "/weight", 0).max(0) as u64 };
    let split: Split = list
        .iter()
        .map(|entry| (weight(entry), host(view::at(entry, "/destination").unwrap_or(&Value::Null))))
        .collect();
    let added = |entry: &Value| {
        let fields =
            view::at(entry, "/headers/response/add").and_then(Value::as_object).into_iter().flatten();
        fields.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
    };
    let copies = view::at(route, "/mirror").map(|mirror| {
        let percent =
            view::at(route, "/mirrorPercentage/value").and_then(Value::as_f64).unwrap_or(100.0) as u64;
        vec![(percent, host(mirror)), (100 - percent.min(100), Host::Named(String::new()).target(None))]
    });
    Rule { split, added: list.iter().map(added).collect(), copies }
}
