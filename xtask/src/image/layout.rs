//! An image as a folder: an index, and blobs by their digest (OCI image specification 1.1, "Image Layout").

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::dockerfile::Dockerfile;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const SBOM: &str = "application/vnd.cyclonedx+json";

/// What an image consists of.
pub struct Image<'a> {
    /// Its name and tag.
    pub name: String,
    /// The version of what it holds.
    pub version: String,
    /// Its machine, as images name it.
    pub architecture: &'static str,
    /// Path, mode and content of each file.
    pub files: &'a [(&'a str, u32, Vec<u8>)],
    /// How it is run.
    pub dockerfile: &'a Dockerfile,
    /// What it contains, as CycloneDX.
    pub sbom: &'a Value,
}

impl Image<'_> {
    /// Writes the layout into a folder that is emptied first. Beside it, `sbom.cdx.json` has the SBOM once more.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("emptying {}", folder.display()))?;
        }
        let blobs = Blobs(folder.join("blobs/sha256"));
        fs::create_dir_all(&blobs.0).with_context(|| format!("making {}", blobs.0.display()))?;
        let image = self.image(&blobs)?;
        let contents = self.contents(&blobs, &image)?;
        let named = annotated(image, &json!({"org.opencontainers.image.ref.name": self.name}));
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [named, contents]});
        fs::write(folder.join("index.json"), serde_json::to_vec(&index)?)?;
        fs::write(folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        fs::write(folder.join("sbom.cdx.json"), serde_json::to_vec_pretty(self.sbom)?)?;
        Ok(())
    }

    /// The image itself: layer, configuration and manifest.
    fn image(&self, blobs: &Blobs) -> anyhow::Result<Value> {
        let layer = tar(self.files)?;
        let diff = digest(&layer);
        let layer = blobs.put(LAYER, &layer)?;
        let labels = self.labels();
        let mut run = self.dockerfile.config();
        if let Some(run) = run.as_object_mut() {
            run.insert("Labels".to_owned(), labels.clone());
        }
        let config = json!({
            "architecture": self.architecture,
            "os": "linux",
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": [diff]},
            "history": [{"created_by": "cargo xtask image"}],
        });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": blobs.put(CONFIG, &serde_json::to_vec(&config)?)?,
            "layers": [layer],
            "annotations": labels,
        });
        let mut image = blobs.put(MANIFEST, &serde_json::to_vec(&manifest)?)?;
        if let Some(image) = image.as_object_mut() {
            image.insert("platform".to_owned(), json!({"architecture": self.architecture, "os": "linux"}));
        }
        Ok(image)
    }

    /// The SBOM as an artifact that refers to the image.
    fn contents(&self, blobs: &Blobs, image: &Value) -> anyhow::Result<Value> {
        let subject = json!({"mediaType": MANIFEST, "digest": image["digest"], "size": image["size"]});
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": SBOM,
            "config": blobs.put(EMPTY, b"{}")?,
            "layers": [blobs.put(SBOM, &serde_json::to_vec(self.sbom)?)?],
            "subject": subject,
        });
        let contents = blobs.put(MANIFEST, &serde_json::to_vec(&manifest)?)?;
        let mut contents = contents;
        if let Some(contents) = contents.as_object_mut() {
            contents.insert("artifactType".to_owned(), SBOM.into());
        }
        Ok(contents)
    }

    fn labels(&self) -> Value {
        json!({
            "org.opencontainers.image.title": "vexil",
            "org.opencontainers.image.version": self.version,
            "org.opencontainers.image.source": env!("CARGO_PKG_REPOSITORY"),
            "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
        })
    }
}

/// The folder of the blobs.
struct Blobs(PathBuf);

impl Blobs {
    /// Writes a blob; answers its descriptor.
    fn put(&self, media_type: &str, bytes: &[u8]) -> anyhow::Result<Value> {
        let digest = digest(bytes);
        let name = digest.trim_start_matches("sha256:");
        fs::write(self.0.join(name), bytes)?;
        Ok(json!({"mediaType": media_type, "digest": digest, "size": bytes.len()}))
    }
}

