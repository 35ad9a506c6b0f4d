//! The book: links that leave it lead to the repository, and every link in what mdBook makes of it leads somewhere.

use std::{
    io::{self, Read as _},
    path::Path,
    process::Command,
};

use anyhow::Context as _;
use serde_json::Value;
use vexil_launcher::root;

use super::html;
use crate::{
    charts::{runs, said},
    path::joined,
};

/// Where files outside of the book are shown.
const REPOSITORY: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/tree/main");

/// Reads a book from the standard input as mdBook passes it, and writes it with links that work in the book.
/// `words` are `supports` and a renderer when mdBook asks whether to use it; any renderer will do.
pub fn preprocess(words: &[String]) -> anyhow::Result<()> {
    if words.first().is_some_and(|word| word == "supports") {
        return Ok(());
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let (_, mut book): (Value, Value) = serde_json::from_str(&text).context("this is no book of mdBook's")?;
    visit(&mut book);
    serde_json::to_writer(io::stdout().lock(), &book)?;
    Ok(())
}

/// Every chapter of the book, whatever contains it.
fn visit(node: &mut Value) {
    match node {
        Value::Array(all) => all.iter_mut().for_each(visit),
        Value::Object(fields) => {
            let page = fields.get("source_path").and_then(Value::as_str).map(|path| format!("docs/{path}"));
            if let (Some(page), Some(Value::String(content))) = (page, fields.get_mut("content")) {
                *content = with_links(&page, content);
            }
            fields.values_mut().for_each(visit);
        }
        _ => {}
    }
}

/// The text of a page with its links as they are in the book.
fn with_links(page: &str, text: &str) -> String {
    let mut fenced = false;
    let lines = text.split_inclusive('\n').map(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if fenced || fence { line.to_owned() } else { with_links_of_line(page, line) }
    });
    lines.collect()
}

fn with_links_of_line(page: &str, line: &str) -> String {
    let mut parts = line.split("](");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("](");
        match part.split_once(')') {
            Some((target, rest)) => {
                out.push_str(&in_book(page, target));
                out.push(')');
                out.push_str(rest);
            }
            None => out.push_str(part),
        }
    }
    out
}

/// A link of a page, as it has to be in the book.
fn in_book(page: &str, link: &str) -> String {
    let (target, heading) = link.split_at(link.find('#').unwrap_or(link.len()));
    if target.is_empty() || target.contains(':') {
        return link.to_owned();
    }
    let path = joined(page, target);
    if !path.starts_with("docs/") {
        return format!("{REPOSITORY}/{path}{heading}");
    }
    match target.strip_suffix("README.md") {
        Some(folder) => format!("{folder}index.md{heading}"),
        None => link.to_owned(),
    }
}

/// Makes the book, if mdBook is installed, and checks its links.
pub fn build() -> anyhow::Result<()> {
    if !runs(Path::new("mdbook"), "--version") {
        println!("docs: SKIPPED: the book: there is no mdbook (cargo install mdbook --locked)");
        return Ok(());
    }
    let mut command = Command::new("mdbook");
    command.arg("build").arg(root().join("docs"));
    // Not by cargo, as docs/book.toml says, which would wait for a build that is under way.
    let own = std::env::current_exe().context("the path of this program is not known")?;
    let preprocessor = format!("{} docs --preprocessor", own.display());
    command.env("MDBOOK_PREPROCESSOR__REPOSITORY__COMMAND", preprocessor);
    said(command).context("making the book")?;
    let pages = html::check(&root().join("target/book"))?;
    println!("docs: the book has {pages} pages, target/book/index.html");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{REPOSITORY, with_links};

    #[track_caller]
    fn check(page: &str, text: &str, expect: &str) {
        assert_eq!(with_links(page, text), expect.replace("REPOSITORY", REPOSITORY));
    }

    #[test]
    fn links_that_leave_the_book_lead_to_the_repository() {
        check("docs/install.md", "[a](guides/kuma.md#x) [b](#y)", "[a](guides/kuma.md#x) [b](#y)");
        check("docs/install.md", "[a](guides/README.md#x)", "[a](guides/index.md#x)");
        check("docs/guides/kuma.md", "[a](README.md)", "[a](index.md)");
        check("docs/guides/kuma.md", "[a](../../README.md#x) b", "[a](REPOSITORY/README.md#x) b");
        check("docs/install.md", "[a](../charts/vexil/README.md)", "[a](REPOSITORY/charts/vexil/README.md)");
        check("docs/install.md", "[a](https://b.c/../d)", "[a](https://b.c/../d)");
        check("docs/install.md", "```\n[a](../b)\n```\n", "```\n[a](../b)\n```\n");
    }
}
