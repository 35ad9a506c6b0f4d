//! The VirtualService that the adapter makes of a TrafficSplit.

use serde_json::Value;

use crate::controllers::Snapshot;
use crate::gateway::istio::{Host, MESH, fits, open_for};
use crate::gateway::mesh::{Asked, Entrance, Split};
use crate::view;

/// Where the adapter looks for gateways: a JSON list of names.
const GATEWAYS: &str = "VirtualService.v1alpha3.networking.istio.io/spec.gateways";

/// A VirtualService.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Virtual {
    host: Host,
    /// Whether sidecars follow it.
    in_mesh: bool,
    /// The hosts for which gateways are open that follow it.
    open_for: Vec<String>,
    /// Where its requests go.
    pub split: Split,
}

impl Virtual {
    /// Reads a TrafficSplit; `None` when Istio refuses what becomes of it.
    pub fn read(object: &Value, seen: &Snapshot) -> Option<Self> {
        let namespace = view::namespace(object);
        let split = split(object, namespace).or_else(|| {
            tracing::warn!(namespace, name = view::name(object), "a TrafficSplit without weight is left out");
            None
        })?;
        let listed = serde_json::from_str::<Vec<String>>(view::annotation(object, GATEWAYS));
        let gateways = listed.unwrap_or_default();
        let open_for = gateways.iter().flat_map(|name| open_for(name, namespace, seen)).collect();
        Some(Virtual {
            host: Host::read(view::text(object, "/spec/service"), namespace),
            in_mesh: gateways.is_empty() || gateways.iter().any(|name| name == MESH),
            open_for,
            split,
        })
    }

    /// Whether it is about a request.
    pub fn takes(&self, asked: &Asked<'_>) -> bool {
        match asked.entrance {
            Entrance::Sidecar => self.in_mesh && self.host.means(asked),
            Entrance::Gateway => {
                self.open_for.iter().any(|open| fits(open, asked.host)) && self.host.means(asked)
            }
        }
    }
}

/// The backends with their percentages; `None` when they have no weight.
fn split(object: &Value, namespace: &str) -> Option<Split> {
    let backends = view::list(object, "/spec/backends");
    let weights: Vec<u64> =
        backends.iter().map(|backend| thousandths(backend.get("weight").unwrap_or(&Value::Null))).collect();
    let total = weights.iter().sum::<u64>();
    if total == 0 {
        return None;
    }
    let last = backends.len() - 1;
    let mut left = 100;
    let percentages = weights.iter().enumerate().map(|(place, weight)| {
        let share = if place == last { left } else { (weight * 100 / total).min(left) };
        left -= share;
        share
    });
    let target = |backend: &Value| Host::read(view::text(backend, "/service"), namespace).target(None);
    Some(percentages.zip(backends.iter().map(target)).collect())
}

/// A weight in thousandths, as the adapter takes it: a number, or a quantity without a suffix or with `m`; any other
/// suffix is no weight.
pub(in crate::gateway) fn thousandths(weight: &Value) -> u64 {
    let Some(text) = weight.as_str() else { return weight.as_u64().unwrap_or(0).saturating_mul(1000) };
    if let Some(milli) = text.strip_suffix('m') {
        return milli.parse().unwrap_or(0);
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = format!("{part:0<3}");
    let part = part.get(..3).and_then(|digits| digits.parse::<u64>().ok());
    match (whole.parse::<u64>(), part) {
        (Ok(whole), Some(part)) => whole.saturating_mul(1000).saturating_add(part),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(weights: &[Value], expect: Option<&[u64]>) {
        let backends: Vec<Value> =
            weights.iter().map(|weight| json!({"service": "a", "weight": weight})).collect();
        let got = split(&json!({"spec": {"backends": backends}}), "test");
        let got = got.map(|split| split.into_iter().map(|(percent, _)| percent).collect::<Vec<_>>());
        assert_eq!(got.as_deref(), expect, "{weights:?}");
    }

    #[test]
    fn weights_become_percentages_and_the_last_takes_what_is_left() {
        check(&[json!("25"), json!("75")], Some(&[25, 75]));
        check(&[json!(25), json!(75)], Some(&[25, 75]));
        check(&[json!("500m"), json!("0.5")], Some(&[50, 50]));
        check(&[json!(1), json!(1), json!(1)], Some(&[33, 33, 34]));
        check(&[json!("0"), json!("100")], Some(&[0, 100]));
        check(&[json!("1k"), json!("1")], Some(&[0, 100]));
        check(&[json!("0"), json!(0)], None);
        check(&[], None);
    }
}
