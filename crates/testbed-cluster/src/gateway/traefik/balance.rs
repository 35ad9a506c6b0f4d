//! Balancing between the Services of a route and the pods of a Service.

use std::sync::Mutex;

use super::config::Backend;
use crate::gateway::turns::Turns;
use crate::network::{Address, lock};

/// A [`Backend`] that remembers whose turn it is.
#[derive(Debug)]
pub(super) enum Balancer {
    Service { label: String, addresses: Vec<Address>, turn: Mutex<usize> },
    Weighted { children: Vec<Balancer>, turns: Turns },
}

impl Balancer {
    /// Starts afresh, as the product does with each new configuration.
    pub fn new(backend: &Backend) -> Self {
        match backend {
            Backend::Service { label, addresses } => {
                Balancer::Service { label: label.clone(), addresses: addresses.clone(), turn: Mutex::new(0) }
            }
            Backend::Weighted(children) => Balancer::Weighted {
                turns: Turns::new(children.iter().map(|(weight, _)| *weight)),
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
            Balancer::Weighted { children, turns } => children.get(turns.next()?)?.next(),
        }
    }
}
