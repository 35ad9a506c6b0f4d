//! The DestinationRules of primary and canary, which carry `service.trafficPolicy`.

use serde_json::json;
use vexil_object::{Kind, ObjectKey};
use vexil_routing::{Companion, RouteTarget, Side};

const DESTINATION_RULE: Kind =
    Kind::namespaced("networking.istio.io", "v1beta1", "DestinationRule", "destinationrules");

/// One for each side while the Canary has a traffic policy. Without one there is none: a DestinationRule that is empty
/// would replace a less specific one that the mesh has for all hosts, with its TLS settings.
pub(crate) fn wanted(target: &RouteTarget<'_>) -> Vec<Companion> {
    let policy = target.spec.service.traffic_policy.as_ref();
    [Side::Canary, Side::Primary]
        .map(|side| {
            let host = target.service(side);
            Companion {
                key: ObjectKey::new(DESTINATION_RULE, target.namespace, &host),
                fields: policy.map(|policy| {
                    vec![("spec.host", host.clone().into()), ("spec.trafficPolicy", json!(policy))]
                }),
            }
        })
        .into()
}