fn annotated(mut descriptor: Value, annotations: &Value) -> Value {
    if let Some(fields) = descriptor.as_object_mut() {
        fields.insert("annotations".to_owned(), annotations.clone());
    }
    descriptor
}

fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// The files and their folders as a tar, all of them root's and without a time.
fn tar(files: &[(&str, u32, Vec<u8>)]) -> anyhow::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut folders: Vec<String> = Vec::new();
    for (path, mode, bytes) in files {
        let parents = path.match_indices('/').filter_map(|(at, _)| path.get(..=at));
        for folder in parents.map(str::to_owned).collect::<Vec<_>>() {
            if !folders.contains(&folder) {
                let mut header = header(tar::EntryType::Directory, 0o755, 0);
                tar.append_data(&mut header, &folder, &[][..])?;
                folders.push(folder);
            }
        }
        let mut header = header(tar::EntryType::Regular, *mode, bytes.len() as u64);
        tar.append_data(&mut header, path, bytes.as_slice())?;
    }
    Ok(tar.into_inner()?)
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(folder: &Path, descriptor: &Value) -> Vec<u8> {
        let name = descriptor["digest"].as_str().unwrap().trim_start_matches("sha256:");
        let bytes = fs::read(folder.join("blobs/sha256").join(name)).unwrap();
        assert_eq!(digest(&bytes), descriptor["digest"].as_str().unwrap());
        assert_eq!(Some(bytes.len() as u64), descriptor["size"].as_u64());
        bytes
    }

    fn parsed(folder: &Path, descriptor: &Value) -> Value {
        serde_json::from_slice(&read(folder, descriptor)).unwrap()
    }

    #[test]
    fn every_digest_leads_to_its_blob_and_the_layer_holds_the_files() {
        let folder = std::env::temp_dir().join(format!("vexil-layout-{}", std::process::id()));
        let dockerfile = Dockerfile::parse("FROM scratch\nUSER 1:1\nEXPOSE 80\nENTRYPOINT [\"/x\"]").unwrap();
        let files = [("etc/ca/a", 0o644, b"roots".to_vec()), ("x", 0o755, b"program".to_vec())];
        let sbom = json!({"components": []});
        let image = Image {
            name: "r/x:1".to_owned(),
            version: "1".to_owned(),
            architecture: "amd64",
            files: &files,
            dockerfile: &dockerfile,
            sbom: &sbom,
        };
        image.write(&folder).unwrap();
        let first = fs::read(folder.join("index.json")).unwrap();
        image.write(&folder).unwrap();
        assert_eq!(fs::read(folder.join("index.json")).unwrap(), first, "written twice");

        let index: Value = serde_json::from_slice(&first).unwrap();
        let descriptor = &index["manifests"][0];
        assert_eq!(descriptor["annotations"]["org.opencontainers.image.ref.name"], "r/x:1");
        let manifest = parsed(&folder, descriptor);
        let config = parsed(&folder, &manifest["config"]);
        assert_eq!(config["config"]["Entrypoint"], json!(["/x"]));
        let layer = read(&folder, &manifest["layers"][0]);
        assert_eq!(config["rootfs"]["diff_ids"], json!([digest(&layer)]));
        let mut tar = tar::Archive::new(layer.as_slice());
        let entries = tar.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            (entry.path().unwrap().display().to_string(), header.mode().unwrap(), header.size().unwrap())
        });
        let want = [("etc/", 0o755, 0), ("etc/ca/", 0o755, 0), ("etc/ca/a", 0o644, 5), ("x", 0o755, 7)];
        assert_eq!(entries.collect::<Vec<_>>(), want.map(|(path, mode, size)| (path.to_owned(), mode, size)));

        let contents = parsed(&folder, &index["manifests"][1]);
        assert_eq!(contents["subject"]["digest"], descriptor["digest"]);
        assert_eq!(parsed(&folder, &contents["layers"][0]), sbom);
        fs::remove_dir_all(&folder).unwrap();
    }
}
