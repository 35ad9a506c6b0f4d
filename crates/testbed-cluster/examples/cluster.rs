//! A cluster over sockets until Ctrl-C, for trying things by hand: `kubectl`, `curl` through the proxy, an operator.

use std::path::PathBuf;

use vexil_testbed_apiserver::Clock;
use vexil_testbed_cluster::{Cluster, Settings, Wire};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let clock = Clock::starting_at(jiff::Timestamp::now());
    let settings =
        Settings { wire: Wire::Sockets, run_load_hooks: true, clock: Some(clock), ..Settings::default() };
    let cluster = Cluster::with(settings).await?;
    for manifest in std::env::args().skip(1) {
        cluster.apply_yaml(&std::fs::read_to_string(manifest)?).await?;
    }
    let kubeconfig =
        std::env::temp_dir().join(PathBuf::from(format!("testbed-{}.kubeconfig", std::process::id())));
    cluster.write_kubeconfig(&kubeconfig)?;
    println!("export KUBECONFIG={}", kubeconfig.display());
    println!("export http_proxy={}", cluster.proxy_url().unwrap_or_default());
    println!("metrics: {}", cluster.metrics_url());
    tokio::signal::ctrl_c().await?;
    Ok(std::fs::remove_file(kubeconfig)?)
}
