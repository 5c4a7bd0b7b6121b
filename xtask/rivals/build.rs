//! Finds the migrations of sqlxmq: its users are to copy the files, and we ship nobody else's.

use std::error::Error;
use std::path::Path;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    // What other platforms need is not downloaded.
    let platform = std::env::var("TARGET")?;
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", &platform])
        .output()?;
    if !metadata.status.success() {
        return Err(String::from_utf8_lossy(&metadata.stderr).into());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout)?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let package = packages.iter().find(|package| package["name"] == "sqlxmq").ok_or("sqlxmq is not there")?;
    let manifest = package["manifest_path"].as_str().ok_or("sqlxmq has no manifest")?;
    let folder = Path::new(manifest).parent().ok_or("sqlxmq has no folder")?.join("migrations");
    println!("cargo::rustc-env=MIGRATIONS_OF_SQLXMQ={}", folder.display());
    println!("cargo::rerun-if-changed=Cargo.lock");
    Ok(())
}
