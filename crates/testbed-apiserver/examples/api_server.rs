//! Serves the in-process API over TCP until it is interrupted:
//! `cargo run -p vexil-testbed-apiserver --example api_server 18081`, then
//! `KUBECONFIG=/tmp/testbed.kubeconfig kubectl get namespaces`.

use std::{env, net::SocketAddr, path::Path};

use vexil_testbed_apiserver::{ApiServer, Clock};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port = env::args().nth(1).unwrap_or_default().parse().unwrap_or(18_081);
    let path = env::args().nth(2).unwrap_or_else(|| "/tmp/testbed.kubeconfig".to_owned());
    let server = ApiServer::new(Clock::starting_at(jiff::Timestamp::now()));
    let listening = server.listen(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    listening.write_kubeconfig(Path::new(&path))?;
    println!("ready: export KUBECONFIG={path}");
    tokio::signal::ctrl_c().await?;
    Ok(())
}
