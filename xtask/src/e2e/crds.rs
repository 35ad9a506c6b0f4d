//! The CRDs that the suite applies, as they stand in the repository.

use std::{fs, path::Path};

use anyhow::Context as _;
use serde_json::Value;

use super::{
    api::{Api, DEFINITIONS},
    recorder::text,
};

/// Ours, as `cargo xtask crds` writes them.
const OURS: &str = "../crds";
/// Those of the routers.
const ROUTERS: &str = "../crates/testbed/crds";

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
        "keda.sh.yaml",
        "kuma.io.yaml",
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
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let all: Vec<Value> = serde_saphyr::from_multiple(&text)?;
    Ok(all.into_iter().filter(|object| !object.is_null()).collect())
}
