//! A route that is a copy of the user's: its metadata, its ports, and what happens without the user's object.

use serde_json::Value;
use vexil_object::meta;

use crate::{MARKERS, RouteError, RouteRequest, RouteTarget, Routes, Side};

/// Keys, or prefixes of keys, by which tools recognise the objects that they applied or that they work for. With them
/// on the copy, the pruner of a GitOps tool would delete it, because it is not in the repository, and cert-manager
/// would request its certificate a second time.
const TRACKING: [&str; 13] = [
    "acme.cert-manager.io/",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "applyset.kubernetes.io/",
    "argocd.argoproj.io/",
    "cert-manager.io/",
    "config.k8s.io/owning-inventory",
    "helm.toolkit.fluxcd.io/",
    "kapp.k14s.io/",
    "kubectl.kubernetes.io/last-applied-configuration",
    "kubernetes.io/tls-acme",
    "kustomize.toolkit.fluxcd.io/",
    "meta.helm.sh/",
];

/// A new object with the labels and annotations of the user's.
pub(crate) fn labelled(users: &Value, mut bare: Value) -> Value {
    for map in ["labels", "annotations"] {
        if let Some(theirs) = users.pointer(&format!("/metadata/{map}")) {
            meta::set(&mut bare, &["metadata", map], theirs.clone());
        }
    }
    bare
}

/// Removes the tracking metadata of tools, except for the annotations that exclude the object from Flux.
pub(crate) fn untrack(object: &mut Value) {
    retain_metadata(object, |key| {
        !TRACKING.iter().any(|mark| key.starts_with(mark)) || MARKERS.iter().any(|(marker, _)| *marker == key)
    });
}

/// Removes the labels and annotations whose key is not to be kept, and a map that is empty then.
pub fn retain_metadata(object: &mut Value, keep: impl Fn(&str) -> bool) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    for map in ["labels", "annotations"] {
        let Some(keys) = metadata.get_mut(map).and_then(Value::as_object_mut) else { continue };
        keys.retain(|key, _| keep(key));
        if keys.is_empty() {
            metadata.remove(map);
        }
    }
}

/// Writes `ours` among the annotations, in place of all that `is_ours`. If the user's object is known, its annotations
/// that the copy `follows` are those of the copy too; others are left alone.
pub fn follow_annotations(
    object: &mut Value,
    users: Option<&Value>,
    is_ours: impl Fn(&str) -> bool,
    follows: impl Fn(&str) -> bool,
    ours: impl IntoIterator<Item = (String, String)>,
) {
    let map = |of: &Value| of.pointer("/metadata/annotations").and_then(Value::as_object).cloned();
    let follows = |key: &str| !is_ours(key) && follows(key);
    let mut annotations = map(object).unwrap_or_default();
    annotations.retain(|key, _| !(is_ours(key) || users.is_some() && follows(key)));
    let theirs = users.and_then(map).unwrap_or_default();
    annotations.extend(theirs.into_iter().filter(|(key, _)| follows(key)));
    annotations.extend(ours.into_iter().map(|(key, value)| (key, value.into())));
    meta::set(object, &["metadata", "annotations"], annotations.into());
}

/// The copy as it follows the user's object. When that object cannot be followed, the copy stays as it is, because it
/// serves the traffic; only the canary's share may still be `reduced`, so that a rollback does not wait until the
/// user's object is corrected.
///
/// # Errors
/// The error of `followed`, when more is requested than to reduce the canary's share.
pub(crate) fn followed_or_reduced(
    followed: Result<Value, RouteError>,
    live: Result<Routes, RouteError>,
    want: &RouteRequest<'_>,
    reduced: impl FnOnce() -> Result<Value, RouteError>,
) -> Result<Value, RouteError> {
    match (followed, live) {
        (Err(error @ RouteError::NotKnown { .. }), _) => Err(error),
        (Err(_), Ok(routes))
            if !routes.canary().is_zero() && want.weight(Side::Canary) <= routes.canary() =>
        {
            reduced()
        }
        (followed, _) => followed,
    }
}

impl RouteTarget<'_> {
    /// What is wrong with a port, a name or a number, by which a backend asks for the apex. The -primary and -canary
    /// Services have the same ports, so with one that they do not have neither backend would have endpoints.
    ///
    /// # Errors
    /// When the Canary has no port.
    pub fn port_problem(&self, asked: &Value) -> Result<Option<String>, RouteError> {
        let mut ports = Vec::new();
        // Copies of a Service have its ports, whatever the Canary says.
        if !self.copies_service() {
            ports.push((self.port_name(), self.port()?));
        }
        ports.extend(self.discovered_ports.iter().map(|(name, number)| (name.as_str(), i64::from(*number))));
        let named = |(name, number): &(&str, i64)| match asked {
            Value::String(text) => text == name || text.parse() == Ok(*number),
            number_asked => number_asked.as_i64() == Some(*number),
        };
        if ports.iter().any(named) {
            return Ok(None);
        }
        let shown = |(name, number): &(&str, i64)| match *name {
            "" => number.to_string(),
            name => format!("{name} ({number})"),
        };
        let known: Vec<_> = ports.iter().map(shown).collect();
        let apex = self.apex;
        Ok(Some(format!("is {asked}, which Service {apex} does not have; it has {}", known.join(", "))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::laws::Sample;

    #[test]
    fn a_port_is_compared_with_all_that_the_services_have() {
        let check = |kind: &str, found: &[(&str, u16)], asked: serde_json::Value, known: Option<&str>| {
            let mut sample = Sample::default();
            kind.clone_into(&mut sample.spec.target_ref.kind);
            sample.ports = found.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
            let problem = sample.target().port_problem(&asked).unwrap();
            let expect =
                known.map(|known| format!("is {asked}, which Service podinfo does not have; it has {known}"));
            assert_eq!(problem, expect, "{kind} {found:?} {asked}");
        };
        check("Deployment", &[], json!(80), None);
        check("Deployment", &[], json!("http"), None);
        check("Deployment", &[], json!("80"), None);
        check("Deployment", &[], json!(9090), Some("http (80)"));
        check("Deployment", &[("metrics", 9090)], json!("metrics"), None);
        check("Deployment", &[("metrics", 9090)], json!(90), Some("http (80), metrics (9090)"));
        let own = [("web", 8080), ("admin", 9090)];
        check("Service", &own, json!("web"), None);
        check("Service", &own, json!(9090), None);
        check("Service", &own, json!(80), Some("web (8080), admin (9090)"));
        check("Service", &[("", 8080)], json!(8080), None);
        check("Service", &[("", 8080)], json!("http"), Some("8080"));
    }
}
