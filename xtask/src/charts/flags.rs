//! The flags that a rendered pod passes, held against the programs themselves.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use serde_json::Value;
use vexil_launcher::build;

use super::helm::said;

/// A program of ours, and the name of the container that runs it.
pub struct Program {
    container: &'static str,
    path: PathBuf,
    flags: BTreeSet<String>,
}

impl Program {
    /// Builds a program, whose container is called like it, and asks it which flags it has. `binary` is taken instead.
    pub fn ask(container: &'static str, binary: Option<&Path>) -> anyhow::Result<Self> {
        let path = match binary {
            Some(path) => path.to_owned(),
            None => build(&[container])?.join(container),
        };
        let mut command = Command::new(&path);
        command.arg("--help");
        let help = said(command)?;
        let flags = help.split_whitespace().filter_map(|word| word.strip_prefix("--"));
        let name = |word: &str| word.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let flags = flags.map(name).collect();
        Ok(Program { container, path, flags })
    }

    /// The arguments of every container of an object that runs this program must be flags of it.
    pub fn takes(&self, object: &Value) -> anyhow::Result<()> {
        for container in containers(object).filter(|container| container["name"] == self.container) {
            if container.get("command").is_some() || container.to_string().contains("\"exec\"") {
                bail!("{}: the image's entrypoint is the program, and it has no shell", self.container);
            }
            let args = arguments(container);
            for arg in &args {
                let name = arg.trim_start_matches('-').split('=').next().unwrap_or_default();
                if !self.flags.contains(name) {
                    bail!("{} --help knows no -{name}", self.container);
                }
            }
            let mut command = Command::new(&self.path);
            command.args(&args).arg("-version");
            said(command).with_context(|| format!("{} does not take {args:?}", self.container))?;
        }
        Ok(())
    }

    /// The providers that the operator knows, as it says them itself when it is given another.
    pub fn providers(&self) -> anyhow::Result<Vec<String>> {
        let mut command = Command::new(&self.path);
        command.args(["-mesh-provider=none", "-kubeconfig=/there/is/none", "-port=0"]);
        let ran = command.output().context("asking the operator for its providers")?;
        let log = [ran.stdout, ran.stderr].concat();
        let log = String::from_utf8_lossy(&log);
        let known = log.split_once("one of: ").and_then(|(_, rest)| rest.split('"').next());
        let known = known.context("the operator does not say which providers it knows")?;
        Ok(known.split(", ").map(str::to_owned).collect())
    }
}

/// The arguments of the container with this name; empty where there is none.
pub fn arguments_of(objects: &[Value], container: &str) -> Vec<String> {
    let all = objects.iter().flat_map(containers);
    all.filter(|it| it["name"] == container).flat_map(arguments).collect()
}

fn arguments(container: &Value) -> Vec<String> {
    let args = container.get("args").and_then(Value::as_array).into_iter().flatten();
    args.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn containers(object: &Value) -> impl Iterator<Item = &Value> {
    object.pointer("/spec/template/spec/containers").and_then(Value::as_array).into_iter().flatten()
}
