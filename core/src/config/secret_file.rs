//! Secrets from files, as container platforms hand them over.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::problem::ConfigProblem;

/// More than any key or certificate; keeps a wrong path such as `/dev/zero` from filling the memory.
const MAX_BYTES: u64 = 65_536;

/// Reads the file that `variable` (`<NAME>_FILE`) names, without the line feeds at its end. A file that everybody may read
/// adds a warning.
pub(super) fn read(
    variable: &str,
    path: &Path,
    warnings: &mut Vec<ConfigProblem>,
) -> Result<String, ConfigProblem> {
    let shown = format!("{variable}={:?}", path.to_string_lossy());
    let refused = |what: &str, fix: &str| {
        ConfigProblem::error("config/secret-file", format!("{shown} {what}"), fix.to_owned())
    };
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => refused("does not exist", "create the file or correct the path"),
        kind => {
            refused(&format!("cannot be read: {kind}"), "name a file that the user of this process may read")
        }
    };
    let file = File::open(path).map_err(unreadable)?;
    if is_world_readable(&file) {
        warnings.push(ConfigProblem::warning(
            "config/secret-mode",
            format!("{shown} may be read by every user of the machine"),
            "take the right away, e.g. with chmod 600",
        ));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
        return Err(refused("is longer than 64 KiB", "name a file with the secret and nothing else"));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| refused("is not UTF-8 text", "write the secret as text, e.g. in base64 or hex"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(refused("is empty", "write the secret into the file"));
    }
    Ok(text.to_owned())
}

#[cfg(unix)]
fn is_world_readable(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_world_readable(_file: &File) -> bool {
    false
}
