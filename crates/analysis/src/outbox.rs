//! Notices that are stored in the status until each receiver has them, and the limits on their number, age and size.

use crate::{
    Millis, Notice, Plan, Receiver, bounded,
    limits::{MAX_NOTICES_PER_RECEIVER, NOTICE_LIFETIME_MS},
};

/// Notices that some receiver does not have yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Outbox {
    /// Number of the next notice; names its Event, so that a repeat is recognised.
    pub next: u64,
    /// How many were dropped because a receiver did not accept them in time.
    pub lost: u64,
    /// The notices, oldest first.
    pub entries: Vec<Entry>,
}

/// One undelivered notice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Entry {
    /// Its number, counted from the Canary's creation.
    pub seq: u64,
    /// What is delivered.
    pub notice: Notice,
    /// The receivers that do not have it yet.
    pub to: Vec<Receiver>,
}

/// The bytes of an entry without its texts: names of fields, numbers and constants, at their longest.
const FIELDS: usize = 208;
/// The bytes of the list without its entries.
const LIST: usize = 96;
impl Outbox {
    /// Adds a notice for `to`. When a receiver has too many waiting, its oldest that carries no alert goes.
    pub(crate) fn push(&mut self, mut notice: Notice, to: &[Receiver]) {
        notice.message = bounded(notice.message);
        let seq = self.next;
        self.next += 1;
        if to.is_empty() {
            return;
        }
        self.entries.push(Entry { seq, notice, to: to.to_vec() });
        for receiver in to {
            self.bound(receiver);
        }
    }

    fn bound(&mut self, receiver: &Receiver) {
        let waiting = |entry: &&mut Entry| entry.to.contains(receiver);
        if self.entries.iter_mut().filter(waiting).count() <= MAX_NOTICES_PER_RECEIVER {
            return;
        }
        let mut candidates: Vec<&mut Entry> = self.entries.iter_mut().filter(waiting).collect();
        let oldest = candidates.iter().position(|entry| entry.notice.alert.is_none()).unwrap_or(0);
        if let Some(entry) = candidates.get_mut(oldest) {
            entry.to.retain(|to| to != receiver);
            self.lost += 1;
        }
        self.entries.retain(|entry| !entry.to.is_empty());
    }

    /// Removes what is for receivers that the spec does not have any more.
    pub(crate) fn keep_for(&mut self, plan: &Plan) {
        for entry in &mut self.entries {
            entry.to.retain(|to| is_receiver(plan, to));
        }
        self.entries.retain(|entry| !entry.to.is_empty());
    }

    /// Removes what was delivered and what is too old.
    pub(crate) fn prune(&mut self, delivered: &[(u64, Receiver)], now: Millis) {
        for entry in &mut self.entries {
            entry.to.retain(|to| !delivered.iter().any(|(seq, by)| *seq == entry.seq && by == to));
        }
        self.entries
            .retain(|entry| !entry.to.is_empty() && now.since(entry.notice.time) < NOTICE_LIFETIME_MS);
    }

    /// The outbox with as many notices as fit into `bytes` of JSON. Messages are bounded first; then the oldest
    /// notices go, those with an alert last, and each receiver that does not have them counts as lost.
    #[must_use]
    pub fn fit(mut self, bytes: usize) -> Self {
        for entry in &mut self.entries {
            entry.notice.message = bounded(std::mem::take(&mut entry.notice.message));
            if let Some(alert) = &mut entry.notice.alert {
                alert.message = bounded(std::mem::take(&mut alert.message));
            }
        }
        let taken: usize = self.entries.iter().map(size).sum();
        let mut excess = (taken + LIST).saturating_sub(bytes);
        for with_alert in [false, true] {
            self.entries.retain(|entry| {
                if excess == 0 || entry.notice.alert.is_some() != with_alert {
                    return true;
                }
                excess = excess.saturating_sub(size(entry));
                self.lost = self.lost.saturating_add(u64::try_from(entry.to.len()).unwrap_or(u64::MAX));
                false
            });
        }
        self
    }
}

fn is_receiver(plan: &Plan, receiver: &Receiver) -> bool {
    let alerts = |name: &String| plan.alerts.iter().any(|alert| alert.name == *name);
    plan.receivers.contains(receiver) || matches!(receiver, Receiver::Alert(name) if alerts(name))
}

