//! The CRDs that are applied to a real API server, as they are in the repository.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, bail};
use serde_json::Value;
use vexil_launcher::root;

use crate::api::{Api, DEFINITIONS, text};

/// Ours, as `cargo xtask crds` writes them.
const OURS: &str = "crds";
/// Those of the routers.
const ROUTERS: &str = "crates/testbed-cluster/crds";

/// The CRD of the Canary.
pub fn canary() -> anyhow::Result<Value> {
    read(&Path::new(OURS).join("canaries.yaml"))?.into_iter().next().context("no CRD of the Canary")
}

/// All CRDs of `flagger.app`.
pub fn ours() -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for name in ["canaries.yaml", "metrictemplates.yaml", "alertproviders.yaml"] {
        all.extend(read(&Path::new(OURS).join(name))?);
    }
    Ok(all)
}

/// The CRDs of Traefik.
pub fn traefik() -> anyhow::Result<Vec<Value>> {
    read(&Path::new(ROUTERS).join("traefik.io.yaml"))
}

/// The CRD of KEDA, which is beside every system.
pub const KEDA: &str = "scaledobjects.keda.sh";

/// The CRDs of all systems.
pub fn routers() -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for name in [
        "apisix.apache.org.yaml",
        "gateway.networking.k8s.io.yaml",
        "keda.sh.yaml",
        "kuma.io.yaml",
        "networking.istio.io-routes.yaml",
        "projectcontour.io.yaml",
        "serving.knative.dev.yaml",
        "solo.io.yaml",
        "split.smi-spec.io.yaml",
        "traefik.containo.us.yaml",
        "traefik.io.yaml",
    ] {
        all.extend(read(&Path::new(ROUTERS).join(name))?);
    }
    Ok(all)
}

/// One CRD of a system.
pub fn router(name: &str) -> anyhow::Result<Value> {
    let found = routers()?.into_iter().find(|definition| text(definition, "/metadata/name") == name);
    found.with_context(|| format!("no CRD {name}"))
}

/// Where the CRDs of a stage come from.
#[derive(Debug)]
pub enum Source {
    /// The repository: narrowed to the fields that we touch.
    Narrow,
    /// The products themselves.
    Products(Vec<Value>),
}

impl Source {
    /// The CRDs of the products, in the folder that `VEXIL_PRODUCT_CRDS` names; `None` when it names none, which it
    /// says.
    pub fn products() -> anyhow::Result<Option<Self>> {
        let Some(folder) = std::env::var_os("VEXIL_PRODUCT_CRDS").filter(|folder| !folder.is_empty()) else {
            println!("e2e: SKIPPED: the products' own CRDs: VEXIL_PRODUCT_CRDS names no folder of them");
            return Ok(None);
        };
        // By kubectl, as users install them: it reads YAML that stricter readers refuse.
        let read = Command::new("kubectl")
            .args(["create", "--dry-run=client", "--validate=false", "-o", "json", "-f"])
            .arg(&folder)
            .output()
            .context("kubectl, to read the CRDs of VEXIL_PRODUCT_CRDS")?;
        if !read.status.success() {
            bail!("{}: {}", folder.display(), String::from_utf8_lossy(&read.stderr));
        }
        let documents = serde_json::Deserializer::from_slice(&read.stdout).into_iter::<Value>();
        let mut all = Vec::new();
        for document in documents {
            let mut document = document?;
            match document.get_mut("items").and_then(Value::as_array_mut) {
                Some(items) => all.append(items),
                None => all.push(document),
            }
        }
        all.retain(|object| text(object, "/kind") == "CustomResourceDefinition");
        Ok(Some(Source::Products(all)))
    }

    /// The CRD of this name, if there is one.
    pub fn find(&self, name: &str) -> anyhow::Result<Option<Value>> {
        match self {
            Source::Narrow => router(name).map(Some),
            Source::Products(all) => {
                Ok(all.iter().find(|definition| text(definition, "/metadata/name") == name).cloned())
            }
        }
    }
}

/// Installs CRDs, and waits until they are served.
pub async fn install(api: &Api, definitions: &[Value]) -> anyhow::Result<()> {
    for definition in definitions {
        api.apply(DEFINITIONS, "", definition).await?;
    }
    for definition in definitions {
        api.served(text(definition, "/metadata/name")).await?;
    }
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Vec<Value>> {
    let file = root().join(file);
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let all: Vec<Value> = serde_saphyr::from_multiple(&text)?;
    Ok(all.into_iter().filter(|object| !object.is_null()).collect())
}
