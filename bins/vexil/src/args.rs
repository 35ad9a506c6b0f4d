//! The operator's flags: Flagger's, in the spelling of Go programs (`-mesh-provider=x`) and with two hyphens
//! (`--mesh-provider x`).

use clap::{ArgAction, Parser};
use vexil_controller::Settings;
use vexil_program::double_dashed;

/// Progressive delivery for Kubernetes: shifts traffic to a new version step by step, judges it, and promotes it or
/// takes it back.
#[derive(Clone, Debug, Parser)]
#[command(name = "vexil", disable_version_flag = true)]
pub struct Args {
    /// Path of a kubeconfig; empty for the pod's own service account.
    #[arg(long, default_value = "")]
    pub kubeconfig: String,
    /// Address of the API server, instead of the kubeconfig's.
    #[arg(long, default_value = "")]
    pub master: String,
    /// Prometheus that answers the built-in checks.
    #[arg(long, default_value = Settings::METRICS_SERVER)]
    pub metrics_server: String,
    /// Lowest level that is logged: debug, info, warn or error.
    #[arg(long, default_value = "info")]
    pub log_level: String,
    /// Form of the log: json or console.
    #[arg(long, default_value = "json")]
    pub zap_encoding: String,
    /// Port of /healthz and /metrics.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Watch only this namespace; empty for all.
    #[arg(long, default_value = "")]
    pub namespace: String,
    /// Provider of Canaries that name none.
    #[arg(long, default_value = Settings::PROVIDER)]
    pub mesh_provider: String,
    /// Label keys that tell primary and canary pods apart, the first one that the target has.
    #[arg(long, default_value = "app,name,app.kubernetes.io/name")]
    pub selector_labels: String,
    /// Prefixes of labels that are copied to primaries, separated by commas; * for all.
    #[arg(long, default_value = "")]
    pub include_label_prefix: String,
    /// Roll out changes of the ConfigMaps and Secrets that targets use, and give primaries copies of them.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        default_value = "true", action = ArgAction::Set)]
    pub enable_config_tracking: bool,
    /// Let only one of several instances act.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        default_value = "false", action = ArgAction::Set)]
    pub enable_leader_election: bool,
    /// Namespace of the lease when all namespaces are watched.
    #[arg(long, default_value = "kube-system")]
    pub leader_election_namespace: String,
    /// URL that receives every event of Canaries without an event hook of their own.
    #[arg(long, default_value = "", env = "EVENT_WEBHOOK_URL", hide_env_values = true)]
    pub event_webhook: String,
    /// URL of the Slack webhook, or of chat.postMessage, that receives the alerts of Canaries without analysis.alerts.
    #[arg(long, default_value = "", env = "SLACK_URL", hide_env_values = true)]
    pub slack_url: String,
    /// Bot token for Slack.
    #[arg(long, default_value = "", env = "SLACK_TOKEN", hide_env_values = true)]
    pub slack_token: String,
    /// HTTP proxy for Slack.
    #[arg(long, default_value = "", env = "SLACK_PROXY_URL", hide_env_values = true)]
    pub slack_proxy_url: String,
    /// Channel to post to in Slack; general when empty.
    #[arg(long, default_value = "")]
    pub slack_channel: String,
    /// Name of the sender in Slack.
    #[arg(long, default_value = "flagger")]
    pub slack_user: String,
    /// URL of the Microsoft Teams webhook that receives the alerts of Canaries without analysis.alerts, instead of
    /// Slack.
    #[arg(long, default_value = "", env = "MSTEAMS_URL", hide_env_values = true)]
    pub msteams_url: String,
    /// HTTP proxy for Microsoft Teams.
    #[arg(long, default_value = "", env = "MSTEAMS_PROXY_URL", hide_env_values = true)]
    pub msteams_proxy_url: String,
    /// Name of this cluster, a field of every alert; none when empty.
    #[arg(long, default_value = "")]
    pub cluster_name: String,
    /// Where hooks, metric servers, receivers of alerts and their proxies may be: names, *.ends of names, addresses
    /// and ranges (CIDR), separated by commas; :port behind a name or address. Empty for anywhere.
    #[arg(long, default_value = "", env = "ALLOWED_ADDRESSES", hide_env_values = true)]
    pub allowed_addresses: String,
    /// Refuse references to other namespaces.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        default_value = "false", action = ArgAction::Set)]
    pub no_cross_namespace_refs: bool,
    /// Shortest pace of an analysis; shorter intervals count as this.
    #[arg(long, default_value = Settings::MIN_INTERVAL)]
    pub min_analysis_interval: String,
    /// API group of TraefikServices: traefik.io or traefik.containo.us; empty for whichever the cluster serves.
    #[arg(long, default_value = "")]
    pub traefik_api_group: String,
    /// Prefix of the annotations that ingress-nginx reads.
    #[arg(long, default_value = vexil_routing_nginx::Nginx::PREFIX)]
    pub ingress_annotations_prefix: String,
    /// Ingress class of the HTTPProxies that are made for Contour; empty for a Contour that needs none.
    #[arg(long, default_value = "")]
    pub ingress_class: String,
    /// Kind of Kuma's routes: TrafficRoute or MeshHTTPRoute; empty for the first of these that the cluster serves.
    #[arg(long, default_value = "")]
    pub kuma_route_kind: String,
    /// Namespace of Kuma's control plane, with the MeshHTTPRoutes that concern the whole mesh.
    #[arg(long, default_value = "kuma-system")]
    pub kuma_system_namespace: String,
    /// Print what would happen to each Canary and exit. The cluster is only read: hooks and metric servers are not
    /// called.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        default_value = "false", action = ArgAction::Set)]
    pub dry_run: bool,
    /// Print the version and exit.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        default_value = "false", action = ArgAction::Set)]
    pub version: bool,

