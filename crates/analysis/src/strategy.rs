//! How traffic is shifted to the canary, and the weights of a progressive analysis.

use crate::Weight;

/// How traffic is shifted to the canary.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Step by step, by weight.
    Progressive(Steps),
    /// All at once, after a number of analyses without traffic of users.
    BlueGreen {
        /// `iterations`; at least 1.
        iterations: u32,
    },
    /// A/B testing: requests that match the user's conditions go to the canary for a number of analyses.
    AbTesting {
        /// `iterations`; at least 1.
        iterations: u32,
    },
}

/// The weights of a progressive analysis: `stepWeight` and `maxWeight`, or `stepWeights`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Steps {
    /// `stepWeights`; when empty, `by` counts.
    pub list: Vec<Weight>,
    /// `stepWeight`; zero when not set.
    pub by: Weight,
    /// The weight at which the analysis is complete.
    pub max: Weight,
}

impl Steps {
    /// The weight after `current`. A weight that is not in the list, because the list was edited, goes on with the
    /// next larger one.
    pub fn after(&self, current: Weight) -> Weight {
        if self.list.is_empty() || !self.by.is_zero() {
            return Weight::clamped(u32::from(current.percent()) + u32::from(self.by.percent()));
        }
        self.list.iter().copied().find(|step| *step > current).unwrap_or(Weight::FULL)
    }

    /// Whether `current` is where the analysis ends and promotion begins.
    pub fn complete(&self, current: Weight) -> bool {
        current >= self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(list: &[u32]) -> Vec<Weight> {
        list.iter().copied().map(Weight::clamped).collect()
    }

    /// Every weight that a run sets, until the analysis is complete.
    fn check(list: &[u32], by: u32, max: u32, expect: &[u32]) {
        let steps = Steps { list: weights(list), by: Weight::clamped(by), max: Weight::clamped(max) };
        let mut seen = Vec::new();
        let mut at = Weight::ZERO;
        while !steps.complete(at) && seen.len() < 200 {
            at = steps.after(at);
            seen.push(at);
        }
        assert_eq!(seen, weights(expect), "list {list:?} by {by} max {max}");
    }

    #[test]
    fn steps_are_those_of_flagger() {
        check(&[], 20, 50, &[20, 40, 60]);
        check(&[], 10, 50, &[10, 20, 30, 40, 50]);
        check(&[], 60, 100, &[60, 100]);
        check(&[1, 2, 10, 80], 0, 80, &[1, 2, 10, 80]);
        check(&[1, 2, 10, 100], 0, 100, &[1, 2, 10, 100]);
        check(&[5, 25, 80], 0, 80, &[5, 25, 80]);
    }

    #[test]
    fn an_edited_list_goes_on_with_the_next_larger_step() {
        let steps = Steps { list: weights(&[10, 30, 60]), by: Weight::ZERO, max: Weight::clamped(60) };
        assert_eq!(steps.after(Weight::clamped(20)), Weight::clamped(30));
    }
}
