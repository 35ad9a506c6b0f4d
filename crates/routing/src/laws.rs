//! The laws that every router must pass, as one suite that each router runs in its own tests.
//!
//! ```ignore
//! laws::all(&Case { router: &Traefik::new(None), .. })
//! ```
//!
//! A router is used as the operator does it: the objects that it needs are observed, and its changes are applied to
//! objects in memory with the API server's checks of uid and resourceVersion. Each law runs with every kind of request
//! that the router supports. The inputs come from a fixed seed, so that every run is the same; `PROPTEST_CASES` sets
//! their number.

mod arbitrary;
mod case;
mod conditions;
mod edits;
mod entry_edits;
mod metadata;
mod port;
mod preserved;
mod pruned;
mod queries;
mod references;
mod release;
mod requests;
mod unknown;

use std::fmt;

use crate::RouteTarget;

pub use case::{Case, Sample, Shared, Source};
pub use queries::example;

/// A law: `Err` describes how the router breaks it.
type Law = fn(&Case<'_>) -> Result<(), String>;

/// All laws, by the sentence that they assert.
const LAWS: [(&str, Law); 23] = [
    (
        "every request that is written is read back, and writing it again changes nothing",
        requests::are_read_back,
    ),
    ("a request can follow any other", requests::follow_each_other),
    ("a request that the provider does not support is refused", requests::are_refused_without_support),
    ("the route follows the settings that the Canary has for a request", requests::follow_the_settings),
    (
        "a condition that the Canary no longer has is removed from the route",
        conditions::leave_with_the_canary,
    ),
    (
        "without a route there is one create, after those of its companions, with the Canary as its owner",
        requests::begin_with_a_create,
    ),
    ("a port is needed by the routers that say so, and by no other", requests::need_a_port),
    ("an edit of the port changes our entries, and adds none", port::is_followed),
    (
        "the route depends on the reference that the router declares alone",
        references::of_the_route_are_declared,
    ),
    ("fields and entries of others survive, or follow their source", preserved::survive),
    (
        "metadata that the Canary declares is written and removed with it, and that of others is kept",
        metadata::follows_the_canary,
    ),
    ("the order of entries is the user's", preserved::keep_their_order),
    ("drift is reported with its path, then corrected or refused", edits::are_reported),
    ("an edit of our entries is reported at its place", entry_edits::are_reported),
    ("arbitrary JSON leads to an error or a route, never a panic", edits::of_any_shape),
    ("whatever fields an API server drops, writing the same again changes nothing", pruned::nothing_grows),
    ("an object of another owner is not changed", unknown::foreign),
    ("what was not observed leads to no change", unknown::not_known),
    ("questions end, and what is asked is all that is needed", unknown::questions_end),
    ("a kind that the cluster does not serve is an error", unknown::not_served),
    ("a route that the Canary owns is left to the garbage collector, or deleted", release::of_our_own),
    ("an object of the user is released as it was found", release::of_a_users),
    ("the built-in queries contain no unknown word", queries::contain_known_words),
];

/// Runs every law.
///
/// # Errors
/// The first law that is broken, with the smallest input that was found to break it.
pub fn all(case: &Case<'_>) -> Result<(), Broken> {
    let [(spec, cookies), _] = requests::settings(case.target.spec);
    let case = case.with(RouteTarget { cookies, ..case.target_with(&spec) });
    for (law, hold) in LAWS {
        hold(&case).map_err(|how| Broken { law, how })?;
    }
    Ok(())
}

/// A law that a router breaks.
pub struct Broken {
    law: &'static str,
    how: String,
}

/// Readable, since a failed test prints it.
impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken law: {}\n{}", self.law, self.how)
    }
}

#[cfg(test)]
mod tests;
