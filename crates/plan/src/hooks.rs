//! The webhooks of an analysis by name: names that are unique within a Canary, so that a question or a notice finds its
//! hook again, whatever else of the spec was edited.
//!
//! The first hook of a name has that name, further ones are `name#2`, `name#3`.

use std::collections::{BTreeMap, BTreeSet};

use vexil_analysis::{Hook, HookKind};
use vexil_api::{Analysis, HookType, Webhook};

/// The receiver name of the operator's own event webhook (`-event-webhook`).
pub const GLOBAL_HOOK: &str = "-event-webhook";

/// The hooks that decide something, in the order of the spec.
pub(crate) fn deciding(analysis: &Analysis) -> impl Iterator<Item = (Hook, &Webhook)> {
    analysis.webhooks.iter().filter_map(|webhook| Some((hook(webhook)?, webhook)))
}

/// The hook that decides something and has this place among those.
pub fn deciding_hook(analysis: &Analysis, place: usize) -> Option<&Webhook> {
    deciding(analysis).nth(place).map(|(_, webhook)| webhook)
}

/// The `event` hook behind a receiver's name.
pub fn event_hook<'a>(analysis: &'a Analysis, receiver: &str) -> Option<&'a Webhook> {
    event_hooks(analysis).into_iter().find(|(name, _)| name == receiver).map(|(_, webhook)| webhook)
}

fn hook(webhook: &Webhook) -> Option<Hook> {
    let kind = match webhook.hook_type() {
        HookType::ConfirmRollout => HookKind::ConfirmRollout,
        HookType::PreRollout => HookKind::PreRollout,
        HookType::Rollout => HookKind::Rollout,
        HookType::ConfirmTrafficIncrease => HookKind::ConfirmTrafficIncrease,
        HookType::ConfirmPromotion => HookKind::ConfirmPromotion,
        HookType::PostRollout => HookKind::PostRollout,
        HookType::Rollback => HookKind::Rollback,
        HookType::Event | HookType::Other(_) => return None,
    };
    Some(Hook { name: webhook.name.clone(), kind, muted: webhook.mute_alert() })
}

/// The `event` hooks with the names of their receivers. The status remembers receivers by these names, so they depend
/// on the spec alone.
pub(crate) fn event_hooks(analysis: &Analysis) -> Vec<(String, &Webhook)> {
    let events = analysis.webhooks.iter().filter(|webhook| webhook.hook_type() == HookType::Event);
    let mut names = UniqueNames::without(GLOBAL_HOOK);
    events.map(|webhook| (names.unique(&webhook.name), webhook)).collect()
}

/// Makes names unique, in order.
#[derive(Default)]
struct UniqueNames<'a> {
    seen: BTreeMap<&'a str, u32>,
    taken: BTreeSet<String>,
}

impl<'a> UniqueNames<'a> {
    /// Unique names other than `reserved`.
    fn without(reserved: &str) -> Self {
        UniqueNames { taken: BTreeSet::from([reserved.to_owned()]), ..UniqueNames::default() }
    }

    fn unique(&mut self, name: &'a str) -> String {
        let count = self.seen.entry(name).or_default();
        // A name such as `name#2`, or the reserved one, may already be taken.
        loop {
            *count += 1;
            let unique = if *count == 1 { name.to_owned() } else { format!("{name}#{count}") };
            if self.taken.insert(unique.clone()) {
                return unique;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hooks: &[(&str, &str)], expect: &[&str]) {
        let webhooks = hooks.iter().map(|(kind, name)| Webhook {
            name: (*name).to_owned(),
            type_: Some(if *kind == "event" { HookType::Event } else { HookType::Rollout }),
            ..Webhook::default()
        });
        let analysis = Analysis { webhooks: webhooks.collect(), ..Analysis::default() };
        let names: Vec<String> = event_hooks(&analysis).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, expect);
    }

    #[test]
    fn each_event_hook_has_a_unique_name() {
        check(&[], &[]);
        check(&[("event", "a"), ("event", "b")], &["a", "b"]);
        check(&[("event", "a"), ("event", "b"), ("event", "a"), ("event", "a")], &["a", "b", "a#2", "a#3"]);
        check(&[("rollout", "a"), ("event", "a")], &["a"]);
        check(&[("event", "a"), ("event", "a"), ("event", "a#2")], &["a", "a#2", "a#2#2"]);
        check(&[("event", "a#2"), ("event", "a"), ("event", "a")], &["a#2", "a", "a#3"]);
        check(&[("event", ""), ("event", "")], &["", "#2"]);
        check(&[("event", GLOBAL_HOOK)], &["-event-webhook#2"]);
    }
}
