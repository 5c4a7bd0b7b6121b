//! What an I/O error means to a caller.

use std::io;
use std::path::Path;

use dolmen_ports::{ErrorKind, PortError, PortResult};

/// Names a port's operation, to turn I/O errors into its errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) port: &'static str,
    pub(crate) name: &'static str,
}

impl Operation {
    pub(crate) const fn objects(name: &'static str) -> Self {
        Self { port: "objects", name }
    }

    pub(crate) const fn mail(name: &'static str) -> Self {
        Self { port: "mail", name }
    }

    pub(crate) fn error(self, kind: ErrorKind) -> PortError {
        PortError::new(kind, self.port, self.name)
    }

    /// The error for an I/O error at a path. The path goes into the source, which clients never see.
    pub(crate) fn failed(self, path: &Path, error: &io::Error) -> PortError {
        let (kind, detail) = meaning(error.kind());
        let failure = self.error(kind).with_source(format!("{}: {error}", path.display()));
        match detail {
            Some(detail) => failure.with_detail(detail),
            None => failure,
        }
    }
}

/// Attaches the operation and the path to the error of an I/O result.
pub(crate) trait AtPath<T> {
    fn at(self, operation: Operation, path: &Path) -> PortResult<T>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, operation: Operation, path: &Path) -> PortResult<T> {
        self.map_err(|error| operation.failed(path, &error))
    }
}

/// What only a person can repair is `Internal`, so that nobody retries it for hours; the rest may pass.
fn meaning(kind: io::ErrorKind) -> (ErrorKind, Option<&'static str>) {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (ErrorKind::StorageFull, None),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            (ErrorKind::Internal, Some("the directory must be readable and writable for this program"))
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory | io::ErrorKind::InvalidFilename => {
            (ErrorKind::Internal, None)
        }
        _ => (ErrorKind::Unavailable, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_without_the_path() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let error = Operation::objects("put").failed(Path::new("/secret/place"), &kind.into());
            assert!(error.kind() == ErrorKind::StorageFull && error.is_retryable());
            assert!(!error.to_string().contains("/secret/place"));
            assert!(error.chain().contains("/secret/place"));
        }
    }

    #[test]
    fn a_directory_without_permission_is_not_retried() {
        let error = Operation::mail("send").failed(Path::new("/x"), &io::ErrorKind::PermissionDenied.into());
        assert!(!error.is_retryable());
    }
}
