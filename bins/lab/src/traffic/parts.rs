//! The processes that are made of this program: what plays a guide inside its namespaces, and what its pods run.

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use vexil_testbed_apiserver::Clock;
use vexil_testbed_cluster::Process;

use super::{guide, inside};
use vexil_testbed_rig::{api::Api, record::GATEWAY_DELAY};

/// Time between two scrapes of the testbed's metric store.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(1);

/// One of them.
#[derive(clap::Subcommand)]
pub enum Part {
    /// Play a guide in the namespaces of this process
    #[command(hide = true)]
    Inside {
        guide: String,
        folder: PathBuf,
        #[arg(long)]
        migrations: bool,
    },
    /// The guides' application; the environment says which pod of which version
    #[command(hide = true)]
    Pod,
    /// The gateway of a guide's system
    #[command(hide = true)]
    Gateway { guide: String, kubeconfig: PathBuf },
    /// The testbed's metric store
    #[command(hide = true)]
    Metrics { kubeconfig: PathBuf },
}

/// Is that process until it ends.
pub fn run(part: &Part) -> anyhow::Result<()> {
    if let Part::Inside { guide: name, folder, migrations } = part {
        return inside::play(guide(name)?, *migrations, folder);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let process = process(part).await?;
        let mut terminate = signal(SignalKind::terminate())?;
        let stop = async move {
            terminate.recv().await;
        };
        process.serve(own("POD_IP")?.parse::<IpAddr>()?, stop).await
    })
}

async fn process(part: &Part) -> anyhow::Result<Process> {
    match part {
        Part::Gateway { guide: name, kubeconfig } => {
            let client = Api::connect(kubeconfig.clone()).await?.client;
            let gateway = Process::gateway(&client, guide(name)?.system.cluster, GATEWAY_DELAY);
            gateway.with_context(|| format!("{name} has no gateway"))
        }
        Part::Metrics { kubeconfig } => {
            let client = Api::connect(kubeconfig.clone()).await?.client;
            let clock = Clock::starting_at(jiff::Timestamp::now());
            Ok(Process::metric_server(&client, clock, SCRAPE_INTERVAL))
        }
        Part::Pod | Part::Inside { .. } => {
            let environment: BTreeMap<String, String> = std::env::vars().collect();
            Ok(Process::application(&own("POD_NAME")?, &own("IMAGE_TAG")?, &environment))
        }
    }
}

/// A variable that kubeplane sets for a pod's process.
fn own(variable: &str) -> anyhow::Result<String> {
    std::env::var(variable).with_context(|| format!("{variable} is not set"))
}
