//! The pages that are followed.

use vexil_testbed_cluster::System;

/// A page of `docs/guides/`.
#[derive(Debug)]
pub struct Page {
    /// Its file without `.md`, and its folder in `examples/`.
    pub name: &'static str,
    /// The cluster that it is for.
    pub system: System,
    /// Whether it makes the namespace of the operator, which elsewhere is that of the product.
    pub makes_namespace: bool,
}

/// All pages.
pub static PAGES: [&Page; 5] = [
    &Page { name: "kuma", system: System::Kuma(&["TrafficRoute"]), makes_namespace: false },
    &Page { name: "smi-istio", system: System::SmiIstio(&["v1alpha1"]), makes_namespace: false },
    &Page { name: "traefik", system: System::Traefik(&["traefik.containo.us"]), makes_namespace: false },
    &Page { name: "apisix", system: System::Apisix, makes_namespace: false },
    &Page { name: "kubernetes", system: System::Kubernetes, makes_namespace: true },
];

/// Their names.
pub fn names() -> Vec<&'static str> {
    PAGES.iter().map(|page| page.name).collect()
}
