//! Which requests the weight of the memory is about.

use crate::Routes;

/// Which requests the canary gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Exposure {
    /// A share of all requests.
    #[default]
    Share,
    /// Those that match the user's conditions (A/B testing).
    Matched,
    /// Copies, whose responses no client gets.
    Mirrored,
}

impl Exposure {
    /// That of routes.
    pub const fn of(routes: &Routes) -> Self {
        match routes {
            Routes::Weighted { .. } | Routes::Sticky { .. } => Exposure::Share,
            Routes::Matched { .. } => Exposure::Matched,
            Routes::Mirrored { .. } => Exposure::Mirrored,
        }
    }
}
