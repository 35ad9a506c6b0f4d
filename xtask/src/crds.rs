//! Writes the CustomResourceDefinitions to `crds/`, or checks that they are as the types say.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use vexil_api::crds;

/// What is written above each file.
const HEADER: &str = "# Made by `cargo xtask crds` from crates/api. Do not edit.\n";

/// Arguments of `cargo xtask crds`.
#[derive(clap::Args)]
pub struct Args {
    /// Write nothing; fail when a file differs from what would be written
    #[arg(long)]
    check: bool,
}

/// Runs the chore.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds");
    let mut stale = Vec::new();
    for crd in crds()? {
        let file = folder.join(format!("{}.yaml", crd.plural));
        let want = format!("{HEADER}{}", serde_saphyr::to_string(&crd.manifest)?);
        if args.check {
            // An absent file differs too.
            if fs::read_to_string(&file).unwrap_or_default() != want {
                stale.push(crd.plural);
            }
        } else {
            fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
            fs::write(&file, want).with_context(|| format!("writing {}", file.display()))?;
        }
    }
    if !stale.is_empty() {
        bail!("crds/ is not what the types say ({}); run `cargo xtask crds`", stale.join(", "));
    }
    Ok(())
}