    #[command(flatten)]
    pub accepted: Accepted,
}

/// Flags that Flagger's manifests pass and that change nothing here: there is no request quota to set, no
/// polling loop to pace, and what they configure is not part of this version.
#[derive(Clone, Debug, clap::Args)]
pub struct Accepted {
    #[arg(long, hide = true)]
    pub kubeconfig_qps: Option<String>,
    #[arg(long, hide = true)]
    pub kubeconfig_burst: Option<String>,
    #[arg(long, hide = true)]
    pub kubeconfig_service_mesh: Option<String>,
    #[arg(long, hide = true)]
    pub control_loop_interval: Option<String>,
    #[arg(long, hide = true)]
    pub threadiness: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub zap_replace_globals: Option<String>,
}

impl Args {
    /// From the command line; wrong flags end the process with an explanation.
    pub fn from_command_line() -> Self {
        Args::parse_from(std::env::args().map(double_dashed))
    }

    /// Names of the flags that were given and have no effect, for one line of the log.
    pub fn without_effect(&self) -> Vec<&'static str> {
        let a = &self.accepted;
        let set = |value: &Option<String>| value.as_deref().is_some_and(|text| !text.is_empty());
        let flags = [("-kubeconfig-service-mesh", set(&a.kubeconfig_service_mesh))];
        flags.into_iter().filter_map(|(flag, given)| given.then_some(flag)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Args {
        let words = std::iter::once("vexil").chain(args.iter().copied());
        Args::try_parse_from(words.map(|word| double_dashed(word.to_owned()))).unwrap()
    }

    #[test]
    fn flags_are_taken_in_both_spellings() {
        for args in [
            &["-mesh-provider=traefik", "-enable-leader-election=true", "-port=9000"][..],
            &["--mesh-provider", "traefik", "--enable-leader-election", "--port", "9000"][..],
            &["-mesh-provider", "traefik", "-enable-leader-election", "-port", "9000"][..],
        ] {
            let parsed = parse(args);
            assert_eq!(
                (parsed.mesh_provider.as_str(), parsed.enable_leader_election, parsed.port),
                ("traefik", true, 9000),
                "{args:?}"
            );
        }
    }

    /// A URL of a chat service is a password, and the help is what people paste into issues.
    #[test]
    fn the_help_shows_no_value_of_the_environment() {
        for flag in <Args as clap::CommandFactory>::command().get_arguments() {
            let id = flag.get_id();
            assert!(flag.get_env().is_none() || flag.is_hide_env_values_set(), "{id}");
        }
    }

    const BEGINNING: &str = "\
# Flags of the operator

<!-- Made by `cargo xtask docs --write` from bins/vexil/src/args.rs. -->

With one dash or two, `-flag=value` or `-flag value`. A variable of the environment counts where the flag is not given;
use it for what must not be in the arguments of a pod. Other flags of Flagger are accepted and change nothing.

| flag | default | environment | meaning |
|---|---|---|---|
";

    #[test]
    fn the_reference_lists_every_flag() {
        let mut page = String::from(BEGINNING);
        let command = <Args as clap::CommandFactory>::command();
        for flag in command.get_arguments().filter(|flag| !flag.is_hide_set()) {
            let code = |text: String| if text.is_empty() { text } else { format!("`{text}`") };
            let default: Vec<_> =
                flag.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
            let variable = flag.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let meaning = flag.get_help().map(ToString::to_string).unwrap_or_default();
            let meaning = meaning.replace('|', "\\|").replace('*', "\\*");
            let (name, default) = (flag.get_long().unwrap(), code(default.concat()));
            page.push_str(&format!("| `-{name}` | {default} | {} | {meaning} |\n", code(variable)));
        }
        expect_test::expect_file!["../../../docs/reference/flags.md"].assert_eq(&page);
    }

    #[test]
    fn the_flags_of_flaggers_manifests_are_accepted_and_those_without_effect_are_named() {
        let parsed = parse(&[
            "-log-level=info",
            "-kubeconfig-qps=100",
            "-kubeconfig-burst=250",
            "-threadiness=2",
            "-enable-config-tracking=true",
            "-slack-user=flagger",
            "-ingress-class=contour",
            "-kubeconfig-service-mesh=other",
            "-slack-channel=",
            "-control-loop-interval=10s",
        ]);
        assert!(parsed.enable_config_tracking);
        assert_eq!(parsed.ingress_class, "contour");
        assert!(!parse(&["-enable-config-tracking=false"]).enable_config_tracking);
        assert_eq!(parsed.without_effect(), ["-kubeconfig-service-mesh"]);
        assert_eq!(parse(&[]).without_effect(), <[&str; 0]>::default());
    }
}
