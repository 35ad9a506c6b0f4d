//! One scene from the opening of its stage to its clearing, and how it ended.

use super::{crds, scenes::Scene, stage::Stage};

/// How a scene ended.
pub struct Ended {
    pub name: String,
    pub seconds: f64,
    pub trouble: Option<String>,
}

impl Ended {
    /// One line, and what happened when that was not as it should be.
    pub fn tell(&self) {
        let word = if self.trouble.is_some() { "FAIL" } else { "ok" };
        println!("  {word:<4} {:5.1} s  {}", self.seconds, self.name);
        if let Some(trouble) = &self.trouble {
            println!("{trouble}");
        }
    }
}

/// Plays one scene on its stage, and clears the stage. Operators of its own are `installed` in that namespace.
pub async fn play(scene: Scene, mut stage: Stage, installed: Option<&str>, keep: bool) -> Ended {
    let played = async {
        stage.open().await?;
        if let Some(home) = installed {
            stage.install(home).await?;
        }
        scene.play(stage.clone()).await
    }
    .await;
    let trouble = played.err().map(|error| format!("    {error:#}\n{}", stage.timeline()));
    let seconds = stage.start.elapsed().as_secs_f64();
    if let Some(kind) = scene.definition().filter(|_| scene.exclusive && trouble.is_some()) {
        // The others want it.
        let again = async { crds::install(&stage.api, &[crds::router(kind)?]).await };
        if let Err(error) = again.await {
            eprintln!("{kind}: {error:#}");
        }
    }
    if let Err(error) = stage.recipe.account.clone().remove(&stage.api).await {
        eprintln!("{}: {error:#}", stage.namespace());
    }
    if !keep && let Err(error) = stage.close().await {
        eprintln!("{}: {error:#}", stage.namespace());
    }
    Ended { name: scene.name, seconds, trouble }
}
