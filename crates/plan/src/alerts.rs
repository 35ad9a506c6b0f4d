//! The alerts of an analysis by name: names that are unique within a Canary, so that an alert in the outbox finds its
//! receiver again, whatever else of the spec was edited.

use vexil_analysis::{AlertReceiver, AlertSeverity};
use vexil_api::{Alert, AlertSeverity as ApiSeverity, Analysis};

use crate::{Settings, unique_names::UniqueNames};

/// The receiver name of the operator's own notifier (`-slack-url`, `-msteams-url`).
pub const GLOBAL_ALERT: &str = "-global";

/// Who gets alerts: those that the Canary lists, or else the operator's notifier, which gets all of them.
pub(crate) fn alert_receivers(analysis: &Analysis, settings: &Settings) -> Vec<AlertReceiver> {
    let listed = named(analysis).into_iter();
    let mut receivers: Vec<AlertReceiver> =
        listed.map(|(name, alert)| AlertReceiver { name, least: least(alert) }).collect();
    if receivers.is_empty() && settings.global_alerts {
        receivers.push(AlertReceiver { name: GLOBAL_ALERT.to_owned(), least: AlertSeverity::Info });
    }
    receivers
}

/// The entry of `analysis.alerts` behind a receiver's name.
pub fn alert_entry<'a>(analysis: &'a Analysis, receiver: &str) -> Option<&'a Alert> {
    named(analysis).into_iter().find(|(name, _)| name == receiver).map(|(_, alert)| alert)
}

fn named(analysis: &Analysis) -> Vec<(String, &Alert)> {
    let mut names = UniqueNames::without(GLOBAL_ALERT);
    analysis.alerts.iter().map(|alert| (names.unique(&alert.name), alert)).collect()
}

fn least(alert: &Alert) -> AlertSeverity {
    match alert.severity() {
        ApiSeverity::Warn => AlertSeverity::Warn,
        ApiSeverity::Error => AlertSeverity::Error,
        ApiSeverity::Info | ApiSeverity::Other(_) => AlertSeverity::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(alerts: &[(&str, Option<ApiSeverity>)], global: bool, expect: &[(&str, AlertSeverity)]) {
        let alert = |(name, severity): &(&str, Option<ApiSeverity>)| Alert {
            name: (*name).to_owned(),
            severity: severity.clone(),
            ..Alert::default()
        };
        let analysis = Analysis { alerts: alerts.iter().map(alert).collect(), ..Analysis::default() };
        let settings = Settings { global_alerts: global, ..Settings::default() };
        let receivers = alert_receivers(&analysis, &settings);
        let found: Vec<_> = receivers.iter().map(|to| (to.name.as_str(), to.least)).collect();
        assert_eq!(found, expect);
        for to in receivers.iter().filter(|to| to.name != GLOBAL_ALERT) {
            assert!(alert_entry(&analysis, &to.name).is_some(), "{}", to.name);
        }
    }

    #[test]
    fn the_list_of_a_canary_takes_the_place_of_the_operators_notifier() {
        use AlertSeverity::{Error, Info, Warn};
        check(&[], false, &[]);
        check(&[], true, &[("-global", Info)]);
        let listed = [("a", None), ("a", Some(ApiSeverity::Warn)), ("-global", Some(ApiSeverity::Error))];
        check(&listed, true, &[("a", Info), ("a#2", Warn), ("-global#2", Error)]);
        check(&[("a", Some(ApiSeverity::Other(String::new())))], false, &[("a", Info)]);
    }
}
