//! What has to be there: what the machine lacks is a reason to skip, what cannot be built is a failure.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};

use super::{
    Args, folder,
    products::{PRODUCTS, Product, definitions},
    sandbox,
};
use vexil_launcher::build;

/// The load generator of the guides' hooks.
const HEY: &str = "github.com/rakyll/hey@v0.1.5";

/// What this machine does not have.
pub struct Lacking(pub String);

/// The programs, each where no build overwrites it meanwhile.
pub struct Tools {
    /// For these programs, and for what processes write.
    pub folder: PathBuf,
    /// The folder of `vexil`, `loadtester`, `kubeplane`, `hey` and `vexil-lab`, and those of
    /// `prometheus` and the products, if they are there.
    pub bin: PathBuf,
}

/// Whether this machine can do it at all.
pub fn check(args: &Args) -> Result<(), Lacking> {
    let lacking = |what: String| Err(Lacking(what));
    if !rustix::process::geteuid().is_root() {
        return lacking("only root may make network namespaces".to_owned());
    }
    let mut probe = sandbox::command("ip");
    let ran = probe.args(["link", "set", "lo", "up"]).stdin(Stdio::null()).output();
    match ran {
        Ok(ran) if ran.status.success() => {}
        Ok(ran) => {
            let said = String::from_utf8_lossy(&ran.stderr).trim().replace('\n', "; ");
            return lacking(format!("no network namespaces here, or no iproute2: {said}"));
        }
        Err(error) => return lacking(format!("util-linux is not installed: unshare: {error}")),
    }
    if !kubeplane(args).is_some_and(|path| path.exists()) {
        return lacking("there is no kubeplane; name one with --kubeplane".to_owned());
    }
    if hey().is_none() && found("go").is_none() {
        return lacking("there is no hey, and no Go to build it with".to_owned());
    }
    Ok(())
}

impl Tools {
    /// Builds what is not there.
    pub fn gather(args: &Args) -> anyhow::Result<Self> {
        // Before anything is built: a build may replace the file of this program, which then has no path.
        let own = std::env::current_exe().context("this program cannot be found")?;
        let built = |program: &str| anyhow::Ok(build(&[program])?.join(program));
        let vexil = args.operator.clone().map_or_else(|| built("vexil"), Ok)?;
        let loadtester = args.loadtester.clone().map_or_else(|| built("loadtester"), Ok)?;
        let kubeplane = kubeplane(args).context("there is no kubeplane")?;
        let hey = hey().map_or_else(install_hey, Ok)?;
        let folder = folder()?;
        let bin = folder.join("bin");
        if bin.exists() {
            fs::remove_dir_all(&bin)?;
        }
        fs::create_dir_all(&bin).with_context(|| format!("creating {}", bin.display()))?;
        let prometheus = found("prometheus").filter(|_| !args.no_prometheus);
        let all = [("vexil", vexil), ("loadtester", loadtester), ("kubeplane", kubeplane), ("hey", hey)];
        let all = all.into_iter().chain([("vexil-lab", own)]);
        for (name, from) in all.chain(prometheus.map(|path| ("prometheus", path))) {
            keep(&from, &bin.join(name))?;
        }
        for Product { program, .. } in &PRODUCTS {
            let from = cache().unwrap_or_default().join("gateways");
            if from.join(program).is_file() {
                keep(&from.join(program), &bin.join(program))?;
                keep(&from.join(definitions(program)), &bin.join(definitions(program)))?;
            }
        }
        Ok(Tools { folder, bin })
    }

    /// Whether a product's program is here.
    pub fn has(&self, product: &Product) -> bool {
        self.bin.join(product.program).is_file()
    }
}

/// A second name for the same file, which a build does not overwrite; a copy where that cannot be.
fn keep(from: &Path, to: &Path) -> anyhow::Result<()> {
    let from = from.canonicalize().with_context(|| format!("there is no {}", from.display()))?;
    if fs::hard_link(&from, to).is_err() {
        fs::copy(&from, to).with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}

fn kubeplane(args: &Args) -> Option<PathBuf> {
    args.kubeplane.clone().or_else(|| Some(cache()?.join("kubeplane/kubeplane")))
}

fn hey() -> Option<PathBuf> {
    found("hey").or_else(|| Some(cache()?.join("hey/hey")).filter(|path| path.exists()))
}

fn install_hey() -> anyhow::Result<PathBuf> {
    let to = cache().context("neither XDG_CACHE_HOME nor HOME is set")?.join("hey");
    println!("traffic: no hey here; go install {HEY} (once)");
    let mut command = Command::new("go");
    // Away from the checkout, whose files do not concern Go.
    command.args(["install", HEY]).env("GOBIN", &to).current_dir(std::env::temp_dir());
    if !command.stdin(Stdio::null()).status()?.success() {
        bail!("hey could not be built");
    }
    Ok(to.join("hey"))
}

/// A program of the path.
fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// What outlives the checkout, as `.ci/run` has it.
fn cache() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    Some(set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?.join("vexil"))
}
