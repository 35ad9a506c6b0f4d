//! What the target of a guide's Canary is: everything in which two kinds differ for those who play guides.

use serde_json::Value;

use crate::{
    api::{DEPLOYMENTS, Resource, text},
    cast::Cast,
    guide::{CONTAINER, NAMESPACE},
};

/// A kind of target. Its pod template is where that of a Deployment is.
#[derive(Debug)]
pub struct Target {
    /// Its `apiVersion`.
    pub version: &'static str,
    /// Its kind.
    pub kind: &'static str,
    /// The path before the namespace, and the plural.
    pub of: Resource,
    /// Whether the operator makes a primary beside it, with Services.
    pub is_copied: bool,
    /// The Deployments that run primary and canary, as the target itself says.
    pub deployments: fn(&Cast, &Value) -> [String; 2],
    /// The command that pushes an image.
    pub push: fn(name: &str, image: &str) -> String,
    /// A part of the Event about an image that cannot be pulled.
    pub unpulled: &'static str,
}

/// A Deployment, of which the operator makes a copy.
pub static DEPLOYMENT: Target = Target {
    version: "apps/v1",
    kind: "Deployment",
    of: DEPLOYMENTS,
    is_copied: true,
    deployments: |cast, _| [cast.primary(), cast.target.clone()],
    push: |name, image| format!("kubectl -n {NAMESPACE} set image deployment/{name} {CONTAINER}={image}"),
    unpulled: "ImagePullBackOff",
};

/// A Knative Service. Knative makes a Deployment of each Revision.
pub static KNATIVE_SERVICE: Target = Target {
    version: "serving.knative.dev/v1",
    kind: "Service",
    of: ("/apis/serving.knative.dev/v1", "services"),
    is_copied: false,
    deployments: |_, live| {
        ["/metadata/annotations/flagger.app~1primary-revision", "/status/latestCreatedRevisionName"]
            .map(|revision| format!("{}-deployment", text(live, revision)))
    },
    push: |name, image| {
        // `kubectl set image` knows the kinds of Kubernetes alone.
        let at = "/spec/template/spec/containers/0/image";
        let patch = format!(r#"[{{"op": "replace", "path": "{at}", "value": "{image}"}}]"#);
        format!("kubectl -n {NAMESPACE} patch ksvc {name} --type=json -p '{patch}'")
    },
    unpulled: "Knative Revision",
};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::systems::{KNATIVE, TRAEFIK};

    #[test]
    fn a_target_says_which_deployments_run_both_sides() {
        let check = |target: &Target, cast: &Cast, live: Value, expect: [&str; 2]| {
            assert_eq!((target.deployments)(cast, &live), expect);
        };
        let cast = Cast::new(&TRAEFIK, "test");
        check(&DEPLOYMENT, &cast, Value::Null, ["podinfo-primary", "podinfo"]);
        let live = json!({
            "metadata": {"annotations": {"flagger.app/primary-revision": "podinfo-00001"}},
            "status": {"latestCreatedRevisionName": "podinfo-00002"},
        });
        let both = ["podinfo-00001-deployment", "podinfo-00002-deployment"];
        check(&KNATIVE_SERVICE, &Cast::new(&KNATIVE, "test"), live, both);
    }
}
