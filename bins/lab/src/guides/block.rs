//! The fenced blocks of a page, and what each of them is to the check. The words behind a block's language say it, and
//! readers do not see them.

use anyhow::{Context as _, bail};

/// How the operator is installed. A page shows both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Helm,
    Kustomize,
}

/// One thing that a reader does, or sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A manifest, saved under the name that its first line says.
    Save { file: String, text: String },
    /// A command.
    Run(String),
    /// What the command before it shows: these lines, perhaps with others between them.
    Expect(Vec<String>),
}

/// A step, its line in the page, and the way to which it belongs, if it is not both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub line: usize,
    pub way: Option<Way>,
    pub step: Step,
}

/// The steps of a page, in order, and how many commands of it install what is not ours.
pub fn steps(page: &str) -> anyhow::Result<(Vec<Placed>, usize)> {
    let (mut steps, mut outside) = (Vec::new(), 0);
    for block in blocks(page)? {
        let (language, word) = block.info.split_once(' ').unwrap_or((block.info, ""));
        let place = |way, step| Placed { line: block.line, way, step };
        match (language, word) {
            ("yaml", "") => steps.push(place(None, saved(&block)?)),
            ("sh", "outside") => outside += commands(&block).len(),
            ("sh", "" | "helm" | "kustomize") => {
                let way = match word {
                    "helm" => Some(Way::Helm),
                    "kustomize" => Some(Way::Kustomize),
                    _ => None,
                };
                steps.extend(commands(&block).into_iter().map(|(line, text)| Placed {
                    line,
                    way,
                    step: Step::Run(text),
                }));
            }
            ("text", "") => {
                let way = match steps.last() {
                    Some(Placed { way, step: Step::Run(_), .. }) => *way,
                    _ => bail!("line {}: shows what no command before it writes", block.line),
                };
                let lines = block.lines.iter().filter(|line| !line.trim().is_empty());
                steps.push(place(way, Step::Expect(lines.map(|line| (*line).to_owned()).collect())));
            }
            _ => bail!("line {}: a block of the unknown kind `{}`", block.line, block.info),
        }
    }
    Ok((steps, outside))
}

/// A fenced block as it is written.
struct Block<'a> {
    /// Of its first fence.
    line: usize,
    info: &'a str,
    lines: Vec<&'a str>,
}

fn blocks(page: &str) -> anyhow::Result<Vec<Block<'_>>> {
    let (mut blocks, mut open) = (Vec::new(), None::<Block<'_>>);
    for (number, line) in (1..).zip(page.lines()) {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(""), Some(block)) => blocks.push(block),
            (Some(_), Some(block)) => bail!("line {number}: the block of line {} is not closed", block.line),
            (Some(info), None) => open = Some(Block { line: number, info: info.trim(), lines: Vec::new() }),
            (None, Some(mut block)) => {
                block.lines.push(line);
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    match open {
        Some(block) => bail!("the block of line {} is not closed", block.line),
        None => Ok(blocks),
    }
}

fn saved(block: &Block<'_>) -> anyhow::Result<Step> {
    let name = block.lines.first().and_then(|line| line.strip_prefix("# "));
    let name = name.filter(|name| name.ends_with(".yaml") && !name.contains([' ', '/']));
    let file = name.with_context(|| format!("line {}: the first line names no file", block.line))?;
    Ok(Step::Save { file: file.to_owned(), text: block.lines.join("\n") + "\n" })
}

/// The commands of a block with their lines: one for each line, where a backslash or an open quote joins two. As in a
/// shell, a backslash between single quotes is only a character.
fn commands(block: &Block<'_>) -> Vec<(usize, String)> {
    let (mut commands, mut begun) = (Vec::new(), None::<(usize, String)>);
    for (number, line) in (block.line + 1..).zip(&block.lines) {
        let (at, before) = begun.take().unwrap_or((number, String::new()));
        let line = if is_quoted(&before) { line } else { line.trim() };
        let text = format!("{before}{line}");
        match text.strip_suffix('\\') {
            _ if is_quoted(&text) => begun = Some((at, text + "\n")),
            Some(text) => begun = Some((at, text.to_owned())),
            None if text.is_empty() || text.starts_with('#') => {}
            None => commands.push((at, text)),
        }
    }
    commands.extend(begun);
    commands
}

/// Whether a command ends between single quotes.
fn is_quoted(command: &str) -> bool {
    command.matches('\'').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(page: &str, expect: &[&str]) {
        let shown = match steps(page) {
            Ok((steps, outside)) => {
                let show = |placed: &Placed| format!("{} {:?} {:?}", placed.line, placed.way, placed.step);
                let outside = (outside > 0).then(|| format!("outside {outside}"));
                steps.iter().map(show).chain(outside).collect()
            }
            Err(error) => vec![format!("{error:#}")],
        };
        assert_eq!(shown, expect, "{page}");
    }

    #[test]
    fn a_block_is_what_its_words_say() {
        check(
            "```sh\n# why\nkubectl get \\\n  pods\n\nls\n```",
            &[r#"3 None Run("kubectl get pods")"#, r#"6 None Run("ls")"#],
        );
        let quoted = "```sh\nkubectl patch \\\n  -p '[1, \\\n  2]'\nls\n```";
        check(quoted, &[r#"2 None Run("kubectl patch -p '[1, \\\n  2]'")"#, r#"5 None Run("ls")"#]);
        check("```sh\na 'b\nc' d\n```", &[r#"2 None Run("a 'b\nc' d")"#]);
        check(
            "```sh helm\na\n```\n```text\n b  c\n\n```",
            &[r#"2 Some(Helm) Run("a")"#, r#"4 Some(Helm) Expect([" b  c"])"#],
        );
        check("```sh outside\na\nb\n```", &["outside 2"]);
        check(
            "```yaml\n# a.yaml\nb: 1\n```",
            &[r##"1 None Save { file: "a.yaml", text: "# a.yaml\nb: 1\n" }"##],
        );
    }

    #[test]
    fn a_block_that_is_nothing_is_refused() {
        check("```yaml\nb: 1\n```", &["line 1: the first line names no file"]);
        check("```yaml\n# ../a.yaml\n```", &["line 1: the first line names no file"]);
        check("```text\na\n```", &["line 1: shows what no command before it writes"]);
        check("```\na\n```", &["line 1: a block of the unknown kind ``"]);
        check("```sh\na", &["the block of line 1 is not closed"]);
        check("```sh\n```sh\n```", &["line 2: the block of line 1 is not closed"]);
    }
}
