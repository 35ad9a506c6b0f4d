//! Taking over primaries that Flagger made: what its copy has otherwise than ours, though it runs the same.
//!
//! With config tracking Flagger copies each ConfigMap and Secret that the target uses to `<name>-primary`, and has the
//! primary use the copies. And it rewrites other affinity terms than we do. Neither is a reason
//! to touch a primary that serves.

use serde_json::Value;

use super::{ConfigName, rename, tracked::TrackedConfigs};
use crate::{affinity, revision};

/// The digest of a pod template, without what only another operator's copy has.
pub(crate) fn neutral(template: &Value, tracked: &TrackedConfigs) -> String {
    let mut template = template.clone();
    if let Some(spec) = template.get_mut("spec") {
        affinity::neutralise(spec);
        rename(spec, |name| own_name(name, tracked));
    }
    revision::plain(&template)
}

/// The name that a copy was made of, if that is tracked.
fn own_name(name: &ConfigName, tracked: &TrackedConfigs) -> Option<String> {
    let text = name.to_string();
    let source = ConfigName::parse(text.strip_suffix("-primary")?)?;
    tracked.contains_key(&source.to_string()).then(|| source.name().to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A pod template with every kind of reference.
    fn template(config: &str, secret: &str, affine: &str) -> Value {
        let mut spec = super::super::references::tests::pod_spec(config, secret);
        spec["topologySpreadConstraints"] = json!([{"labelSelector": {"matchLabels": {"app": affine}}}]);
        json!({"spec": spec})
    }

    fn check(one: Value, other: Value, tracked: &[&str], same: bool) {
        let tracked = tracked.iter().map(|key| ((*key).to_owned(), "0".to_owned())).collect();
        assert_eq!(neutral(&one, &tracked) == neutral(&other, &tracked), same, "{one} and {other}");
    }

    #[test]
    fn copies_of_tracked_configs_are_what_they_were_copied_from() {
        let own = template("conf", "key", "web");
        let both = ["configmap/conf", "secret/key"];
        check(own.clone(), template("conf-primary", "key-primary", "web"), &both, true);
        check(own.clone(), template("conf-primary", "key", "web"), &both, true);
        check(own.clone(), template("conf-primary", "key-primary", "web"), &both[..1], false);
        check(own.clone(), template("conf-primary", "key", "web"), &[], false);
        check(own.clone(), template("other", "key", "web"), &both, false);
        check(own, template("conf", "key", "web-primary"), &[], true);
    }
}
