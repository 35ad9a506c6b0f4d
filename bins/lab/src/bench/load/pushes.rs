//! From a push to the scale-up of its target, one push after the other.

use std::{net::SocketAddr, time::Duration};

use anyhow::bail;
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{Instant, sleep},
};
use vexil_testbed_apiserver::ApiServer;

use super::{crowd::Member, table::Table};
use crate::bench::figures::percentile;

/// Time between two looks at a target.
const LOOK: Duration = Duration::from_millis(2);
/// Time between two pushes.
const BETWEEN: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured, in milliseconds.
pub struct Waits {
    scale_ups: Vec<f64>,
    /// The longest answer of `/healthz`.
    health: f64,
}

/// Pushes to each.
pub async fn measure(server: &ApiServer, members: &[Member], port: u16) -> anyhow::Result<Waits> {
    let mut waits = Waits { scale_ups: Vec::new(), health: 0.0 };
    for member in members {
        let pushed = Instant::now();
        member.push(server, 2);
        while member.replicas(server) == 0 {
            if pushed.elapsed() > PATIENCE {
                bail!("{}.{} is not scaled up after {PATIENCE:?}", member.name, member.namespace);
            }
            sleep(LOOK).await;
        }
        waits.scale_ups.push(pushed.elapsed().as_secs_f64() * 1000.0);
        let asked = Instant::now();
        reqwest::get(format!("http://127.0.0.1:{port}/healthz")).await?;
        waits.health = waits.health.max(asked.elapsed().as_secs_f64() * 1000.0);
        sleep(BETWEEN).await;
    }
    Ok(waits)
}

impl Waits {
    /// Adds them to the table.
    pub fn tell(&self, beside: &str, goal: f64, table: &mut Table) {
        table.figure(&format!("push to scale-up {beside}, p50"), percentile(&self.scale_ups, 50), "ms", 0);
        let p99 = percentile(&self.scale_ups, 99);
        table.at_most(&format!("push to scale-up {beside}, p99"), p99, goal, "ms", 0);
        table.figure(&format!("slowest /healthz {beside}"), self.health, "ms", 0);
    }
}

/// An address that takes connections and never answers.
pub async fn black_hole(tasks: &mut JoinSet<()>) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tasks.spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            held.push(connection);
        }
    });
    Ok(address)
}
