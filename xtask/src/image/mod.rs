//! `cargo xtask image`: the operator's image as an OCI layout, without a daemon, with a list of what is in it (SBOM).
//!
//! It holds the same as `images/vexil/Dockerfile` makes, from which it takes the user, the environment and the entry
//! point. Two runs with one binary and one file of certificates write the same bytes.

mod dockerfile;
mod elf;
mod layout;
mod sbom;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use vexil_launcher::root;

use self::{dockerfile::Dockerfile, elf::Program, layout::Image};
use crate::charts::said;

/// Arguments of `cargo xtask image`.
#[derive(clap::Args)]
pub struct Args {
    /// A static binary of the operator, instead of building it
    #[arg(long)]
    binary: Option<PathBuf>,
    /// File with the certificate authorities that are trusted
    #[arg(long, default_value = "/etc/ssl/certs/ca-certificates.crt")]
    certificates: PathBuf,
    /// Folder of the layout, which is made anew
    #[arg(long, default_value = "target/image")]
    out: PathBuf,
}

/// Runs the chore.
///
/// # Errors
/// If the binary is not static or does not run in an empty root, and what fails on the way.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let binary = match &args.binary {
        Some(binary) => binary.clone(),
        None => build()?,
    };
    let read = |path: &Path| fs::read(path).with_context(|| format!("reading {}", path.display()));
    let bytes = read(&binary)?;
    let program = Program::of(&bytes).with_context(|| format!("{} is no program", binary.display()))?;
    if program.interpreted {
        bail!("{} needs shared libraries: build it with -C target-feature=+crt-static", binary.display());
    }
    let dockerfile = Dockerfile::parse(&fs::read_to_string(root().join("images/vexil/Dockerfile"))?)?;
    let files =
        [("etc/ssl/certs/ca-certificates.crt", 0o644, read(&args.certificates)?), ("vexil", 0o755, bytes)];
    runs_alone(&files)?;
    let version = env!("CARGO_PKG_VERSION");
    let sbom = sbom::of("vexil", version)?;
    let image = Image {
        name: format!("ghcr.io/vexil-rs/vexil:{version}"),
        version: version.to_owned(),
        architecture: program.architecture,
        files: &files,
        dockerfile: &dockerfile,
        sbom: &sbom,
    };
    image.write(&args.out)?;
    println!(
        "image: {} for {}, {} components in its SBOM, in {}",
        image.name,
        image.architecture,
        sbom.get("components").and_then(|list| list.as_array()).map_or(0, Vec::len),
        args.out.display()
    );
    Ok(())
}

/// Builds the operator as the Dockerfile does. `--target` also where it is the host's: build scripts and macros cannot
/// be linked statically.
fn build() -> anyhow::Result<PathBuf> {
    let host = host()?;
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--locked", "--package", "vexil", "--target", &host]);
    command.env("RUSTFLAGS", "-C target-feature=+crt-static").current_dir(root());
    if !command.status().context("cargo cannot be started")?.success() {
        bail!("the operator does not build");
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or(root().join("target"), PathBuf::from);
    Ok(target.join(host).join("release/vexil"))
}

/// The target triple of this machine.
fn host() -> anyhow::Result<String> {
    let mut rustc = Command::new("rustc");
    rustc.arg("-vV");
    let text = said(rustc)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say for which machine it compiles")?.to_owned())
}

/// Runs the program in a root that holds nothing but the files of the image.
fn runs_alone(files: &[(&str, u32, Vec<u8>)]) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = env::temp_dir().join(format!("vexil-image-{}", std::process::id()));
    let tried = (|| {
        for (path, mode, bytes) in files {
            let file = folder.join(path);
            fs::create_dir_all(file.parent().context("a file without a folder")?)?;
            fs::write(&file, bytes)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(*mode))?;
        }
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--root"]).arg(&folder).args(["/vexil", "-version"]);
        said(unshare)
    })();
    fs::remove_dir_all(&folder)?;
    match tried {
        Ok(text) => println!("image: in an empty root it says: {}", text.trim()),
        Err(error) if format!("{error:#}").contains("unshare") => {
            println!("image: SKIPPED: the run in an empty root: {error:#}");
        }
        Err(error) => return Err(error.context("the program does not run in an empty root")),
    }
    Ok(())
}
