//! Connects to the cluster, serves HTTP, waits for the lease if leader election is on, and runs the operator until a
//! signal.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use futures::future::{Either, select};
use tokio::signal::unix::{Signal, SignalKind, signal};
use vexil_controller::{Context, Operator, Settings, Telemetry};
use vexil_egress::{Allowed, Egress, Rules};
use vexil_kube::{Access, Cluster, Election, LeaderState, Scope, connect, identity};

use crate::{Background, alerts, args::Args, http, wiring};

/// Runs the operator until SIGTERM or SIGINT.
pub async fn serve(args: Args) -> Result<()> {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        bail!("another TLS implementation is installed");
    }
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!("Starting vexil version {version} mesh provider {}", args.mesh_provider);
    for flag in args.without_effect() {
        tracing::warn!("{flag} has no effect in this version");
    }
    let registry = wiring::registry(&args)?;
    if registry.router(&args.mesh_provider).is_none() {
        tracing::warn!(
            "-mesh-provider {} is not known; Canaries must name theirs, one of: {}",
            args.mesh_provider,
            registry.providers().join(", ")
        );
    }
    let access = Access { kubeconfig: given(&args.kubeconfig).map(Into::into), master: given(&args.master) };
    let client = connect(&access).await?;
    let scope = given(&args.namespace).map_or(Scope::All, Scope::Namespace);
    let settings = settings(&args)?;
    let (cluster, watches) = Cluster::new(client, scope, vexil_controller::projections(&registry, &settings));
    let telemetry = Telemetry::new(version, &args.mesh_provider);
    let listening = http::listen(args.port, telemetry.clone())?;
    let context = Context::new(cluster.clone(), registry, settings, Egress::with(rules(&args)?)?)
        .with_telemetry(telemetry)
        .with_alerts(alerts::alerts(&args)?);
    let operating = operate(&args, context, cluster);
    let mut signals = Signals::listen()?;
    let second_signal = async {
        signals.next().await;
        signals.next().await;
    };
    // Watches go on while Canaries are reconciled.
    let mut watching = Background::start(watches.run());
    tokio::select! {
        biased;
        () = second_signal => bail!("ended at once: a second signal came"),
        result = operating => result,
        () = listening => bail!("the HTTP server has ended"),
        _ended = watching.ended() => bail!("the watches have ended"),
    }
}

pub(crate) fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

pub(crate) fn settings(args: &Args) -> Result<Settings> {
    Ok(Settings {
        provider: args.mesh_provider.clone(),
        metrics_server: args.metrics_server.clone(),
        min_interval_ms: vexil_controller::parse_duration_ms(&args.min_analysis_interval)
            .context("-min-analysis-interval")?,
        no_cross_namespace_refs: args.no_cross_namespace_refs,
        event_webhook: given(&args.event_webhook),
        global_alerts: !args.slack_url.is_empty() || !args.msteams_url.is_empty(),
        workloads: vexil_workload::Settings::from_flags(&args.selector_labels, &args.include_label_prefix)
            .with_config_tracking(args.enable_config_tracking),
    })
}

/// Which addresses may be called: with a list, those that the admin's own flags name as well.
pub(crate) fn rules(args: &Args) -> Result<Rules> {
    let allowed = Allowed::parse(&args.allowed_addresses).context("-allowed-addresses")?;
    let in_pod = args.kubeconfig.is_empty() && args.master.is_empty();
    let named = [
        &args.metrics_server,
        &args.event_webhook,
        &args.slack_url,
        &args.slack_proxy_url,
        &args.msteams_url,
        &args.msteams_proxy_url,
    ];
    Ok(Rules { allowed: named.into_iter().fold(allowed, |allowed, url| allowed.with_url(url)), in_pod })
}

/// Runs the operator, with or without leader election.
async fn operate(args: &Args, context: Context, cluster: Cluster) -> Result<()> {
    let mut signals = Signals::listen()?;
    let mut stop = std::pin::pin!(async move {
        signals.next().await;
        tracing::info!("stopping");
    });
    if !args.enable_leader_election {
        Operator::new(context).run(stop).await;
        tracing::info!("stopped");
        return Ok(());
    }
    let namespace = given(&args.namespace).unwrap_or_else(|| args.leader_election_namespace.clone());
    let mut election = Election::new(cluster, &namespace, identity(), {
        let clock = Arc::clone(context.clock());
        move || clock.now().0
    });
    loop {
        tokio::select! {
            biased;
            () = &mut stop => return Ok(()),
            standing = election.next() => match standing {
                LeaderState::Leading => break,
                LeaderState::Following { leader } => {
                    tracing::info!("Another instance has been elected as leader: {leader}");
                }
                LeaderState::Lost => {}
            }
        }
    }
    tracing::info!("Acting as elected leader");
    // The operator ends at a signal or when the lease is lost, and the lease is kept until it has ended.
    let kept = {
        let (stop_now, stopped) = tokio::sync::oneshot::channel::<()>();
        let mut running = std::pin::pin!(Operator::new(context).run(async {
            let _either = select(stop, std::pin::pin!(stopped)).await;
        }));
        let (done, is_done) = tokio::sync::oneshot::channel::<()>();
        // The lease is renewed in the background: reconciles may keep this thread busy.
        let mut keeping = Background::start(async move {
            let kept = {
                let lost = std::pin::pin!(async { while election.next().await != LeaderState::Lost {} });
                matches!(select(lost, is_done).await, Either::Right(_))
            };
            kept.then_some(election)
        });
        let lost = matches!(select(&mut running, std::pin::pin!(keeping.ended())).await, Either::Right(_));
        if lost {
            // Reconciles in progress are dropped with the process; their writes are fenced.
            drop(stop_now);
            None
        } else {
            drop(done);
            keeping.ended().await.flatten()
        }
    };
    let Some(election) = kept else { bail!("Leadership lost") };
    election.release().await.context("the lease could not be released")?;
    tracing::info!("stopped");
    Ok(())
}

/// SIGTERM and SIGINT. Listening replaces their default action for the rest of the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Signals { terminate, interrupt })
    }

    async fn next(&mut self) {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
