//! The kustomizations of the guides. What they install is made from the charts, so that the two never differ; `kubectl
//! apply -k` can fetch them without Helm.

use std::{fs, process::Command};

use anyhow::{Context as _, bail};
use serde_json::Value;
use vexil_launcher::root;

use super::helm::{Helm, Release, objects, said};

/// The first line of a file that is made here.
const HEADER: &str = "# Made by `cargo xtask charts --write` from charts/. Do not edit.\n";

/// Labels that Helm's own releases carry: these objects belong to none.
const OF_HELM: [&str; 2] = ["app.kubernetes.io/managed-by", "helm.sh/chart"];

/// Each folder of `kustomize/` that applies something of ours: the file that is made in it, and of what. Names are
/// those that the guides use.
const MADE: [(&str, Release<'_>); 14] = [
    (
        "kuma/operator.yaml",
        operator(
            "kuma-system",
            &[
                "meshProvider=kuma",
                "metricsServer=http://prometheus-server.mesh-observability:80",
                COMMON,
                NO_CRDS,
            ],
        ),
    ),
    ("istio/operator.yaml", operator("istio-system", &["meshProvider=istio", COMMON, NO_CRDS])),
    (
        "linkerd/operator.yaml",
        operator(
            "flagger-system",
            &["meshProvider=linkerd", "metricsServer=http://prometheus.linkerd-viz:9090", COMMON, NO_CRDS],
        ),
    ),
    (
        "gateway-api/operator.yaml",
        operator("gateway-system", &["meshProvider=gatewayapi:v1", PROMETHEUS, COMMON, NO_CRDS]),
    ),
    ("smi-istio/operator.yaml", operator("istio-system", &["meshProvider=smi:istio", COMMON, NO_CRDS])),
    ("traefik/operator.yaml", operator("traefik", &["meshProvider=traefik", PROMETHEUS, COMMON, NO_CRDS])),
    ("apisix/operator.yaml", operator("apisix", &["meshProvider=apisix", PROMETHEUS, COMMON, NO_CRDS])),
    (
        "contour/operator.yaml",
        operator("projectcontour", &["meshProvider=contour", PROMETHEUS, COMMON, NO_CRDS]),
    ),
    ("gloo/operator.yaml", operator("gloo-system", &["meshProvider=gloo", PROMETHEUS, COMMON, NO_CRDS])),
    ("nginx/operator.yaml", operator("ingress-nginx", &["meshProvider=nginx", PROMETHEUS, COMMON, NO_CRDS])),
    (
        "skipper/operator.yaml",
        operator("kube-system", &["meshProvider=skipper", PROMETHEUS, COMMON, NO_CRDS]),
    ),
    (
        "knative/operator.yaml",
        operator("flagger-system", &["meshProvider=knative", PROMETHEUS, COMMON, NO_CRDS]),
    ),
    (
        "kubernetes/operator.yaml",
        operator("flagger-system", &["meshProvider=kubernetes", PROMETHEUS, COMMON, NO_CRDS]),
    ),
    (
        "tester/tester.yaml",
        Release {
            name: "flagger-loadtester",
            namespace: "test",
            chart: "loadtester",
            values: &["resources.limits.cpu=1000m", "resources.limits.memory=512Mi"],
        },
    ),
];

/// Every folder, with those that are written by hand alone.
const FOLDERS: [&str; 15] = [
    "apisix",
    "contour",
    "gateway-api",
    "gloo",
    "istio",
    "knative",
    "kubernetes",
    "kuma",
    "linkerd",
    "nginx",
    "podinfo",
    "skipper",
    "smi-istio",
    "tester",
    "traefik",
];

const PROMETHEUS: &str = "prometheus.install=true";
const COMMON: &str = "includeLabelPrefix=app.kubernetes.io";
/// They come from `crds/`.
const NO_CRDS: &str = "crd.create=false";

const fn operator(namespace: &'static str, values: &'static [&'static str]) -> Release<'static> {
    Release { name: "flagger", namespace, chart: "vexil", values }
}

/// Writes what is made, or says which files are not what the charts say.
pub fn made(helm: &Helm, write: bool) -> anyhow::Result<()> {
    let mut stale = Vec::new();
    for (name, release) in MADE {
        let mut text = HEADER.to_owned();
        for mut object in helm.template(&release)? {
            for at in ["/metadata/labels", "/spec/template/metadata/labels"] {
                if let Some(labels) = object.pointer_mut(at).and_then(Value::as_object_mut) {
                    labels.retain(|label, _| !OF_HELM.contains(&label.as_str()));
                }
            }
            text.push_str("---\n");
            text.push_str(&serde_saphyr::to_string(&object)?);
        }
        let file = root().join("kustomize").join(name);
        if fs::read_to_string(&file).unwrap_or_default() != text {
            match write {
                true => fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?,
                false => stale.push(name),
            }
        }
    }
    if !stale.is_empty() {
        bail!(
            "kustomize/ is not what the charts say ({}); run `cargo xtask charts --write`",
            stale.join(", ")
        );
    }
    Ok(())
}

/// The objects of every kustomization, as `kubectl apply -k` would send them.
pub fn built() -> anyhow::Result<Vec<(&'static str, Vec<Value>)>> {
    FOLDERS.into_iter().map(|folder| Ok((folder, build(folder)?))).collect()
}

fn build(folder: &str) -> anyhow::Result<Vec<Value>> {
    let mut command = Command::new("kubectl");
    command.arg("kustomize").arg(root().join("kustomize").join(folder));
    let built = objects(&said(command).with_context(|| format!("kustomize/{folder}"))?)?;
    let definitions = built.iter().filter(|object| object["kind"] == "CustomResourceDefinition").count();
    let operator = built.iter().any(|object| object["kind"] == "ClusterRole");
    if definitions != if operator { 3 } else { 0 } {
        bail!("kustomize/{folder}: {definitions} CRDs");
    }
    Ok(built)
}
