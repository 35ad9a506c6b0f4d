//! The Upstreams of primary and canary, and the one of the user whose settings they have.

use vexil_object::{Kind, ObjectKey, Objects, Seen};
use vexil_routing::{Companion, RouteError, RouteTarget, Side, pointer};

const UPSTREAM: Kind = Kind::namespaced("gloo.solo.io", "v1", "Upstream", "upstreams");

/// The settings that Upstreams have from the user's. Where they are and what they lead to is not among them.
const SETTINGS: [&str; 8] = [
    "spec.sslConfig",
    "spec.circuitBreakers",
    "spec.connectionConfig",
    "spec.loadBalancerConfig",
    "spec.useHttp2",
    "spec.initialStreamWindowSize",
    "spec.initialConnectionWindowSize",
    "spec.httpProxyHostname",
];

/// The name of a side's Upstream.
///
/// # Errors
/// When the Canary has no port.
pub(crate) fn name(target: &RouteTarget<'_>, side: Side) -> Result<String, RouteError> {
    Ok(format!("{}{}", prefix(target, side), target.port()?))
}

/// The side that an Upstream is for, on any port: after an edit of the port the route still leads to the former ones.
pub(crate) fn side(target: &RouteTarget<'_>, name: &str) -> Option<Side> {
    let is = |side: &Side| {
        let port = name.strip_prefix(&prefix(target, *side));
        port.is_some_and(|port| port.parse::<u16>().is_ok())
    };
    [Side::Primary, Side::Canary].into_iter().find(is)
}

fn prefix(target: &RouteTarget<'_>, side: Side) -> String {
    let side = match side {
        Side::Primary => "primary",
        Side::Canary => "canary",
    };
    format!("{}-{}-{side}upstream-", target.namespace, target.apex)
}

/// The user's Upstream, if the Canary names one.
pub(crate) fn source(target: &RouteTarget<'_>) -> Option<ObjectKey> {
    let reference = target.spec.upstream_ref.as_ref()?;
    let namespace = reference.namespace.as_deref().filter(|namespace| !namespace.is_empty());
    Some(ObjectKey::new(UPSTREAM, namespace.unwrap_or(target.namespace), &reference.name))
}

/// Refuses a reference to an Upstream that is missing.
pub(crate) fn check_source(target: &RouteTarget<'_>, have: &Objects) -> Result<(), RouteError> {
    let Some(key) = source(target) else { return Ok(()) };
    match have.get(&key) {
        Seen::NotKnown => Err(RouteError::NotKnown { object: key.to_string() }),
        Seen::Present(_) => Ok(()),
        Seen::Absent => Err(RouteError::Malformed {
            object: format!("Canary {}.{}", target.owner.name, target.namespace),
            path: "spec.upstreamRef".to_owned(),
            problem: format!("names an Upstream that does not exist: {key}"),
        }),
    }
}

/// One for each side.
pub(crate) fn wanted(target: &RouteTarget<'_>, have: &Objects) -> Vec<Companion> {
    let users = source(target).and_then(|key| have.get(&key).object());
    let setting = |path: &'static str| Some((path, users?.pointer(&pointer(path))?.clone()));
    let one = |side| {
        let mut fields = vec![
            ("spec.kube.serviceName", target.service(side).into()),
            ("spec.kube.serviceNamespace", target.namespace.into()),
            ("spec.kube.servicePort", target.port().ok()?.into()),
        ];
        fields.extend(SETTINGS.into_iter().filter_map(setting));
        let key = ObjectKey::new(UPSTREAM, target.namespace, name(target, side).ok()?);
        Some(Companion { key, fields: Some(fields) })
    };
    [Side::Primary, Side::Canary].into_iter().filter_map(one).collect()
}
