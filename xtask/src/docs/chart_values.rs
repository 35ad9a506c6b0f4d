//! The page with the values of the charts: the tables of the charts' own pages, which `cargo xtask charts` holds
//! against the charts.

use std::fs;

use anyhow::{Context as _, bail};
use vexil_launcher::root;

const PAGE: &str = "docs/reference/chart-values.md";

/// Writes the page, or checks that it is what would be written.
pub fn page(write: bool) -> anyhow::Result<()> {
    let mut page = String::from(
        "# Values of the charts\n\n<!-- Made by `cargo xtask docs --write` from the pages of the charts. -->\n",
    );
    for chart in ["vexil", "loadtester"] {
        let path = format!("charts/{chart}/README.md");
        let text = fs::read_to_string(root().join(&path)).with_context(|| format!("reading {path}"))?;
        let values =
            section(&text, "## Values").with_context(|| format!("{path} has no section `## Values`"))?;
        page.push_str(&format!(
            "\n## charts/{chart}\n\n[The page of the chart](../../{path}) explains more.\n\n"
        ));
        page.push_str(values.trim());
        page.push('\n');
    }
    let file = root().join(PAGE);
    if write {
        return fs::write(&file, page).with_context(|| format!("writing {PAGE}"));
    }
    if fs::read_to_string(&file).unwrap_or_default() != page {
        bail!("{PAGE} is not what the charts say; run `cargo xtask docs --write`");
    }
    Ok(())
}

/// What is below a heading, up to the next one of its level.
fn section<'a>(text: &'a str, heading: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("\n{heading}\n"))?;
    Some(rest.split_once("\n## ").map_or(rest, |(section, _)| section))
}

#[cfg(test)]
mod tests {
    use super::section;

    #[test]
    fn a_section_ends_at_the_next_heading_of_its_level() {
        let page = "# A\n\n## Values\n\nx\n\n### More\n\ny\n\n## Rights\n\nz\n";
        assert_eq!(section(page, "## Values").map(str::trim), Some("x\n\n### More\n\ny"));
        assert_eq!(section(page, "## Rights").map(str::trim), Some("z"));
        assert_eq!(section(page, "## Val"), None);
    }
}
