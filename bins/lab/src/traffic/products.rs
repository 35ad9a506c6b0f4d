//! Products whose own program is the gateway of a guide, where `tools/gateways/build.sh` has built it.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use serde_json::Value;

use vexil_testbed_rig::{guide::Guide, record::Splitting};

/// A product.
#[derive(Debug)]
pub struct Product {
    /// What people call it.
    pub name: &'static str,
    /// The guide that it is the gateway of.
    pub guide: &'static str,
    /// Its program. The definitions of its kinds are beside it, in a file of this name with `.yaml`.
    pub program: &'static str,
    /// The port at which it takes requests.
    pub port: u16,
    /// The port of its metrics.
    pub metrics: u16,
    /// Whether it draws for each request.
    by_chance: bool,
    /// Environment and arguments, as a shell reads them. `{state}` stands for the folder of the control plane,
    /// `{token}` for the file of a token.
    environment: &'static str,
    arguments: &'static str,
    /// What its installation makes, as YAML.
    objects: &'static str,
}

/// From a change of an object until a product follows it, at most. Their arguments see to that.
const LATEST: Duration = Duration::from_secs(1);

/// All of them.
pub static PRODUCTS: [Product; 2] = [
    Product {
        name: "Traefik 3",
        guide: "gateway-api",
        program: "traefik",
        // Traefik takes a listener of a Gateway where it has an entry point with that port.
        port: 80,
        metrics: 8082,
        by_chance: false,
        environment: "KUBECONFIG={state}/kubeconfig",
        arguments: "--entrypoints.web.address=$POD_IP:80 --entrypoints.metrics.address=$POD_IP:8082 \
                    --providers.kubernetesgateway --providers.providersthrottleduration=200ms \
                    --metrics.prometheus --metrics.prometheus.entrypoint=metrics --log.level=INFO \
                    --global.checknewversion=false --global.sendanonymoususage=false",
        // The class that the guide's Gateway names.
        objects: r"
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: istio}
spec: {controllerName: traefik.io/gateway-controller}
",
    },
    Product {
        name: "Skipper",
        guide: "skipper",
        program: "skipper",
        port: 9999,
        metrics: 9911,
        by_chance: true,
        // Out of a cluster it trusts what Go does. The address is kubeplane's, in a network of its own.
        environment: "SSL_CERT_FILE={state}/certs/apiserver.crt",
        // The flags for metrics are those of the guide.
        arguments: "-address=$POD_IP:9999 -support-listener=$POD_IP:9911 -kubernetes \
                    -kubernetes-url=https://127.0.0.1:16443 -kubernetes-token-file={token} \
                    -kubernetes-https-redirect=false -source-poll-timeout=300 -wait-first-route-load \
                    -access-log-disabled -enable-prometheus-metrics -serve-route-metrics -serve-route-counter",
        objects: "",
    },
];

impl Product {
    /// The product of a guide, if it has one.
    pub fn of(guide: &str) -> Option<&'static Self> {
        PRODUCTS.iter().find(|product| product.guide == guide)
    }

    /// That of a guide whose program is in a folder.
    pub fn built(guide: &Guide, bin: &Path) -> Option<&'static Self> {
        Product::of(guide.name).filter(|product| bin.join(product.program).exists())
    }

    /// How it splits.
    pub fn splitting(&self) -> Splitting {
        Splitting { soonest: Duration::ZERO, latest: LATEST, by_chance: self.by_chance }
    }

    /// Its command for kubeplane, which reads it with a shell.
    pub fn command(&self, bin: &Path, folder: &Path) -> String {
        let program = bin.join(self.program);
        let text = format!("env {} {} {}", self.environment, program.display(), self.arguments);
        let state = folder.join("state");
        text.replace("{state}", &state.to_string_lossy()).replace("{token}", &token(folder).to_string_lossy())
    }

    /// What it needs beside its pods: definitions and objects of its kinds.
    ///
    /// # Errors
    /// When the definitions cannot be read.
    pub fn installs(&self, bin: &Path) -> anyhow::Result<Vec<Value>> {
        let file = bin.join(definitions(self.program));
        let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let mut all: Vec<Value> = serde_saphyr::from_multiple(&text).context("definitions of a product")?;
        all.extend(serde_saphyr::from_multiple::<Value>(self.objects)?);
        all.retain(Value::is_object);
        Ok(all)
    }
}

/// The name of the file of a program's definitions.
pub fn definitions(program: &str) -> String {
    format!("{program}.yaml")
}

/// Writes the file of the token, which is that of the kubeconfig.
///
/// # Errors
/// When the kubeconfig cannot be read.
pub fn write_token(folder: &Path) -> anyhow::Result<()> {
    let config = std::fs::read_to_string(folder.join("state/kubeconfig"))?;
    let config: Value = serde_saphyr::from_str(&config).context("the kubeconfig")?;
    let found = config.pointer("/users/0/user/token").and_then(Value::as_str).context("it has no token")?;
    Ok(std::fs::write(token(folder), found)?)
}

fn token(folder: &Path) -> std::path::PathBuf {
    folder.join("token")
}

#[cfg(test)]
mod tests {
    use vexil_testbed_rig::systems;

    use super::*;

    #[test]
    fn a_product_belongs_to_a_guide_with_a_gateway_and_listens_where_its_pod_says() {
        for product in &PRODUCTS {
            let [guide] = systems::guides(product.guide)[..] else { panic!("no guide {}", product.guide) };
            assert!(guide.system.cluster.gateway().is_some(), "{}", product.guide);
            let command = product.command(Path::new("/bin"), Path::new("/folder"));
            for port in [product.port, product.metrics] {
                assert!(command.contains(&format!("=$POD_IP:{port} ")), "{port}: {command}");
            }
            assert!(!command.contains('{'), "{command}");
            assert!(command.contains(&format!(" /bin/{} ", product.program)), "{command}");
        }
    }

    #[test]
    fn a_gateway_of_the_guide_has_the_class_that_is_installed() {
        let [guide] = systems::guides("gateway-api")[..] else { panic!() };
        let product = Product::of(guide.name).unwrap();
        let class: Value = serde_saphyr::from_str(product.objects).unwrap();
        let class = class.pointer("/metadata/name").and_then(Value::as_str).unwrap();
        let gateway = guide.manifests.iter().find(|(name, _)| *name == "public-gateway.yaml").unwrap();
        assert!(gateway.1.contains(&format!("gatewayClassName: {class}\n")));
    }
}
