//! Canaries on a real API server, from nothing.

use std::{path::Path, time::Duration};

use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    crowd::{PER_NAMESPACE, name},
    seeds,
    table::Table,
};
use crate::{
    bench::process::Process,
    e2e::{
        account::Account,
        api::{Api, NAMESPACES},
        crds,
        operator::Recipe,
        stand_in::StandIn,
    },
};

/// Makes them, lets an operator initialise them, and looks at it.
pub async fn measure(
    binary: &Path,
    canaries: usize,
    kubeconfig: &Path,
    idle: Duration,
    table: &mut Table,
) -> anyhow::Result<()> {
    let api = Api::connect(kubeconfig.to_owned()).await?;
    let mut tasks = JoinSet::new();
    let stand_in = StandIn::start(&mut tasks).await?;
    crds::install(&api, &crds::ours()?).await?;
    crds::install(&api, &crds::traefik()?).await?;
    let run = std::process::id();
    let namespaces: Vec<String> =
        (0..canaries.div_ceil(PER_NAMESPACE)).map(|number| format!("bench-{run}-{number}")).collect();
    for (number, namespace) in namespaces.iter().enumerate() {
        api.create(NAMESPACES, "", &json!({"metadata": {"name": namespace}})).await?;
        for place in 0..PER_NAMESPACE.min(canaries - number * PER_NAMESPACE) {
            seeds::make(&api, namespace, &name(place), false).await?;
        }
    }
    println!("bench: {canaries} Canaries are made");
    let log = std::env::temp_dir().join(format!("vexil-bench-{run}.log"));
    let operator = Recipe::new(binary, Account::of_user(&api), "traefik", &stand_in, log).start()?;
    let (process, started) = (Process(operator.id().unwrap_or_default()), Instant::now());
    seeds::rest(&api, &namespaces, canaries).await?;
    table.figure("initialised after", started.elapsed().as_secs_f64(), "s", 1);
    quiet(&process).await?;
    table.at_most(&format!("CPU to initialise {canaries}"), process.cpu_s()?, 3.0, "s", 2);
    let cpu = process.cpu_s()?;
    sleep(idle).await;
    let cores = (process.cpu_s()? - cpu) / idle.as_secs_f64();
    table.at_most("idle: CPU", cores, 0.0005, "core", 5);
    table.at_most("idle: resident", process.resident()? as f64 / 1_048_576.0, 24.0, "MiB", 1);
    operator.kill().await?;
    for namespace in namespaces {
        api.delete(NAMESPACES, "", &namespace).await?;
    }
    Ok(())
}

/// Waits until what is left is done: events are recorded, and struck off the statuses.
async fn quiet(process: &Process) -> anyhow::Result<()> {
    const LOOK: Duration = Duration::from_secs(10);
    for _ in 0..12 {
        let cpu = process.cpu_s()?;
        sleep(LOOK).await;
        if process.cpu_s()? - cpu < 0.01 {
            break;
        }
    }
    Ok(())
}
