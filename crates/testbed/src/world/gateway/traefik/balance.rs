//! Weighted round robin, spread smoothly: a share of 1 in 4 comes every fourth request, not in bursts.

use std::sync::Mutex;

use super::config::Backend;
use crate::world::network::{Address, lock};

/// A [`Backend`] that remembers whose turn it is.
#[derive(Debug)]
pub(super) enum Balancer {
    Service { label: String, addresses: Vec<Address>, turn: Mutex<usize> },
    Weighted { children: Vec<Balancer>, turns: Mutex<Vec<Turn>> },
}

/// The standing of one child.
#[derive(Debug)]
pub(super) struct Turn {
    weight: i128,
    credit: i128,
}

impl Balancer {
    /// Starts afresh, as the product does with each new configuration.
    pub fn new(backend: &Backend) -> Self {
        match backend {
            Backend::Service { label, addresses } => {
                Balancer::Service { label: label.clone(), addresses: addresses.clone(), turn: Mutex::new(0) }
            }
            Backend::Weighted(children) => Balancer::Weighted {
                turns: Mutex::new(
                    children
                        .iter()
                        .map(|(weight, _)| Turn { weight: i128::from(*weight), credit: 0 })
                        .collect(),
                ),
                children: children.iter().map(|(_, child)| Balancer::new(child)).collect(),
            },
        }
    }

    /// The Service (by its name in metrics) and the pod of the next request; `None` when all weights are 0.
    pub fn next(&self) -> Option<(&str, &Address)> {
        match self {
            Balancer::Service { label, addresses, turn } => {
                let mut turn = lock(turn);
                let address = addresses.get(*turn % addresses.len().max(1))?;
                *turn = turn.wrapping_add(1);
                Some((label, address))
            }
            Balancer::Weighted { children, turns } => children.get(choose(&mut lock(turns))?)?.next(),
        }
    }
}

/// Every child earns its weight, the richest is chosen and pays what all have earned.
fn choose(turns: &mut [Turn]) -> Option<usize> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(weights: &[u64], expect: &str) {
        let child = |place: usize| Backend::Service {
            label: char::from(b'a' + place as u8).to_string(),
            addresses: vec![("ip".to_owned(), 1)],
        };
        let children = weights.iter().enumerate().map(|(place, weight)| (*weight, child(place))).collect();
        let balancer = Balancer::new(&Backend::Weighted(children));
        let got: String = (0..expect.len()).filter_map(|_| Some(balancer.next()?.0)).collect();
        assert_eq!(got, expect, "{weights:?}");
    }

    #[test]
    fn requests_are_spread_by_weight() {
        check(&[1, 1], "abab");
        check(&[3, 1], "aabaaaba");
        check(&[100, 0], "aaaa");
        check(&[0, 100], "bbbb");
        check(&[50, 25, 25], "abcaabca");
    }

    #[test]
    fn nobody_is_chosen_when_all_weights_are_zero() {
        let child = Backend::Service { label: String::new(), addresses: vec![("ip".to_owned(), 1)] };
        assert_eq!(Balancer::new(&Backend::Weighted(vec![(0, child)])).next(), None);
    }
}
