//! What the operator makes of a guide's manifests, as the guides list it: once initialised, all of it must exist.

use anyhow::{Context as _, bail};
use serde_json::Value;
use vexil_testbed_cluster::objects::get;

use crate::{
    api::{Api, text},
    cast::PODINFO,
    guide::{Guide, NAMESPACE},
};

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    version: String,
    kind: String,
    name: String,
}

impl Object {
    fn new(version: &str, kind: &str, name: &str) -> Self {
        Object { version: version.to_owned(), kind: kind.to_owned(), name: name.to_owned() }
    }

    /// As `kubectl` prints it: `deployment.apps/podinfo-primary`.
    pub fn shown(&self) -> String {
        let group = self.version.split_once('/').map(|(group, _)| format!(".{group}")).unwrap_or_default();
        format!("{}{group}/{}", self.kind.to_lowercase(), self.name)
    }
}

/// All that the operator makes of a guide's Canary, but what the guide makes itself.
///
/// # Errors
/// When a manifest is no YAML.
pub fn expected(guide: &Guide) -> anyhow::Result<Vec<Object>> {
    let mut own = Vec::new();
    let mut has_scaler = false;
    for (name, manifest) in guide.manifests {
        let objects: Vec<Value> = serde_saphyr::from_multiple(manifest).context(*name)?;
        for object in objects {
            let part = |pointer: &str| text(&object, pointer);
            own.push(Object::new(part("/apiVersion"), part("/kind"), part("/metadata/name")));
            has_scaler |= object.pointer("/spec/autoscalerRef").is_some();
        }
    }
    let (primary, target) = (format!("{PODINFO}-primary"), guide.system.target);
    let mut all = Vec::new();
    if target.is_copied {
        all.push(Object::new(target.version, target.kind, &primary));
        for service in [PODINFO, &format!("{PODINFO}-canary"), &primary] {
            all.push(Object::new("v1", "Service", service));
        }
    }
    if has_scaler {
        all.push(Object::new("autoscaling/v2", "HorizontalPodAutoscaler", &primary));
    }
    if let (Some(kind), Some(place)) = (&guide.system.route, guide.cast().place()) {
        all.push(Object::new(kind.version(), kind.kind, &place.name));
    }
    all.retain(|object| !own.contains(object));
    Ok(all)
}

/// Looks at all of it.
///
/// # Errors
/// When some of it is not there.
pub async fn found(api: &Api, guide: &Guide) -> anyhow::Result<Vec<Object>> {
    let all = expected(guide)?;
    let mut missing = Vec::new();
    for object in &all {
        let seen = get(&api.client, &object.version, &object.kind, NAMESPACE, &object.name).await?;
        if seen.is_none() {
            missing.push(object.shown());
        }
    }
    if !missing.is_empty() {
        bail!("initialised without {}", missing.join(", "));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::guides;

    #[track_caller]
    fn check(guide: &str, expect: &[&str]) {
        let [guide] = guides(guide)[..] else { panic!("no such guide") };
        let shown: Vec<String> = expected(guide).unwrap().iter().map(Object::shown).collect();
        let services = ["service/podinfo", "service/podinfo-canary", "service/podinfo-primary"];
        let mut all: Vec<&str> = ["deployment.apps/podinfo-primary"].into_iter().chain(services).collect();
        all.extend(expect);
        all.retain(|object| guide.name != "kubernetes" || *object != "service/podinfo");
        all.sort_unstable();
        let mut found: Vec<&str> = shown.iter().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, all);
    }

    #[test]
    fn what_is_made_is_what_the_guides_list() {
        let scaler = "horizontalpodautoscaler.autoscaling/podinfo-primary";
        // The lists of Kuma's and APISIX's guide name a scaler too, but their Canaries refer to none.
        check("kuma", &["trafficroute.kuma.io/podinfo"]);
        check("smi-istio", &[scaler, "trafficsplit.split.smi-spec.io/podinfo"]);
        check("traefik", &[scaler, "traefikservice.traefik.containo.us/podinfo"]);
        check("apisix", &["apisixroute.apisix.apache.org/podinfo-podinfo-canary"]);
        check("kubernetes", &[scaler]);
    }

    #[test]
    fn nothing_is_made_for_a_knative_service() {
        let [guide] = guides("knative")[..] else { panic!("no such guide") };
        assert_eq!(expected(guide).unwrap(), []);
    }
}
