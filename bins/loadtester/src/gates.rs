//! Gates: closed until they are opened. They are kept in the memory of this process, as Flagger's are: a restart closes
//! all of them, and a second replica has its own.

use std::{collections::BTreeSet, fmt};

/// How many gates may be open at once. Callers choose the names, so their number is bounded.
const MOST_OPEN: usize = 10_000;

/// The two gates that a Canary has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// Lets a rollout go on while it is open.
    Confirm,
    /// Takes a rollout back when it is open.
    Rollback,
}

/// A gate of a Canary. The two kinds cannot be mistaken for each other, whatever the Canary is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GateKey {
    /// Which of the two.
    pub gate: Gate,
    /// Name of the Canary.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}

/// As Flagger's load tester names it in its log.
impl fmt::Display for GateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = match self.gate {
            Gate::Confirm => "",
            Gate::Rollback => "rollback.",
        };
        write!(f, "{prefix}{}.{}", self.name, self.namespace)
    }
}

/// Which gates are open.
#[derive(Debug, Default)]
pub struct Gates(BTreeSet<GateKey>);

impl Gates {
    /// Opens one; false when too many are open.
    pub fn open(&mut self, key: GateKey) -> bool {
        let room = self.0.len() < MOST_OPEN || self.0.contains(&key);
        if room {
            self.0.insert(key);
        }
        room
    }

    /// Closes one.
    pub fn close(&mut self, key: &GateKey) {
        self.0.remove(key);
    }

    /// Whether one is open. What was never opened is closed.
    pub fn is_open(&self, key: &GateKey) -> bool {
        self.0.contains(key)
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(gate: Gate, name: &str) -> GateKey {
        GateKey { gate, name: name.to_owned(), namespace: "test".to_owned() }
    }

    #[test]
    fn a_gate_is_closed_until_it_is_opened_and_after_it_is_closed() {
        let mut gates = Gates::default();
        let podinfo = key(Gate::Confirm, "podinfo");
        assert!(!gates.is_open(&podinfo));
        assert!(gates.open(podinfo.clone()) && gates.open(podinfo.clone()));
        assert!(gates.is_open(&podinfo));
        gates.close(&podinfo);
        gates.close(&podinfo);
        assert!(!gates.is_open(&podinfo));
    }

    #[test]
    fn a_canary_called_like_a_rollback_gate_does_not_open_it() {
        let mut gates = Gates::default();
        let (canary, gate) = (key(Gate::Confirm, "rollback.podinfo"), key(Gate::Rollback, "podinfo"));
        assert_eq!(canary.to_string(), gate.to_string());
        gates.open(canary);
        assert!(!gates.is_open(&gate));
    }

    #[test]
    fn there_is_an_end_to_opening_gates() {
        let mut gates = Gates::default();
        assert!((0..MOST_OPEN).all(|n| gates.open(key(Gate::Confirm, &n.to_string()))));
        assert!(!gates.open(key(Gate::Confirm, "one more")));
        assert!(gates.open(key(Gate::Confirm, "0")), "it is open already");
        assert_eq!(gates.count(), MOST_OPEN);
    }
}
