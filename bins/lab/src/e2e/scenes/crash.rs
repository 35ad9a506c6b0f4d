//! `kill -9` between any two writes: it must end as if nothing had happened, each step once, with its time.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use tokio::task::JoinHandle;

use super::{
    super::{
        proxy::{Death, Fatal, Proxy},
        stage::Stage,
        stand_in::Answer,
    },
    rollout::{self, INTERVAL},
    texts::{INITIALISED, PROMOTED, ROLLED_BACK, TOLD_INITIALISED, TOLD_PROMOTED, TOLD_ROLLED_BACK},
};

/// More lives than a rollout has writes mean that one of them is never survived.
const MOST_LIVES: usize = 150;

pub async fn promoted_unanswered(stage: Stage) -> anyhow::Result<()> {
    let lives = unanswered(&stage);
    promoted(stage, lives).await
}

pub async fn promoted_unsent(stage: Stage) -> anyhow::Result<()> {
    let lives = tokio::spawn(at_writes(stage.clone(), Death::Unsent));
    promoted(stage, lives).await
}

pub async fn promoted_at_odd_moments(stage: Stage) -> anyhow::Result<()> {
    let lives = tokio::spawn(at_odd_moments(stage.clone()));
    promoted(stage, lives).await
}

pub async fn rolled_back_unanswered(stage: Stage) -> anyhow::Result<()> {
    let lives = unanswered(&stage);
    rolled_back(stage, lives).await
}

pub async fn rolled_back_unsent(stage: Stage) -> anyhow::Result<()> {
    let lives = tokio::spawn(at_writes(stage.clone(), Death::Unsent));
    rolled_back(stage, lives).await
}

pub async fn rolled_back_at_odd_moments(stage: Stage) -> anyhow::Result<()> {
    let lives = tokio::spawn(at_odd_moments(stage.clone()));
    rolled_back(stage, lives).await
}

pub async fn restarted_unanswered(stage: Stage) -> anyhow::Result<()> {
    let lives = unanswered(&stage);
    survive(rollout::restarted(stage), lives).await
}

pub async fn restarted_unsent(stage: Stage) -> anyhow::Result<()> {
    let lives = tokio::spawn(at_writes(stage.clone(), Death::Unsent));
    survive(rollout::restarted(stage), lives).await
}

pub async fn reverted_unanswered(stage: Stage) -> anyhow::Result<()> {
    let lives = unanswered(&stage);
    survive(rollout::reverted(stage), lives).await
}

/// Operators that are killed at every write before its answer.
pub fn unanswered(stage: &Stage) -> Lives {
    tokio::spawn(at_writes(stage.clone(), Death::Unanswered))
}

/// Operators, one after the other.
pub type Lives = JoinHandle<anyhow::Result<()>>;

async fn promoted(stage: Stage, lives: Lives) -> anyhow::Result<()> {
    let play = async {
        stage.initialise(json!({})).await?;
        stage.push("6.0.1").await?;
        stage.rests_in("Succeeded").await
    };
    survive(play, lives).await?;
    stage.tells(&[INITIALISED, PROMOTED]).await?;
    stage.events(&[TOLD_INITIALISED, TOLD_PROMOTED]).await?;
    stage.keeps_the_laws(INTERVAL)
}

async fn rolled_back(stage: Stage, lives: Lives) -> anyhow::Result<()> {
    let play = async {
        stage.initialise(json!({})).await?;
        stage.script(|script| script.metrics = Answer::Success("53.42"));
        stage.push("6.0.1").await?;
        stage.rests_in("Failed").await
    };
    survive(play, lives).await?;
    stage.tells(&[INITIALISED, ROLLED_BACK]).await?;
    stage.events(&[TOLD_INITIALISED, TOLD_ROLLED_BACK]).await?;
    stage.keeps_the_laws(INTERVAL)
}

/// Plays while operators live and die.
pub async fn survive(play: impl Future<Output = anyhow::Result<()>>, lives: Lives) -> anyhow::Result<()> {
    let ending = lives.abort_handle();
    let played = tokio::select! {
        biased;
        played = play => played,
        ended = lives => ended?,
    };
    ending.abort();
    played
}

/// One operator after the other, each killed at a write.
async fn at_writes(stage: Stage, death: Death) -> anyhow::Result<()> {
    let fatal = Fatal::default();
    for _ in 0..MOST_LIVES {
        let proxy = Proxy::start(&stage.recipe.account.client, death, &fatal).await?;
        let operator = stage.recipe.clone().with(format!("-master={}", proxy.url)).start()?;
        proxy.dies().await;
        operator.kill().await?;
    }
    ensure!(false, "{MOST_LIVES} operators died and the Canary is not where it should be");
    Ok(())
}

/// One operator after the other, each killed 0.3 to 1.3 s after its start; longer after each in whose life nothing
/// happened, since on a slow machine none may come to a write in that time.
async fn at_odd_moments(stage: Stage) -> anyhow::Result<()> {
    let (mut odd, mut longest) = (7_u64, 1_000);
    loop {
        let (before, operator) = (stage.moments().len(), stage.recipe.start()?);
        odd = odd.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis(300 + (odd >> 33) % longest)).await;
        operator.kill().await?;
        longest = if stage.moments().len() > before { 1_000 } else { (longest * 2).min(60_000) };
    }
}
