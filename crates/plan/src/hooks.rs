//! The webhooks of an analysis by name: names that are unique within a Canary, so that a question or a notice finds its
//! hook again, whatever else of the spec was edited.
//!
//! The first hook of a name has that name, further ones are `name#2`, `name#3`.

use vexil_analysis::{Hook, HookKind};
use vexil_api::{Analysis, HookType, Webhook};

use crate::unique_names::UniqueNames;

/// The receiver name of the operator's own event webhook (`-event-webhook`).
pub const GLOBAL_HOOK: &str = "-event-webhook";

/// The hooks that decide something, in the order of the spec.
pub(crate) fn deciding(analysis: &Analysis) -> impl Iterator<Item = (Hook, &Webhook)> {
    let mut names = UniqueNames::default();
    analysis.webhooks.iter().filter_map(move |webhook| {
        let kind = kind(webhook)?;
        let id = names.unique(&webhook.name);
        Some((Hook { id, name: webhook.name.clone(), kind, muted: webhook.mute_alert() }, webhook))
    })
}

/// The hook that decides something and has this [`Hook::id`].
pub fn deciding_hook<'a>(analysis: &'a Analysis, id: &str) -> Option<&'a Webhook> {
    deciding(analysis).find(|(hook, _)| hook.id == id).map(|(_, webhook)| webhook)
}

/// The `event` hook behind a receiver's name.
pub fn event_hook<'a>(analysis: &'a Analysis, receiver: &str) -> Option<&'a Webhook> {
    event_hooks(analysis).into_iter().find(|(name, _)| name == receiver).map(|(_, webhook)| webhook)
}

fn kind(webhook: &Webhook) -> Option<HookKind> {
    Some(match webhook.hook_type() {
        HookType::ConfirmRollout => HookKind::ConfirmRollout,
        HookType::PreRollout => HookKind::PreRollout,
        HookType::Rollout => HookKind::Rollout,
        HookType::ConfirmTrafficIncrease => HookKind::ConfirmTrafficIncrease,
        HookType::ConfirmPromotion => HookKind::ConfirmPromotion,
        HookType::PostRollout => HookKind::PostRollout,
        HookType::Rollback => HookKind::Rollback,
        HookType::Event | HookType::Other(_) => return None,
    })
}

/// The `event` hooks with the names of their receivers. The status remembers receivers by these names, so they depend
/// on the spec alone.
pub(crate) fn event_hooks(analysis: &Analysis) -> Vec<(String, &Webhook)> {
    let events = analysis.webhooks.iter().filter(|webhook| webhook.hook_type() == HookType::Event);
    let mut names = UniqueNames::without(GLOBAL_HOOK);
    events.map(|webhook| (names.unique(&webhook.name), webhook)).collect()
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

    /// A rollout hook for each `(name, url)`.
    fn hooks(of: &[(&str, &str)]) -> Analysis {
        let webhooks = of.iter().map(|(name, url)| Webhook {
            name: (*name).to_owned(),
            url: (*url).to_owned(),
            type_: Some(HookType::Rollout),
            ..Webhook::default()
        });
        Analysis { webhooks: webhooks.collect(), ..Analysis::default() }
    }

    /// Asked about the hook of `id`, the url of the one that is called after the edit.
    #[track_caller]
    fn check_asked(before: &[(&str, &str)], id: &str, after: &[(&str, &str)], expect: Option<&str>) {
        let (before, after) = (hooks(before), hooks(after));
        assert!(deciding(&before).any(|(hook, _)| hook.id == id), "{id} is asked");
        assert_eq!(deciding_hook(&after, id).map(|hook| hook.url.as_str()), expect);
    }

    #[test]
    fn an_edit_of_other_hooks_does_not_change_which_one_is_asked() {
        let three = [("a", "1"), ("b", "2"), ("c", "3")];
        check_asked(&three, "b", &three, Some("2"));
        check_asked(&three, "b", &[("b", "2"), ("c", "3"), ("a", "1")], Some("2"));
        check_asked(&three, "c", &[("new", "0"), ("c", "3")], Some("3"));
        check_asked(&three, "b", &[("a", "1"), ("c", "3")], None);
        check_asked(&[("a", "1"), ("a", "2")], "a#2", &[("b", "0"), ("a", "1"), ("a", "2")], Some("2"));
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
