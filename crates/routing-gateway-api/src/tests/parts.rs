//! The parts of which the expected routes consist.

use serde_json::{Value, json};
use vexil_routing::{Routes, SessionCookies, Weight, laws::Sample};

use super::sample;

use crate::kinds::HTTP;
/// No cookies.
pub(super) const NONE: SessionCookies<'_> = SessionCookies { canary: None, primary: None, previous: None };

/// Weights alone.
pub(super) fn split(canary: u32) -> Routes {
    Routes::split(Weight::clamped(canary))
}

/// Weights for clients without a cookie.
pub(super) fn sticky(canary: u32) -> Routes {
    Routes::Sticky { canary: Weight::clamped(canary) }
}

/// The `backendRefs` entry of one copy.
pub(super) fn entry(name: &str, weight: u32) -> Value {
    json!({"group": "", "kind": "Service", "name": format!("podinfo-{name}"), "port": 80, "weight": weight})
}

/// The filter that sets this cookie.
pub(super) fn setting(cookie: &str) -> Value {
    let add = json!([{"name": "Set-Cookie", "value": cookie}]);
    json!([{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": add}}])
}

/// The condition that every request meets.
pub(super) fn everything() -> Value {
    json!([{"path": {"type": "PathPrefix", "value": "/"}}])
}

/// The condition on a cookie.
pub(super) fn cookie(pattern: &str) -> Value {
    let header = json!({"type": "RegularExpression", "name": "Cookie", "value": pattern});
    json!([{"path": {"type": "PathPrefix", "value": "/"}, "headers": [header]}])
}

/// The Canary of the guide, with these fields of `service` and `analysis`.
pub(super) fn with(service: Value, analysis: Value) -> Sample {
    let mut sample = sample(HTTP);
    let mut spec = serde_json::to_value(&sample.spec).unwrap();
    vexil_object::merge(&mut spec, &json!({"service": service, "analysis": analysis}));
    sample.spec = serde_json::from_value(spec).unwrap();
    sample
}
