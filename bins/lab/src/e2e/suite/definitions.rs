//! Which CRDs the suite brings, the scenes that can be played with them, and their removal.

use std::collections::BTreeSet;

use super::{
    super::{
        api::DEFINITIONS,
        crds::{self, Source},
        recorder::text,
        scenes::Scene,
    },
    Suite,
};

impl Suite<'_> {
    /// The routers' CRDs that the cluster does not have: they leave with the suite.
    pub(super) async fn brings(&self) -> anyhow::Result<Vec<String>> {
        let mut brought = Vec::new();
        for definition in crds::routers()? {
            let name = text(&definition, "/metadata/name");
            if self.api.get(DEFINITIONS, "", name).await?.is_none() {
                brought.push(name.to_owned());
            }
        }
        Ok(brought)
    }

    pub(super) async fn remove(&self, definitions: &[String]) -> anyhow::Result<()> {
        for definition in definitions {
            self.api.delete(DEFINITIONS, "", definition).await?;
        }
        for definition in definitions {
            self.api.gone(definition).await?;
        }
        Ok(())
    }

    /// Without those that would take away CRDs that the cluster had already, or whose product's are not there.
    pub(super) fn playable(
        &self,
        scenes: Vec<Scene>,
        brought: &[String],
        source: &Source,
    ) -> anyhow::Result<Vec<Scene>> {
        let mut play = Vec::new();
        for scene in scenes {
            let mut missing = None;
            for name in scene.definitions() {
                if source.find(name)?.is_none() {
                    missing = Some(name);
                }
            }
            let takes = scene.exclusive || matches!(source, Source::Products(_));
            let is_brought = |name| brought.iter().any(|brought| brought == name);
            if takes && !scene.definitions().all(is_brought) {
                println!("  skip          {}: the cluster has its CRDs already", scene.name);
            } else if let Some(name) = missing {
                println!("  skip          {}: there is no CRD {name} of the product", scene.name);
            } else {
                play.push(scene);
            }
        }
        Ok(play)
    }

    /// Installs the CRDs that scenes use, but for those that a scene installs itself.
    pub(super) async fn install_for(&self, scenes: &[Scene], source: &Source) -> anyhow::Result<()> {
        let itself = |name: &str| scenes.iter().any(|s| s.exclusive && s.definition() == Some(name));
        let used = scenes.iter().flat_map(Scene::definitions).filter(|name| !itself(name));
        let used: BTreeSet<&str> = used.chain([crds::KEDA]).collect();
        let found = used.into_iter().filter_map(|name| source.find(name).transpose());
        crds::install(&self.api, &found.collect::<anyhow::Result<Vec<_>>>()?).await
    }
}
