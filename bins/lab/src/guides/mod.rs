//! `cargo xtask guides`: follows the pages of `docs/guides/` from an empty cluster to a promoted and a rolled-back
//! release, with the commands and manifests that stand in them, and holds what they show against what is seen.
//!
//! `kubectl` and `helm` are the real ones, and so is the operator, as a process that gets the arguments of the pod
//! that the page installs. The cluster is the testbed. It cannot open a shell in a pod: what a page runs in the load
//! tester's pod, the testbed's load tester runs. Commands that install a product (Kuma, Traefik) are left out, because
//! the testbed is that product.

mod block;
mod examples;
mod expect;
mod follow;
mod stage;
#[cfg(test)]
mod tests;
mod trouble;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, bail};
use clap::builder::PossibleValuesParser;
use futures::future::join_all;
use vexil_launcher::{build, root};
use vexil_testbed_rig::{guide::Guide as Page, systems::GUIDES};

use self::{
    block::{Placed, Way},
    follow::{Reader, Tally},
    stage::Stage,
};

/// Arguments of `cargo xtask guides`.
#[derive(clap::Args)]
pub struct Args {
    /// Which pages; all without any
    #[arg(value_parser = PossibleValuesParser::new(GUIDES.map(|page| page.name)))]
    pages: Vec<String>,
    /// The operator's binary; without it, it is built first
    #[arg(long)]
    operator: Option<PathBuf>,
}

/// Runs the check.
///
/// # Errors
/// When a page does not lead where it says.
pub fn run(args: &Args) -> anyhow::Result<()> {
    if !is_there("kubectl") {
        println!("guides: SKIPPED: there is no kubectl");
        return Ok(());
    }
    let helm = xtask::charts::helm()?;
    if helm.is_none() {
        println!("guides: SKIPPED: what is installed with Helm: there is none, and no Go to build it with");
    }
    let binary = args
        .operator
        .clone()
        .map_or_else(|| anyhow::Ok(build(&["vexil"])?.join("vexil")), Ok)?
        .canonicalize()?;
    let chosen: Vec<_> = GUIDES
        .into_iter()
        .filter(|page| args.pages.is_empty() || args.pages.iter().any(|name| name == page.name))
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    let ends = runtime.block_on(async {
        // Troubles come after all pages, so that not too many clusters live at once.
        let followed = join_all(chosen.iter().map(|page| followed(page, &binary, helm.as_deref()))).await;
        let troubled = join_all(chosen.iter().map(|page| troubled(page, &binary))).await;
        [followed, troubled].concat()
    });
    let failed: Vec<String> = ends.into_iter().filter_map(Result::err).collect();
    if !failed.is_empty() {
        bail!("{} of the pages do not lead where they say:\n\n{}", failed.len(), failed.join("\n\n"));
    }
    Ok(())
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A page, and what it has its reader do.
struct Read {
    text: String,
    steps: Vec<Placed>,
    /// Commands that are left out.
    outside: usize,
}

impl Read {
    fn page(page: &Page) -> anyhow::Result<Self> {
        let name = format!("docs/guides/{}.md", page.name);
        let path = root().join(&name);
        let text = fs::read_to_string(&path).with_context(|| format!("reading {name}"))?;
        let (steps, outside) = block::steps(&text).context(name.clone())?;
        rows_are_there(&text).context(name)?;
        Ok(Read { text, steps, outside })
    }
}

/// Every row of `docs/differences.md` that a page links to must be there, in the section of the link.
fn rows_are_there(page: &str) -> anyhow::Result<()> {
    let differences = fs::read_to_string(root().join("docs/differences.md"))?;
    for (link, anchor) in page.split("[`").skip(1).filter_map(|link| link.split_once("`](../differences.md#"))
    {
        let anchor = anchor.split(')').next().unwrap_or_default();
        let section = differences
            .split("\n## ")
            .find(|section| section.to_lowercase().replace(' ', "-").starts_with(&format!("{anchor}\n")));
        if !section.is_some_and(|section| section.contains(&format!("\n| `{link}` |"))) {
            bail!("docs/differences.md has no row `{link}` below {anchor}");
        }
    }
    Ok(())
}

/// Follows a page, with Helm where there is one.
async fn followed(page: &'static Page, binary: &Path, helm: Option<&Path>) -> Result<(), String> {
    let follow = async {
        let Read { steps, outside, .. } = Read::page(page)?;
        let way = if helm.is_some() { Way::Helm } else { Way::Kustomize };
        let stage = Stage::set(page, way, helm).await?;
        let begun = Instant::now();
        let say = |line: &str| say(begun, page.name, line);
        let mut reader = Reader::new(&stage, binary, &say);
        reader.follow(&steps, way).await?;
        let Tally { commands, manifests, lines } = reader.tally;
        let shown = format!("{commands} commands, {manifests} manifests, {lines} lines of output");
        say(&format!("followed: {shown}; {outside} commands of others left out"));
        Ok(())
    };
    let done: anyhow::Result<()> = follow.await;
    done.map_err(|error| format!("{error:#}"))
}

/// Installs as a page does it without Helm, and then does everything wrong.
async fn troubled(page: &'static Page, binary: &Path) -> Result<(), String> {
    let trouble = async {
        let Read { text, mut steps, .. } = Read::page(page)?;
        steps.retain(|placed| placed.way == Some(Way::Kustomize));
        let stage = Stage::set(page, Way::Kustomize, None).await?;
        stage.cluster.apply_yaml("{apiVersion: v1, kind: Namespace, metadata: {name: test}}").await?;
        let begun = Instant::now();
        let say = |line: &str| say(begun, page.name, &format!("(trouble) {line}"));
        let mut reader = Reader::new(&stage, binary, &say);
        reader.follow(&steps, Way::Kustomize).await?;
        let rows = trouble::provoke(&reader, &text).await?;
        say(&format!("{rows} messages are reported as the table says"));
        Ok(())
    };
    let done: anyhow::Result<()> = trouble.await;
    done.map_err(|error| format!("{error:#}"))
}

fn say(begun: Instant, page: &str, line: &str) {
    println!("{:>4} s  {page:<10}  {line}", begun.elapsed().as_secs());
}
