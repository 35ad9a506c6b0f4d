//! What live traffic depends on: recorded in the status, so that an edit of the spec is a migration and never a loss.
//!
//! Router, Services and routes follow the recorded binding. The spec only says where it should go; a difference ends
//! the rollout on the old binding, builds the new side until it serves, switches, and then releases the old one.

use std::collections::BTreeMap;

/// Target, provider, apex and route of one Canary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Binding {
    /// `spec.targetRef.kind`, with its group where two kinds have one name.
    pub kind: String,
    /// `spec.targetRef.name`.
    pub target: String,
    /// The apex: `spec.service.name`, else the target's name.
    pub apex: String,
    /// The provider in effect.
    pub provider: String,
    /// What else names the route object, by field or annotation: `routeRef`, `upstreamRef`, the mesh annotation.
    pub references: BTreeMap<String, String>,
    /// The port of the Services in the last valid spec; an edit of it is not a migration.
    pub service_port: Option<ServicePort>,
    /// The route object that the router wrote. Observed, not wanted.
    pub route: Option<Route>,
    /// Labels that select the target's pods. Observed, not wanted.
    pub selector: BTreeMap<String, String>,
}

/// The port that the generated Services have, as `spec.service` says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ServicePort {
    /// `spec.service.port`.
    pub port: Option<i64>,
    /// `spec.service.portName`.
    pub name: Option<String>,
    /// `spec.service.targetPort`, a number or a name.
    pub target: Option<String>,
    /// `spec.service.appProtocol`.
    pub app_protocol: Option<String>,
}

/// A route object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Route {
    /// Its `apiVersion`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty for one of the whole cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Binding {
    /// Whether both bind the same things; what was only observed does not count.
    pub fn agrees(&self, other: &Binding) -> bool {
        self.change_to(other).is_none()
    }

    /// Whether both have the same target.
    pub fn same_target(&self, other: &Binding) -> bool {
        (&self.kind, &self.target) == (&other.kind, &other.target)
    }

    /// Whether both have the same route, Services and all, for two targets.
    pub fn shares_route(&self, other: &Binding) -> bool {
        self.shares_services(other) && self.provider == other.provider && self.references == other.references
    }

    /// Whether both have Services of the same names, for two targets.
    pub fn shares_services(&self, other: &Binding) -> bool {
        self.apex == other.apex && !self.same_target(other)
    }

    /// What the user edited, in words; `None` when nothing differs.
    pub fn change_to(&self, wanted: &Binding) -> Option<String> {
        let target = |of: &Binding| format!("{} {}", of.kind, of.target);
        let mut changes = Vec::new();
        let mut differs = |what: &str, old: &str, new: &str| {
            if old != new {
                changes.push(match (old.is_empty(), new.is_empty()) {
                    (true, _) => format!("{what} {new} was added"),
                    (_, true) => format!("{what} {old} was removed"),
                    _ => format!("{what} changed from {old} to {new}"),
                });
            }
        };
        differs("target", &target(self), &target(wanted));
        differs("service name", &self.apex, &wanted.apex);
        differs("provider", &self.provider, &wanted.provider);
        let names: std::collections::BTreeSet<&String> =
            self.references.keys().chain(wanted.references.keys()).collect();
        for name in names {
            let of = |binding: &'_ Binding| binding.references.get(name).cloned().unwrap_or_default();
            differs(name, &of(self), &of(wanted));
        }
        (!changes.is_empty()).then(|| changes.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(target: &str, apex: &str, provider: &str, route: &str) -> Binding {
        let references = BTreeMap::from([("routeRef".to_owned(), route.to_owned())]);
        Binding {
            kind: "Deployment".to_owned(),
            target: target.to_owned(),
            apex: apex.to_owned(),
            provider: provider.to_owned(),
            references: if route.is_empty() { BTreeMap::new() } else { references },
            ..Binding::default()
        }
    }

    #[track_caller]
    fn check(from: [&str; 4], to: [&str; 4], expect: Option<&str>) {
        let of = |[target, apex, provider, route]: [&str; 4]| binding(target, apex, provider, route);
        assert_eq!(of(from).change_to(&of(to)).as_deref(), expect);
    }

    #[test]
    fn a_change_says_what_was_edited() {
        let old = ["a", "a", "traefik", ""];
        check(old, old, None);
        check(old, ["b", "a", "traefik", ""], Some("target changed from Deployment a to Deployment b"));
        check(
            old,
            ["b", "b", "kubernetes", ""],
            Some(
                "target changed from Deployment a to Deployment b, service name changed from a to b, provider changed \
                 from traefik to kubernetes",
            ),
        );
        check(["a", "a", "apisix", "r"], ["a", "a", "apisix", "s"], Some("routeRef changed from r to s"));
        check(old, ["a", "a", "traefik", "r"], Some("routeRef r was added"));
        check(["a", "a", "traefik", "r"], old, Some("routeRef r was removed"));
    }
}
