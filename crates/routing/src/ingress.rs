//! The user's Ingress, and the one that is generated beside it with the same hosts and paths.

use serde_json::Value;
use vexil_api::ObjectReference;
use vexil_object::{Kind, meta};

use crate::{RouteContext, RouteError, RouteTarget, Side, Source, SourceKind, items, put};

/// The built-in Ingress.
pub const INGRESS: Kind = Kind::namespaced("networking.k8s.io", "v1", "Ingress", "ingresses");

const RULES: &str = "spec.rules";
const DEFAULT: &str = "spec.defaultBackend";

/// How Canaries name the Ingress that a router follows.
pub const INGRESS_SOURCE: SourceKind = SourceKind {
    kind: INGRESS,
    // References of old manifests still name the group that it had first, and mean the same object.
    groups: &[INGRESS.group, "extensions"],
    reference: ObjectReference::Ingress,
    noun: "ingress",
    described: "an Ingress",
    generated: |users, _| format!("{users}-canary"),
};

impl Source<'_> {
    /// The spec of the Ingress that is generated from this one. It has the paths that lead to the apex alone, each of
    /// them once for every one of `sides`, and a default backend that does for `default`. Paths that lead elsewhere
    /// are left to the user's Ingress.
    ///
    /// # Errors
    /// [`RouteError::Malformed`] when no path leads to the apex, or one to a port that our Services do not have.
    pub fn ingress_spec(
        &self,
        target: &RouteTarget<'_>,
        sides: &[Side],
        default: Option<Side>,
    ) -> Result<Value, RouteError> {
        let mut rules = Vec::new();
        for (path, rule) in items(&self.key, self.live, RULES)? {
            let mut paths = Vec::new();
            for (path, entry) in items(&self.key, self.live, &format!("{path}.http.paths"))? {
                if let Some(backend) = entry.get("backend").filter(|backend| names_apex(target, backend)) {
                    self.check_port(target, backend, &format!("{path}.backend"))?;
                    paths.extend(sides.iter().map(|side| {
                        let mut copy = entry.clone();
                        put(&mut copy, "backend.service.name", target.service(*side).into());
                        copy
                    }));
                }
            }
            if !paths.is_empty() {
                let mut copy = rule.clone();
                put(&mut copy, "http.paths", paths.into());
                rules.push(copy);
            }
        }
        let mut spec = self.live.get("spec").cloned().unwrap_or_default();
        let found = spec.get("defaultBackend").filter(|backend| names_apex(target, backend)).cloned();
        let default = found.zip(default);
        if rules.is_empty() && default.is_none() {
            let (apex, ingress) = (target.apex, self.key.name());
            let problem = format!("has no path to the apex: backend {apex} not found in ingress {ingress}");
            return Err(RouteError::malformed(&self.key, RULES, problem));
        }
        if let Some(fields) = spec.as_object_mut() {
            fields.remove("defaultBackend");
            fields.remove("rules");
        }
        if !rules.is_empty() {
            meta::set(&mut spec, &["rules"], rules.into());
        }
        if let Some((mut backend, side)) = default {
            self.check_port(target, &backend, DEFAULT)?;
            put(&mut backend, "service.name", target.service(side).into());
            meta::set(&mut spec, &["defaultBackend"], backend);
        }
        Ok(spec)
    }

    fn check_port(&self, target: &RouteTarget<'_>, backend: &Value, path: &str) -> Result<(), RouteError> {
        for field in ["number", "name"] {
            let asked = backend.pointer(&format!("/service/port/{field}")).filter(|asked| !asked.is_null());
            let problem = asked.map(|asked| target.port_problem(asked)).transpose()?.flatten();
            if let Some(problem) = problem {
                return Err(RouteError::malformed(
                    &self.key,
                    format!("{path}.service.port.{field}"),
                    problem,
                ));
            }
        }
        Ok(())
    }
}

/// The Services of ours that the paths of a generated Ingress lead to, in their order.
///
/// # Errors
/// [`RouteError::Edited`] when there is no path, or one leads elsewhere.
pub fn ingress_sides(route: &RouteContext<'_>, live: &Value) -> Result<Vec<Side>, RouteError> {
    let (key, mut backends) = (&route.key, Vec::new());
    for (path, _) in items(key, live, RULES).map_err(RouteError::corrected)? {
        let paths = items(key, live, &format!("{path}.http.paths")).map_err(RouteError::corrected)?;
        backends
            .extend(paths.into_iter().map(|(path, entry)| (format!("{path}.backend"), entry.get("backend"))));
    }
    if let Some(backend) = live.pointer("/spec/defaultBackend") {
        backends.push((DEFAULT.to_owned(), Some(backend)));
    }
    if backends.is_empty() {
        return Err(RouteError::edited(key, RULES, "has no path that leads to our Services"));
    }
    let sides = backends.into_iter().map(|(path, backend)| {
        let side = backend.and_then(service).and_then(|name| route.target.side(name));
        side.ok_or_else(|| RouteError::edited(key, path, "names a Service that is not ours"))
    });
    sides.collect()
}

fn service(backend: &Value) -> Option<&str> {
    backend.pointer("/service/name").and_then(Value::as_str)
}

fn names_apex(target: &RouteTarget<'_>, backend: &Value) -> bool {
    service(backend) == Some(target.apex)
}
