//! Somebody else undoes what we write. We go on, at a pace that costs nobody much, and say so: two writers who both
//! insist at once would keep the API server busy for nothing (`reliability.md` F38, F39).

use vexil_analysis::{Effect, Memory, Millis, Outbox};

use crate::runtime::backoff_ms;

/// How often the last effect had to be carried out although nothing was decided in between.
#[derive(Debug, Default)]
pub(crate) struct ConflictBackoff {
    last: Option<Box<(Memory, Effect)>>,
    times: u32,
    at: Millis,
}

/// So often in a row something may be put back at once.
const AT_ONCE: u32 = 3;
/// What has lasted so long after it was put back is left alone now, in milliseconds.
const LASTS_MS: u64 = 5_000;
/// An edit so long after the one before is another one, in milliseconds.
const OVER_MS: u64 = 60_000;

impl ConflictBackoff {
    /// How long an effect has to wait now, in milliseconds; `None` when it need not.
    pub(crate) fn backoff_ms(&self, memory: &Memory, effect: &Effect, now: Millis) -> Option<u64> {
        let (since, same) = (now.since(self.at), self.is_same(memory, effect));
        if !same || self.times < AT_ONCE || since >= OVER_MS {
            return None;
        }
        backoff_ms(self.times - AT_ONCE).checked_sub(since).filter(|rest| *rest > 0)
    }

    /// The effect that was last put back, and how long it has to last from now on before it is believed, in
    /// milliseconds; `None` when nobody undoes anything.
    pub(crate) fn unconfirmed(&self, now: Millis) -> Option<(&Effect, u64)> {
        let since = now.since(self.at);
        let (_, effect) = self.last.as_deref().filter(|_| self.times > AT_ONCE && since < LASTS_MS)?;
        Some((effect, LASTS_MS - since))
    }

    /// An effect was carried out.
    pub(crate) fn record(&mut self, memory: &Memory, effect: &Effect, now: Millis) {
        let goes_on = self.is_same(memory, effect) && now.since(self.at) < OVER_MS;
        if !goes_on {
            self.last = Some(Box::new((without_messages(memory), effect.clone())));
        }
        self.times = if goes_on { self.times.saturating_add(1) } else { 1 };
        self.at = now;
    }

    /// What is told of it.
    pub(crate) fn text(effect: &Effect) -> String {
        let what = match effect {
            Effect::Backends => "the Services of primary and canary",
            Effect::Apex => "the apex Service",
            Effect::Route(_) => "the route",
            Effect::Scaler => "the autoscaler of the primary",
            Effect::CreatePrimary(_) | Effect::Promote(_) => "the primary",
            Effect::ScaleUp | Effect::ScaleToZero => "the replicas of the target",
            Effect::Release => "what an earlier binding left",
        };
        format!(
            "{what} is undone as often as it is written: another controller or an admission webhook writes the same \
             fields; tell it to leave them alone"
        )
    }

    fn is_same(&self, memory: &Memory, effect: &Effect) -> bool {
        self.last
            .as_deref()
            .is_some_and(|(before, done)| done == effect && *before == without_messages(memory))
    }
}

/// A memory without what is told and waited for: that changes whenever something is put back.
fn without_messages(memory: &Memory) -> Memory {
    Memory { wait: None, outbox: Outbox::default(), ..memory.clone() }
}
