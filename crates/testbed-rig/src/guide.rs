//! A page of `docs/guides/`: what its reader applies, pushes and sees.

use vexil_testbed_cluster::Load;

use crate::{
    cast::{Cast, PODINFO},
    systems::{KUBERNETES, System},
};

/// The file in which every guide has its Canary.
pub const CANARY: &str = "podinfo-canary.yaml";
/// Where the guides' objects are.
pub const NAMESPACE: &str = "test";
/// The container of the guides' application.
pub const CONTAINER: &str = "podinfod";

/// A guide that can be played.
#[derive(Debug)]
pub struct Guide {
    /// The name of its page without `.md`, and of its folder in `examples/`.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// The system that it is for.
    pub system: &'static System,
    /// Its manifests by their names in its folder, in its order.
    pub manifests: &'static [(&'static str, &'static str)],
    /// What is pushed.
    pub images: Images,
    /// The port of its apex.
    pub port: u64,
    /// Whether clients reach the application before there is a Canary.
    pub is_open_before: bool,
    /// The weight at which the pods of a version crash in an act of its own.
    pub crash_at: Option<u64>,
    /// Whether the load test of its Canary really runs: where clients never reach the canary, only it is measured.
    pub runs_load_test: bool,
    /// Whether it makes the namespace of the operator, which elsewhere is that of the product.
    pub makes_namespace: bool,
}

/// Images, in the order of the acts; the first one is in the manifests.
#[derive(Debug)]
pub struct Images {
    /// The guide's own push.
    pub good: &'static str,
    /// Its pods are made to crash.
    pub crashing: &'static str,
    /// Every second answer of a tag that begins with `bad` is a 500.
    pub bad: &'static str,
}

impl Guide {
    /// What most guides have in common; the rest is blank.
    pub(crate) const USUAL: Guide = Guide {
        name: "",
        title: "",
        system: &KUBERNETES,
        manifests: &[],
        images: Images { good: "", crashing: "", bad: "" },
        port: 80,
        is_open_before: false,
        crash_at: Some(20),
        runs_load_test: false,
        makes_namespace: false,
    };

    /// The names of its objects.
    pub fn cast(&self) -> Cast {
        Cast::new(self.system, NAMESPACE)
    }

    /// Whether traffic is split by weight; Blue/Green without.
    pub fn splits(&self) -> bool {
        self.system.route.is_some()
    }

    /// The manifest of its Canary.
    pub fn canary(&self) -> &'static str {
        let found = self.manifests.iter().find(|(name, _)| *name == CANARY);
        found.map(|(_, text)| *text).unwrap_or_default()
    }

    /// How many acts it has.
    pub fn acts(&self) -> usize {
        2 + usize::from(self.crash_at.is_some())
    }

    /// URL and host of its clients.
    pub fn entrance(&self) -> (String, String) {
        self.system.entrance(PODINFO, self.port)
    }

    /// Requests as its clients send them.
    pub fn load(&self) -> Load {
        let (url, host) = self.entrance();
        Load::new(&url).host(&host)
    }

    /// The operator's flags, as in its install step.
    pub fn flags(&self) -> [String; 3] {
        [
            format!("-mesh-provider={}", self.system.provider),
            format!("-metrics-server=http://{}", self.system.cluster.metric_server()),
            // The default never checks more often than every 10 s.
            "-min-analysis-interval=1s".to_owned(),
        ]
    }
}

/// The tag of an image.
pub fn tag(image: &str) -> &str {
    image.rsplit_once(':').map_or("", |(_, tag)| tag)
}
