//! The laws every router must pass, as one suite that each router runs in its own tests.
//!
//! ```ignore
//! laws::all(&Case { router: &Traefik::new(None), .. })
//! ```
//!
//! A router is exercised as the operator does it: it says what it needs, is shown it, and its changes are applied to
//! objects in memory behind the API server's fences. The inputs come from a fixed seed, so that a run is like the last
//! one; `PROPTEST_CASES` makes it longer.

mod arbitrary;
mod case;
mod doubt;
mod edits;
mod hand;
mod metadata;
mod others;
mod pruned;
mod release;
mod weights;

use std::fmt;

pub use case::{Case, Sample, Shared, Source};

/// A law: `Err` tells how the router breaks it.
type Law = fn(&Case<'_>) -> Result<(), String>;

/// All of them, by the sentence that they assert.
const LAWS: [(&str, Law); 17] = [
    (
        "every weight that is written is read back, and writing it again changes nothing",
        weights::are_read_back,
    ),
    ("a canary weight can follow any other", weights::follow_each_other),
    ("mirroring is read back where it is supported and refused where not", weights::mirror_or_refuse),
    ("without a route there is one create, with the Canary as its owner", weights::begin_with_a_create),
    ("fields and entries of others survive, or follow their source", others::survive),
    (
        "metadata that the Canary declares comes and goes with it, and that of others stays",
        metadata::comes_and_goes,
    ),
    ("the order of entries is the user's", others::keep_their_order),
    ("an edit by hand is reported with its path, then put back or refused", edits::are_told),
    ("what a hand does to our entries is told at its place", hand::is_told),
    ("arbitrary JSON gives an error or a route, never a panic", edits::of_any_shape),
    ("whatever fields an API server drops, writing the same again changes nothing", pruned::nothing_grows),
    ("an object of another controller is left alone", doubt::foreign),
    ("what is not known leads to no change", doubt::not_known),
    ("questions end, and what is asked is all that is needed", doubt::questions_end),
    ("a kind that the cluster does not serve is an error", doubt::not_served),
    ("a route of the Canary's own is left to the garbage collector, or removed", release::of_our_own),
    ("a user's object is given back as it was found", release::of_a_users),
];

/// Runs every law.
///
/// # Errors
/// The first law that is broken, with the smallest input that was found to break it.
pub fn all(case: &Case<'_>) -> Result<(), Broken> {
    for (law, hold) in LAWS {
        hold(case).map_err(|how| Broken { law, how })?;
    }
    Ok(())
}

/// A law that a router does not keep.
pub struct Broken {
    law: &'static str,
    how: String,
}

/// As a person reads it, since this is what a failed test prints.
impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken law: {}\n{}", self.law, self.how)
    }
}

#[cfg(test)]
mod tests;
