//! Weighted round robin, spread smoothly: a share of 1 in 4 gets every fourth request, not in bursts.

use std::sync::Mutex;

use crate::network::lock;

/// Whose turn it is among some that have weights.
#[derive(Debug)]
pub(crate) struct Turns(Mutex<Vec<Turn>>);

/// The standing of one of them.
#[derive(Debug)]
struct Turn {
    weight: i128,
    credit: i128,
}

impl Turns {
    /// Starts afresh.
    pub fn new(weights: impl IntoIterator<Item = u64>) -> Self {
        let turn = |weight| Turn { weight: i128::from(weight), credit: 0 };
        Turns(Mutex::new(weights.into_iter().map(turn).collect()))
    }

    /// The place of the next one; `None` when all weights are 0. Every one earns its weight, the richest is chosen and
    /// pays what all have earned.
    pub fn next(&self) -> Option<usize> {
        let mut turns = lock(&self.0);
        let total: i128 = turns.iter().map(|turn| turn.weight).sum();
        if total == 0 {
            return None;
        }
        for turn in turns.iter_mut() {
            turn.credit += turn.weight;
        }
        let best = turns.iter().enumerate().filter(|(_, turn)| turn.weight > 0);
        // The first of equals, and `max_by_key` would take the last.
        let (place, _) = best.rev().max_by_key(|(_, turn)| turn.credit)?;
        turns.get_mut(place)?.credit -= total;
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(weights: &[u64], expect: &str) {
        let turns = Turns::new(weights.iter().copied());
        let got: String = (0..8).filter_map(|_| Some(char::from(b'a' + turns.next()? as u8))).collect();
        assert_eq!(got, expect, "{weights:?}");
    }

    #[test]
    fn requests_are_spread_by_weight() {
        check(&[1, 1], "abababab");
        check(&[3, 1], "aabaaaba");
        check(&[100, 0], "aaaaaaaa");
        check(&[0, 100], "bbbbbbbb");
        check(&[50, 25, 25], "abcaabca");
    }

    #[test]
    fn none_is_chosen_when_all_weights_are_zero() {
        check(&[0, 0], "");
        check(&[], "");
    }
}
