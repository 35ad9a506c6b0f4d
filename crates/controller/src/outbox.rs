//! Hands the notices of the outbox to the dispatcher, once in each process, and logs them.

use std::collections::BTreeSet;

use serde_json::Value;
use vexil_analysis::{Level, Notice, Outbox, Receiver};
use vexil_object::ObjectKey;
use vexil_plan::{CanaryContext, GLOBAL_ALERT, GLOBAL_HOOK};

use crate::{Context, notification::Notification, runtime::CanaryRuntime};

/// Notices that this process has not handed over yet. What the receivers of a spec are is not known while that is
/// invalid: theirs wait until it is corrected.
pub(crate) fn undelivered(
    context: &Context,
    canary: &CanaryContext,
    outbox: &Outbox,
    runtime: &mut CanaryRuntime,
) -> Vec<Notification> {
    let is_valid = canary.plan().spec_error.is_none();
    offer(outbox, runtime, |to| is_valid || !is_named_in_spec(to))
        .into_iter()
        .filter_map(|(seq, to)| {
            let entry = outbox.entries.iter().find(|entry| entry.seq == seq)?;
            Some(Notification::of(context, canary, entry, to))
        })
        .collect()
}

/// Events that this process has not handed over yet, of a Canary whose spec cannot be read. Its hooks wait until it
/// can.
pub(crate) fn undelivered_events(
    live: &Value,
    key: &ObjectKey,
    outbox: &Outbox,
    runtime: &mut CanaryRuntime,
) -> Vec<Notification> {
    offer(outbox, runtime, |to| *to == Receiver::Events)
        .into_iter()
        .filter_map(|(seq, _)| {
            let entry = outbox.entries.iter().find(|entry| entry.seq == seq)?;
            Some(Notification::event(live, key, entry))
        })
        .collect()
}

/// Whether a receiver is one of the spec's, and not of the cluster or the operator.
fn is_named_in_spec(to: &Receiver) -> bool {
    match to {
        Receiver::Events => false,
        Receiver::Hook(name) => name != GLOBAL_HOOK,
        Receiver::Alert(name) => name != GLOBAL_ALERT,
    }
}

/// What is to be handed over now. It counts as handed over from then on, until the outbox no longer has it.
fn offer(
    outbox: &Outbox,
    runtime: &mut CanaryRuntime,
    wanted: impl Fn(&Receiver) -> bool,
) -> Vec<(u64, Receiver)> {
    let pending = outbox.entries.iter().flat_map(|entry| entry.to.iter().map(|to| (entry.seq, to.clone())));
    let pending: BTreeSet<(u64, Receiver)> = pending.collect();
    runtime.offered.retain(|offer| pending.contains(offer));
    let new = pending.into_iter().filter(|offer| wanted(&offer.1) && runtime.offered.insert(offer.clone()));
    new.collect()
}

/// Logs what was decided.
pub(crate) fn log(notices: &[Notice]) {
    for notice in notices {
        match notice.level {
            Level::Info => tracing::info!("{}", notice.message),
            Level::Error => tracing::error!("{}", notice.message),
        }
    }
}
