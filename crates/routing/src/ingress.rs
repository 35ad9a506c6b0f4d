//! The user's Ingress, and the one that is generated beside it with the same hosts and paths.

use serde_json::Value;
use vexil_api::{Defect, canary::CanarySpec};
use vexil_object::{Kind, MAX_NAME_BYTES, ObjectKey, Seen, kinds, meta};

use crate::{RouteContext, RouteError, RouteTarget, Side, items, put};

/// The built-in Ingress.
pub const INGRESS: Kind = Kind::namespaced("networking.k8s.io", "v1", "Ingress", "ingresses");

/// The groups that have had it. References of old manifests still name the others, and mean the same object.
const GROUPS: [&str; 2] = [INGRESS.group, "extensions"];

const RULES: &str = "spec.rules";
const DEFAULT: &str = "spec.defaultBackend";

/// Names of the user's Ingress, which `spec.ingressRef` has, and of the generated one.
///
/// # Errors
/// The defect of `spec.ingressRef`, whatever the cluster contains.
pub fn ingress_names(spec: &CanarySpec) -> Result<(&str, String), Defect> {
    let defect = |path: &str, message: String| Err(Defect { path: path.to_owned(), message });
    let Some(reference) = spec.ingress_ref.as_ref().filter(|reference| !reference.name.is_empty()) else {
        return defect("spec.ingressRef.name", "is missing: ingress selector is empty".to_owned());
    };
    let version = reference.api_version.as_deref().unwrap_or_default();
    if !version.is_empty() && !version.split('/').next().is_some_and(|group| GROUPS.contains(&group)) {
        let groups = GROUPS.join(", ");
        return defect("spec.ingressRef.apiVersion", format!("is {version:?}, not one of {groups}"));
    }
    if !reference.kind.is_empty() && reference.kind != INGRESS.kind {
        return defect("spec.ingressRef.kind", format!("is {:?}, not {}", reference.kind, INGRESS.kind));
    }
    let generated = format!("{}-canary", reference.name);
    if generated.len() > MAX_NAME_BYTES {
        let text = format!(
            "is too long: the generated {generated} would be longer than {MAX_NAME_BYTES} characters"
        );
        return defect("spec.ingressRef.name", text);
    }
    Ok((&reference.name, generated))
}

/// The user's Ingress.
#[derive(Clone, Debug)]
pub struct IngressSource<'a> {
    /// The object.
    pub key: ObjectKey,
    /// As it was observed.
    pub live: &'a Value,
}

impl<'a> IngressSource<'a> {
    /// The user's Ingress, and the generated one.
    ///
    /// # Errors
    /// The defect of `spec.ingressRef`.
    pub fn keys(target: &RouteTarget<'_>) -> Result<(ObjectKey, ObjectKey), RouteError> {
        let (users, generated) = ingress_names(target.spec)
            .map_err(|defect| RouteError::malformed(&canary(target), defect.path, defect.message))?;
        let key = |name: &str| ObjectKey::new(INGRESS, target.namespace, name);
        Ok((key(users), key(&generated)))
    }

    /// The user's Ingress as it was observed.
    ///
    /// # Errors
    /// [`RouteError::NotKnown`], and a defect of the Canary with Flagger's text when there is no such Ingress.
    pub fn of(route: &RouteContext<'a>) -> Result<Self, RouteError> {
        let (key, _) = IngressSource::keys(route.target)?;
        match route.have.get(&key) {
            Seen::NotKnown => Err(RouteError::NotKnown { object: key.to_string() }),
            Seen::Absent => {
                let name = format!("ingress {}.{}", key.name(), key.namespace());
                let problem =
                    format!("names an Ingress that does not exist: {name} get query error: not found");
                Err(RouteError::malformed(&canary(route.target), "spec.ingressRef.name", problem))
            }
            Seen::Present(live) => Ok(IngressSource { key, live }),
        }
    }

    /// The spec of the generated one: that of the user's, with the paths that lead to the apex alone, each of them once
    /// for every one of `sides`, and a default backend that does for `default`. A path that leads elsewhere is the
    /// user's Ingress's.
    ///
    /// # Errors
    /// [`RouteError::Malformed`] when no path leads to the apex, or one to a port that our Services do not have.
    pub fn spec(
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

fn canary(target: &RouteTarget<'_>) -> ObjectKey {
    ObjectKey::new(kinds::CANARY, target.namespace, &target.owner.name)
}
