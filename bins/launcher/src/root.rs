//! Where the repository is. Two clones may share a target folder, so the path of compile time may be that of the other.

use std::path::{Path, PathBuf};

/// What only the root of this repository has.
const MARK: &str = "xtask/Cargo.toml";

/// The root of the repository: around the package that cargo runs or tests, else around the working directory. The
/// working directory itself when there is none.
pub fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let working = std::env::current_dir().ok();
    let root = [package, working].into_iter().flatten().find_map(|folder| around(&folder));
    root.unwrap_or_else(|| PathBuf::from("."))
}

/// The nearest folder that contains `folder` and is the root of a repository.
fn around(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| folder.join(MARK).is_file()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_root_is_that_of_the_clone_that_contains_the_folder() {
        let scratch = std::env::temp_dir().join(format!("vexil-launcher-{}", std::process::id()));
        for clone in ["one", "two"] {
            fs::create_dir_all(scratch.join(clone).join("crates/api/src")).unwrap();
            fs::create_dir_all(scratch.join(clone).join("xtask")).unwrap();
            fs::write(scratch.join(clone).join(MARK), "").unwrap();
        }
        for (folder, root) in [
            ("one", Some("one")),
            ("one/xtask", Some("one")),
            ("two/crates/api/src", Some("two")),
            ("", None),
        ] {
            assert_eq!(around(&scratch.join(folder)), root.map(|root| scratch.join(root)), "{folder}");
        }
        fs::remove_dir_all(&scratch).unwrap();
    }

    #[test]
    fn cargo_says_whose_tests_it_runs() {
        let working = std::env::current_dir().unwrap();
        assert!(working.starts_with(root()) && root().join("bins/launcher").is_dir(), "{}", root().display());
    }
}
