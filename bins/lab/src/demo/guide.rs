//! What a guide is to the demo: everything in which two of them differ, as data.

use vexil_testbed_cluster::{Load, System};

/// The file in which every guide has its Canary.
pub const CANARY: &str = "podinfo-canary.yaml";

/// A guide that can be played.
#[derive(Debug)]
pub struct Guide {
    /// What it is called by, and its folder in `examples/`.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// The cluster that it is for.
    pub system: System,
    /// The operator's `-mesh-provider`, as in its install step.
    pub provider: &'static str,
    /// Its manifests by their names in its folder, in its order.
    pub manifests: &'static [(&'static str, &'static str)],
    /// What is pushed.
    pub images: Images,
    /// Where clients come in.
    pub entrance: Entrance,
    /// What the operator writes the weights to; without it the guide is Blue/Green.
    pub route: Option<Route>,
    /// The weight at which the pods of a version crash in an act of its own.
    pub crash_at: Option<u64>,
    /// Whether the load test of its Canary really runs: where clients never reach the canary, nobody else measures it.
    pub runs_load_test: bool,
}

/// Images, in the order of the acts; the first one stands in the manifests.
#[derive(Debug)]
pub struct Images {
    /// The guide's own push.
    pub good: &'static str,
    /// Its pods are made to crash.
    pub crashing: &'static str,
    /// Every second answer of a tag that begins with `bad` is a 500.
    pub bad: &'static str,
}

/// Where clients come in.
#[derive(Debug)]
pub struct Entrance {
    pub url: &'static str,
    /// The site, where a gateway leads to several.
    pub host: Option<&'static str>,
    /// Whether there are clients before there is a Canary.
    pub is_open_before: bool,
}

/// An object that holds weights, and where in it.
#[derive(Debug)]
pub struct Route {
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    pub plural: &'static str,
    pub name: &'static str,
    pub is_namespaced: bool,
    /// JSON pointer of the list of entries.
    pub entries: &'static str,
    /// JSON pointer in an entry, of what it leads to.
    pub leads_to: &'static str,
    /// What the canary's entry leads to.
    pub canary: &'static str,
}

impl Guide {
    /// The manifest of its Canary.
    pub fn canary(&self) -> &'static str {
        let found = self.manifests.iter().find(|(name, _)| *name == CANARY);
        found.map(|(_, text)| *text).unwrap_or_default()
    }

    /// How many acts it has.
    pub fn acts(&self) -> usize {
        2 + usize::from(self.crash_at.is_some())
    }
}

impl Entrance {
    /// Requests as its clients send them.
    pub fn load(&self) -> Load {
        let load = Load::new(self.url);
        match self.host {
            Some(host) => load.host(host),
            None => load,
        }
    }

    /// The place as people name it.
    pub fn name(&self) -> &'static str {
        self.host.unwrap_or(self.url)
    }
}

/// The tag of an image.
pub fn tag(image: &str) -> &str {
    image.rsplit_once(':').map_or("", |(_, tag)| tag)
}
