//! Writes the CustomResourceDefinitions to `crds/` and into the chart, which can read nothing outside of its folder; or
//! checks that both are as the types say.

use std::fs;

use anyhow::{Context, bail};
use vexil_api::crds;

/// What is written above each file.
const HEADER: &str = "# Made by `cargo xtask crds` from crates/api. Do not edit.\n";

/// Where they are, from the root of the repository.
const FOLDERS: [&str; 2] = ["crds", "charts/vexil/files/crds"];

/// Arguments of `cargo xtask crds`.
#[derive(clap::Args)]
pub struct Args {
    /// Write nothing; fail when a file differs from what would be written
    #[arg(long)]
    check: bool,
}

/// Runs the chore.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let root = vexil_launcher::root();
    let mut stale = Vec::new();
    for crd in crds()? {
        let want = format!("{HEADER}{}", serde_saphyr::to_string(&crd.manifest)?);
        for folder in FOLDERS {
            let name = format!("{folder}/{}.yaml", crd.plural);
            let file = root.join(&name);
            // An absent file differs too.
            if fs::read_to_string(&file).unwrap_or_default() == want {
                continue;
            }
            if args.check {
                stale.push(name);
                continue;
            }
            fs::create_dir_all(root.join(folder)).with_context(|| format!("creating {folder}"))?;
            fs::write(&file, &want).with_context(|| format!("writing {name}"))?;
        }
    }
    if !stale.is_empty() {
        bail!("not what the types say: {}; run `cargo xtask crds`", stale.join(", "));
    }
    Ok(())
}