/// The bytes of an entry as JSON, at most.
fn size(entry: &Entry) -> usize {
    let alert = entry.notice.alert.as_ref().map_or(0, |alert| written(&alert.message));
    let to: usize = entry.to.iter().map(receiver).sum();
    FIELDS + written(&entry.notice.message) + alert + to
}

fn receiver(receiver: &Receiver) -> usize {
    match receiver {
        Receiver::Events => 16,
        Receiver::Hook(name) | Receiver::Alert(name) => 16 + written(name),
    }
}

/// The bytes of a text between quotes: some characters are written as two bytes, or as six.
fn written(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Alert, AlertSeverity, Binding, EventType, Facts, Level, Memory, Names, Phase, Step, Strategy, advance,
    };

    fn entry(seq: u64, message: &str, alert: bool) -> Entry {
        let alert =
            alert.then(|| Alert { severity: AlertSeverity::Error, message: "a".to_owned(), details: false });
        let notice = Notice {
            event_type: EventType::Normal,
            level: Level::Info,
            message: message.to_owned(),
            phase: Phase::Progressing,
            time: Millis(0),
            alert,
        };
        Entry { seq, notice, to: vec![Receiver::Events, Receiver::Hook("h".to_owned())] }
    }

    /// The numbers of the notices that are kept of these, and how many were lost.
    #[track_caller]
    fn check(entries: &[Entry], bytes: usize, kept: &[u64], lost: u64) {
        let outbox = Outbox { next: 9, lost: 0, entries: entries.to_vec() }.fit(bytes);
        let seqs: Vec<u64> = outbox.entries.iter().map(|entry| entry.seq).collect();
        assert_eq!((seqs.as_slice(), outbox.lost, outbox.next), (kept, lost, 9));
        assert_eq!(outbox.clone().fit(bytes), outbox, "the same again changes nothing");
    }

    #[test]
    fn the_oldest_go_until_the_rest_fits_and_alerts_go_last() {
        let long = "x".repeat(1_000);
        let three = [entry(1, &long, false), entry(2, &long, true), entry(3, &long, false)];
        check(&three, 64 << 10, &[1, 2, 3], 0);
        check(&three, 3_000, &[2, 3], 2);
        check(&three, 2_000, &[2], 4);
        check(&three, 1_000, &[], 6);
        check(&three, 0, &[], 6);
        check(&[], 0, &[], 0);
    }

    #[test]
    fn what_is_written_as_six_bytes_counts_as_six() {
        let quiet = [entry(1, &"x".repeat(1_000), false)];
        let loud = [entry(1, &"\u{1}".repeat(1_000), false)];
        check(&quiet, 2_000, &[1], 0);
        check(&loud, 2_000, &[], 2);
        check(&loud, 7_000, &[1], 0);
    }

    /// What is undelivered after a decision, of a notice for Events and for a hook that the spec does not have.
    #[track_caller]
    fn check_receivers(spec_error: Option<&str>, expect: &[Receiver]) {
        let strategy = Strategy::BlueGreen { iterations: 1 };
        let plan = Plan {
            spec_error: spec_error.map(str::to_owned),
            ..Plan::new(Names::default(), Binding::default(), strategy)
        };
        let outbox = Outbox { next: 2, lost: 0, entries: vec![entry(1, "x", false)] };
        let memory = Memory { phase: Phase::Terminated, outbox, ..Memory::default() };
        let Step::Done(transition) = advance(&plan, &memory, &Facts::default()) else { panic!("a question") };
        let left = transition.memory.outbox.entries.iter().find(|entry| entry.seq == 1).unwrap();
        assert_eq!(left.to, expect, "{spec_error:?}");
    }

    #[test]
    fn what_is_for_a_receiver_that_was_removed_is_dropped() {
        check_receivers(None, &[Receiver::Events]);
        let both = [Receiver::Events, Receiver::Hook("h".to_owned())];
        check_receivers(Some("spec: which receivers there are is not known"), &both);
    }

    #[test]
    fn messages_of_older_versions_are_bounded() {
        let outbox = Outbox { next: 1, lost: 0, entries: vec![entry(1, &"x".repeat(5_000), true)] };
        assert_eq!(outbox.fit(64 << 10).entries[0].notice.message.len(), crate::limits::MAX_TEXT_BYTES);
    }
}
