//! The operator's flags, as far as a plan and a reconcile depend on them.

use vexil_api::parse_duration_ms;

/// The operator's flags. Change what you need of [`Settings::default`], which has the defaults of the flags.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `-mesh-provider`: provider of Canaries that name none.
    pub provider: String,
    /// `-metrics-server`: Prometheus of built-in and inline queries.
    pub metrics_server: String,
    /// `-min-analysis-interval`, in milliseconds: shorter intervals count as this.
    pub min_interval_ms: u64,
    /// `-no-cross-namespace-refs`: refuse references to other namespaces.
    pub no_cross_namespace_refs: bool,
    /// `-event-webhook`: receives the events of Canaries that have no `event` hook of their own.
    pub event_webhook: Option<String>,
    /// Whether `-slack-url` or `-msteams-url` names a receiver of alerts for Canaries without `analysis.alerts`.
    pub global_alerts: bool,
    /// `-selector-labels` and `-include-label-prefix`.
    pub workloads: vexil_workload::Settings,
}

impl Settings {
    /// Default of `-mesh-provider`, as in Flagger.
    pub const PROVIDER: &'static str = "istio";
    /// Default of `-metrics-server`, as in Flagger.
    pub const METRICS_SERVER: &'static str = "http://prometheus:9090";
    /// Default of `-min-analysis-interval`.
    pub const MIN_INTERVAL: &'static str = "10s";
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            provider: Settings::PROVIDER.to_owned(),
            metrics_server: Settings::METRICS_SERVER.to_owned(),
            min_interval_ms: parse_duration_ms(Settings::MIN_INTERVAL).unwrap_or(10_000),
            no_cross_namespace_refs: false,
            event_webhook: None,
            global_alerts: false,
            workloads: vexil_workload::Settings::default(),
        }
    }
}
