//! What is installed on a cluster: namespaces, definitions, and what the installation of its system makes.

use serde_json::json;

use super::Cluster;
use crate::world::system::System;
use crate::world::{objects, view};

impl Cluster {
    /// Installs what a fresh cluster has.
    pub(super) async fn prepare(&self, install_crds: bool) -> anyhow::Result<()> {
        for name in self.system.namespaces().iter().chain(&["test"]) {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            objects::apply(&self.client, &namespace).await?;
        }
        for crd in vexil_api::crds()? {
            objects::apply(&self.client, &crd.manifest).await?;
        }
        if install_crds { self.install_crds().await } else { Ok(()) }
    }

    /// Installs the definitions of the cluster's system, and what its installation makes.
    ///
    /// # Errors
    /// When they are refused.
    pub async fn install_crds(&self) -> anyhow::Result<()> {
        for object in self.system.definitions()?.into_iter().chain(self.system.objects()?) {
            objects::apply(&self.client, &object).await?;
        }
        Ok(())
    }

    /// Takes away the definitions of the cluster's system, and all objects of these kinds with them.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub async fn remove_crds(&self) -> anyhow::Result<()> {
        for definition in self.system.definitions()? {
            let name = view::name(&definition);
            self.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", name).await?;
        }
        Ok(())
    }

    /// What splits traffic here.
    pub fn system(&self) -> System {
        self.system
    }
}
