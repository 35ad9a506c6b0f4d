//! The guides that can be played: a new one is a file here, its folder in `examples/`, and a line in the list.

mod apisix;
mod kubernetes;
mod kuma;
mod smi_istio;
#[cfg(test)]
mod tests;
mod traefik;

use super::guide::Guide;

/// All guides, in the order in which they are played.
pub static GUIDES: [&Guide; 5] =
    [&kuma::GUIDE, &smi_istio::GUIDE, &traefik::GUIDE, &apisix::GUIDE, &kubernetes::GUIDE];

/// The guide that is played when none is named.
pub static USUAL: &Guide = &traefik::GUIDE;

/// The word for all of them.
pub const ALL: &str = "all";

/// The guides that a name stands for; none for a name that nobody knows.
pub fn named(name: &str) -> Vec<&'static Guide> {
    GUIDES.into_iter().filter(|guide| name == ALL || guide.name == name).collect()
}

/// What may be named.
pub fn names() -> Vec<&'static str> {
    GUIDES.iter().map(|guide| guide.name).chain([ALL]).collect()
}
