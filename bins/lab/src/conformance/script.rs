//! How scenes are written.
//!
//! ```text
//! # a comment
//! let cm = ${core}/configmaps                a text that later lines of the file use as ${cm}; goes on where indented
//! == A ConfigMap lives                       a scene; it has an empty namespace ${ns} on both servers
//!     @ ignore /body/metadata/managedFields  for every step of the scene
//! POST ${cm}
//!     {metadata: {name: a}, data: {k: v}}    the body: YAML, sent as JSON
//! PATCH merge ${cm}/a                        or jsonpatch, strategic, apply, yaml; raw=text/plain: sent as it is
//!     {data: {k: null}}
//!     @ ignore /body/data/k                  not compared; `*` stands for any one step of the path
//! ```
//!
//! Other directives: `@ accept TYPE` (`table` for short), `@ save NAME /pointer`, `@ until CODE` or `@ until
//! /pointer=VALUE` (asked again until both servers say so), `@ events N` (a watch: reads so many), `@ subset` (the
//! real server's lists may have more). `KUBECTL ARGUMENTS` runs kubectl with the body as its input, `COMPACT` lets
//! the testbed forget its history, as a real server has long done with its own. `${rv}`, `${uid}` and `${name}` are
//! those of the object answered last.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};

/// A scene: what is sent in one namespace.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// What it shows.
    pub name: String,
    /// What is sent, in this order.
    pub steps: Vec<Step>,
}

/// One request, or one run of kubectl.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// `GET`, `POST`, …, `KUBECTL` or `COMPACT`.
    pub verb: String,
    /// The short name of the body's type; empty for JSON.
    pub content: String,
    /// The path with its query, or kubectl's arguments.
    pub target: String,
    /// The body as written; empty when there is none.
    pub body: String,
    /// The `Accept` header.
    pub accept: String,
    /// Paths of the answer that are not compared.
    pub ignore: Vec<String>,
    /// What later steps need of the answer: variable and pointer.
    pub save: Vec<(String, String)>,
    /// What the answer must say before it counts.
    pub until: Option<Until>,
    /// How many events of a watch are read.
    pub events: Option<usize>,
    /// Whether the real server's lists may have more items.
    pub subset: bool,
}

/// What an answer must say before it counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Until {
    /// This status code.
    Code(u16),
    /// This text at this pointer.
    Says(String, String),
}

/// Types of bodies, by their short names.
pub const CONTENTS: [(&str, &str); 6] = [
    ("", "application/json"),
    ("yaml", "application/yaml"),
    ("merge", "application/merge-patch+json"),
    ("jsonpatch", "application/json-patch+json"),
    ("strategic", "application/strategic-merge-patch+json"),
    ("apply", "application/apply-patch+yaml"),
];

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// Reads the scenes of one file.
pub fn read(text: &str) -> anyhow::Result<Vec<Scene>> {
    let mut reader = Reader::default();
    for (number, line) in text.lines().enumerate() {
        reader.line(line.trim_end()).with_context(|| format!("line {}: {line}", number + 1))?;
    }
    Ok(reader.scenes)
}

#[derive(Default)]
struct Reader {
    lets: BTreeMap<String, String>,
    /// The name that was given last, when its text may go on in the next line.
    naming: Option<String>,
    scenes: Vec<Scene>,
    /// What holds for every step of the present scene.
    common: Vec<String>,
}

impl Reader {
    fn line(&mut self, line: &str) -> anyhow::Result<()> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let line = fill(line, &self.lets);
        if let Some(text) = line.strip_prefix("     ").filter(|_| self.naming.is_some()) {
            let text = format!(" {text}");
            self.naming.as_ref().and_then(|name| self.lets.get_mut(name)).context("no name")?.push_str(&text);
            return Ok(());
        }
        self.naming = None;
        if let Some(named) = line.strip_prefix("let ") {
            let (name, text) = named.split_once(" = ").context("no ` = `")?;
            self.lets.insert(name.to_owned(), text.to_owned());
            self.naming = Some(name.to_owned());
        } else if let Some(name) = line.strip_prefix("== ") {
            self.scenes.push(Scene { name: name.to_owned(), steps: Vec::new() });
            self.common.clear();
        } else if let Some(directive) = line.trim_start().strip_prefix("@ ") {
            self.directive(directive)?;
        } else if let Some(body) = line.strip_prefix("    ") {
            let step = self.step().context("a body before the first step")?;
            step.body.push_str(body);
            step.body.push('\n');
        } else {
            let step = Step { ignore: self.common.clone(), ..head(&line)? };
            self.scenes.last_mut().context("a step before the first scene")?.steps.push(step);
        }
        Ok(())
    }

    fn step(&mut self) -> Option<&mut Step> {
        self.scenes.last_mut()?.steps.last_mut()
    }

    fn directive(&mut self, text: &str) -> anyhow::Result<()> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let Some(step) = self.scenes.last_mut().and_then(|scene| scene.steps.last_mut()) else {
            if word != "ignore" {
                bail!("only `ignore` can stand before the first step");
            }
            self.common.push(rest.to_owned());
            return Ok(());
        };
        match word {
            "accept" if rest == "table" => TABLE.clone_into(&mut step.accept),
            "accept" => rest.clone_into(&mut step.accept),
            "ignore" => step.ignore.push(rest.to_owned()),
            "save" => {
                let (name, pointer) = rest.split_once(' ').context("save needs a name and a pointer")?;
                step.save.push((name.to_owned(), pointer.to_owned()));
            }
            "until" => {
                step.until = Some(match rest.split_once('=') {
                    Some((pointer, value)) => Until::Says(pointer.to_owned(), value.to_owned()),
                    None => Until::Code(rest.parse()?),
                });
            }
            "events" => step.events = Some(rest.parse()?),
            "subset" => step.subset = true,
            _ => bail!("no such directive"),
        }
        Ok(())
    }
}

/// The line that begins a step.
fn head(line: &str) -> anyhow::Result<Step> {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let of = |content: &str, target: &str| Step {
        verb: verb.to_owned(),
        content: content.to_owned(),
        target: target.to_owned(),
        ..Step::default()
    };
    match verb {
        "COMPACT" | "KUBECTL" => Ok(of("", rest)),
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" => match rest.split_once(' ') {
            None => Ok(of("", rest)),
            Some((content, target)) => {
                let known = CONTENTS.iter().any(|(short, _)| *short == content);
                if !known && !content.starts_with("raw=") {
                    bail!("no such type of body: {content}");
                }
                Ok(of(content, target))
            }
        },
        _ => bail!("no such step"),
    }
}

/// Replaces `${name}` by what the name stands for; names that are not known stay.
pub fn fill(text: &str, known: &BTreeMap<String, String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        match known.get(name) {
            Some(value) => filled.push_str(value),
            None => filled.push_str(&format!("${{{name}}}")),
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}
