//! Pods behind a Service that do not belong to its Deployment: those of a StatefulSet, of a DaemonSet, or of no
//! controller.

use serde_json::Value;

use crate::endpoints::ready_names;

/// Longest name of a Deployment whose pods are known by their names: longer ones are cut (Kubernetes, `generateName`).
const NAME_LIMIT: usize = 40;

/// Pods in the slices of one Service that are not named as those of the Deployment `name` are: `<name>-<hash>-<5
/// characters>`. Other workloads name theirs otherwise. Each is returned without the random end of its name, so that a
/// replaced pod gives the same name. Empty for a name that is too long to decide.
pub fn strangers<'a>(name: &str, slices: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    if name.len() > NAME_LIMIT {
        return Vec::new();
    }
    let pods = slices.into_iter().flat_map(ready_names);
    let strangers = pods.filter(|pod| !is_address(pod) && !is_own(name, pod));
    let mut strangers: Vec<_> = strangers.map(|pod| stem(pod).to_owned()).collect();
    strangers.sort_unstable();
    strangers.dedup();
    strangers
}

/// An endpoint that names no pod is known by its address.
fn is_address(endpoint: &str) -> bool {
    endpoint.contains(':') || endpoint.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// A name without up to two generated parts at its end: random ones have no vowels, ordinals are digits.
fn stem(pod: &str) -> &str {
    let is_generated =
        |part: &str| !part.contains(['a', 'e', 'i', 'o', 'u']) || part.chars().any(|c| c.is_ascii_digit());
    (0..2).fold(pod, |name, _| match name.rsplit_once('-') {
        Some((stem, end)) if is_generated(end) => stem,
        _ => name,
    })
}

fn is_own(name: &str, pod: &str) -> bool {
    let rest = pod.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
    let word =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    rest.and_then(|rest| rest.split_once('-'))
        .is_some_and(|(hash, end)| word(hash) && word(end) && end.len() == 5)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pods_of_other_workloads_are_found_by_their_names() {
        let check = |pod: &str, stranger: &str| {
            let endpoint = json!({"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": pod}});
            let slice = json!({"endpoints": [endpoint, {"addresses": ["fd00::1"]}], "ports": [{"port": 80}]});
            assert_eq!(strangers("web", [&slice]).join(","), stranger, "{pod}");
        };
        check("web-5c55c4675d-x7k2p", "");
        check("web-api-5c55c4675d-bcdfg", "web-api");
        check("web-0", "web");
        check("web-x7k2p", "web");
        check("shop-web-5c55c4675d-x7k2p", "shop-web");
        check("debug", "debug");
    }
}
