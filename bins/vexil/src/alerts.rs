//! The operator's own receiver of alerts, by its flags.

use anyhow::{Context as _, Result};
use vexil_api::AlertProviderSpec;
use vexil_controller::Alerts;
use vexil_egress::Secret;
use vexil_notifier::{Destination, NotifierCatalog};

use crate::args::Args;

/// How alerts are sent. Microsoft Teams takes precedence over Slack, as in Flagger.
pub fn alerts(args: &Args) -> Result<Alerts> {
    let global = if args.msteams_url.is_empty() {
        slack(args).context("-slack-url or -slack-proxy-url")?
    } else {
        let spec = spec("msteams", &args.msteams_proxy_url);
        Some(Destination::of(&spec, &args.msteams_url, None).context("-msteams-url or -msteams-proxy-url")?)
    };
    Ok(Alerts { catalog: NotifierCatalog::default(), global, cluster_name: args.cluster_name.clone() })
}

fn slack(args: &Args) -> Result<Option<Destination>> {
    if args.slack_url.is_empty() {
        return Ok(None);
    }
    let spec = AlertProviderSpec {
        channel: Some(args.slack_channel.clone()),
        username: Some(args.slack_user.clone()),
        ..spec("slack", &args.slack_proxy_url)
    };
    Ok(Some(Destination::of(&spec, &args.slack_url, Some(Secret::new(args.slack_token.clone())))?))
}

fn spec(type_: &str, proxy: &str) -> AlertProviderSpec {
    AlertProviderSpec { type_: type_.to_owned(), proxy: Some(proxy.to_owned()), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[track_caller]
    fn check(flags: &[&str], expect: Result<Option<(&str, &str, &str)>, &str>) {
        let args = Args::parse_from(std::iter::once("vexil").chain(flags.iter().copied()));
        let global = alerts(&args).map(|alerts| alerts.global).map_err(|error| format!("{error:#}"));
        let seen =
            global.as_ref().map(|to| to.as_ref().map(|to| (to.type_(), to.channel(), to.address().as_str())));
        assert_eq!(seen.map_err(String::as_str), expect, "{flags:?}");
    }

    #[test]
    fn the_flags_name_one_receiver() {
        check(&[], Ok(None));
        check(&["--slack-channel", "x"], Ok(None));
        check(&["--slack-url", "https://h/a"], Ok(Some(("slack", "general", "https://h/a"))));
        let slack = ["--slack-url", "https://h/a", "--slack-channel", "ops"];
        check(&slack, Ok(Some(("slack", "ops", "https://h/a"))));
        let both = ["--slack-url", "https://h/a", "--msteams-url", "https://t/b"];
        check(&both, Ok(Some(("msteams", "general", "https://t/b"))));
        let bad = "-slack-url or -slack-proxy-url: address: address must begin with http:// or https://";
        check(&["--slack-url", "MARKER"], Err(bad));
    }
}
