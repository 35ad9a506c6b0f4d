//! How a seed's Canary analyses a revision: each strategy of the place's router.

use serde_json::{Value, json};

use super::place::Place;

/// The header of the requests that an A/B test is about, and its value.
pub const MATCHED: (&str, &str) = ("x-canary", "insider");

/// What the analysis says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// As the place has it.
    #[default]
    Usual,
    /// Without traffic, then with all of it.
    BlueGreen,
    /// Requests with a header.
    AbTesting,
    /// Copies of requests, before the first weight.
    Mirror,
    /// A client stays where it was.
    Affinity,
}

impl Strategy {
    /// Those that the router of a place has; the usual one is as likely as all others.
    pub fn of(place: &Place) -> Vec<Strategy> {
        let supports = place.supports();
        let all = [
            (supports.weights, Strategy::BlueGreen),
            (supports.matches, Strategy::AbTesting),
            (supports.mirror, Strategy::Mirror),
            (supports.affinity, Strategy::Affinity),
        ];
        let others: Vec<Strategy> = all.into_iter().filter(|(has, _)| *has).map(|(_, one)| one).collect();
        let usual = vec![Strategy::Usual; others.len().max(1)];
        usual.into_iter().chain(others).collect()
    }

    /// What it changes of the analysis.
    pub fn analysis(self) -> Value {
        let without_weights = json!({"iterations": 3, "stepWeight": null, "maxWeight": null});
        match self {
            Strategy::Usual => json!({}),
            Strategy::BlueGreen => without_weights,
            Strategy::AbTesting => {
                let mut analysis = without_weights;
                let (header, value) = MATCHED;
                let conditions = json!({"match": [{"headers": {header: {"exact": value}}}]});
                vexil_testbed_rig::manifests::merge(&mut analysis, &conditions);
                analysis
            }
            Strategy::Mirror => json!({"mirror": true}),
            Strategy::Affinity => json!({"sessionAffinity": {"cookieName": "canary", "maxAge": 600}}),
        }
    }

    /// What titles call it.
    pub fn title(self) -> Option<&'static str> {
        match self {
            Strategy::Usual => None,
            Strategy::BlueGreen => Some("Blue/Green"),
            Strategy::AbTesting => Some("A/B testing"),
            Strategy::Mirror => Some("mirroring"),
            Strategy::Affinity => Some("session affinity"),
        }
    }
}
