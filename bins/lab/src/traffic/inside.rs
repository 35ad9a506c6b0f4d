//! A guide from its beginning to its end, inside the namespaces that were made for it.

use std::{fs, io::Read as _, path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, bail};
use tokio::process::Command;

use vexil_testbed_rig::{
    guide::Guide,
    operator::Recipe,
    outcome::Outcome,
    page::row,
    player::{Plain, Player},
    report::{Report, closing},
    styled_line::{Line, Tone},
};

use super::{
    installation, migrations,
    plane::{Plane, Play},
    products::Product,
};

/// The addresses that pods and Services get from kubeplane; in here all of them are this machine's.
const ADDRESSES: [&str; 2] = ["10.244.0.0/16", "10.96.0.0/16"];
/// The file with the row of a guide that was played, in its folder.
pub const ROW: &str = "row.md";
/// How long it may take altogether.
const LIMIT: Duration = Duration::from_secs(420);

/// Plays it; an error is what was not as it should be.
pub fn play(guide: &'static Guide, migrates: bool, folder: &Path) -> anyhow::Result<()> {
    end_with_input();
    let bin = folder.join("bin");
    let folder = folder.join(if migrates { "migrations" } else { guide.name });
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    let violations = runtime.block_on(async {
        network(&folder).await?;
        let all = tokio::time::timeout(LIMIT, all(guide, migrates, &bin, &folder)).await;
        all.with_context(|| format!("not done within {} s", LIMIT.as_secs()))?
    })?;
    if !violations.is_empty() {
        bail!("{}", violations.join("\n  "));
    }
    Ok(())
}

/// Ends this process, and with it all others in here, as soon as its parent has ended.
fn end_with_input() {
    std::thread::spawn(|| {
        let mut nothing = [0];
        while std::io::stdin().read(&mut nothing).is_ok_and(|count| count > 0) {}
        #[expect(clippy::disallowed_methods, reason = "ends the processes of this namespace too")]
        std::process::exit(130);
    });
}

/// Loopback, the cluster's addresses, and a hosts file that only processes in here see.
async fn network(folder: &Path) -> anyhow::Result<()> {
    let hosts = folder.join("hosts");
    fs::write(&hosts, "127.0.0.1 localhost\n")?;
    let hosts = hosts.to_string_lossy();
    run("mount", &["--bind", &hosts, "/etc/hosts"]).await?;
    run("ip", &["link", "set", "lo", "up"]).await?;
    for addresses in ADDRESSES {
        run("ip", &["route", "add", "local", addresses, "dev", "lo"]).await?;
    }
    Ok(())
}

async fn run(program: &str, args: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(program).args(args).stdin(Stdio::null()).status().await;
    if !status.with_context(|| format!("starting {program}"))?.success() {
        bail!("{program} {} has failed", args.join(" "));
    }
    Ok(())
}

async fn all(
    guide: &'static Guide,
    migrates: bool,
    bin: &Path,
    folder: &Path,
) -> anyhow::Result<Vec<String>> {
    let plane = Plane::start(guide, bin, folder).await?;
    installation::install(guide, &plane.api, bin, folder).await?;
    let operator = Recipe::new(&bin.join("vexil"), &plane.api.kubeconfig, folder.join("operator.log"))
        .with_all(guide.flags())
        .on_free_port()?
        .start()?;
    let discovery = installation::tell_targets(plane.api.clone(), folder.to_owned());
    let mut play = Player::new(guide, plane, operator, Plain)?;
    let title = format!("\n  “{}” with processes for pods, in namespaces of its own", guide.title);
    play.say(Line::of(Tone::Bold, title));
    let acts = async { if migrates { migrations::all(&mut play).await } else { acts(&mut play).await } };
    let reports = tokio::select! {
        biased;
        Err(error) = discovery => Err(error),
        reports = acts => reports,
    };
    let outcome = reports.map(|reports| Outcome { guide, took: play.elapsed(), reports });
    if let Ok(outcome) = &outcome {
        let product = Product::built(guide, bin).map_or("the testbed's", |product| product.name);
        fs::write(folder.join(ROW), row(outcome, product))?;
        closing(&outcome.reports, outcome.took).into_iter().for_each(|line| play.say(line));
        play.say(Line::of(Tone::Dim, format!("\n{}", outcome.json())));
    }
    play.close(outcome.is_ok()).await?;
    Ok(outcome?.violations())
}

/// All acts of a guide. Where traffic is split the second one shows all: a rollback would take ten more checks.
async fn acts(play: &mut Play) -> anyhow::Result<Vec<Report>> {
    let mut reports = vec![play.opening(None).await?, play.promotion("A rollout").await?];
    if !play.guide.splits() {
        reports.push(play.rollback("Another one").await?);
    }
    Ok(reports)
}
