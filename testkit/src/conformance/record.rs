//! What a run of suites found, written down for programs.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::json;

use super::case::Outcome;

/// The variable that names a file to which each run case adds a line of JSON: its `adapter`, `suite` and `case`, the
/// capability that it `needs` or null, and its `outcome`: `passed`, `failed` or `ignored`, the last one with what it was
/// `without`. `cargo xtask conformance` makes its tables of it.
pub const RECORD_VARIABLE: &str = "CONFORMANCE_RECORD";

/// The file of a run.
#[derive(Debug, Clone)]
pub(super) struct Record(PathBuf);

/// Which case it is.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) adapter: String,
    pub(super) suite: &'static str,
    pub(super) case: &'static str,
    pub(super) needs: Option<&'static str>,
}

impl Record {
    /// The file that the variable names, if it names one.
    pub(super) fn from_environment() -> Option<Self> {
        std::env::var_os(RECORD_VARIABLE).filter(|path| !path.is_empty()).map(|path| Self(path.into()))
    }

    /// Adds what became of a case.
    ///
    /// # Errors
    /// When the file cannot be written; a run that is to be recorded and is not has failed.
    pub(super) fn add(&self, entry: &Entry, outcome: &Outcome) -> std::io::Result<()> {
        let Entry { adapter, suite, case, needs } = entry;
        let (outcome, without) = match outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Failed(_) => ("failed", None),
            Outcome::Ignored(what) => ("ignored", Some(what)),
        };
        self.append(&json!({
            "adapter": adapter, "suite": suite, "case": case, "needs": needs,
            "outcome": outcome, "without": without,
        }))
    }

    /// Adds that a planted defect turned a case red.
    #[cfg(test)]
    pub(super) fn add_red(&self, defect: &str, entry: &Entry) -> std::io::Result<()> {
        self.append(&json!({ "defect": defect, "suite": entry.suite, "case": entry.case }))
    }

    /// In one write, so that lines of other threads and processes come before or after it.
    fn append(&self, line: &serde_json::Value) -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
        file.write_all(format!("{line}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_is_a_line() {
        let path = std::env::temp_dir().join(format!("dolmen-record-{}.jsonl", std::process::id()));
        let record = Record(path.clone());
        let entry = Entry { adapter: "fake".into(), suite: "stones", case: "ST-1 stands", needs: None };
        record.add(&entry, &Outcome::Passed).unwrap();
        let entry = Entry { case: "ST-2 flies", needs: Some("wings"), ..entry };
        record.add(&entry, &Outcome::Ignored("wings")).unwrap();
        record.add_red("NoGround", &entry).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            lines,
            [
                json!({"adapter": "fake", "suite": "stones", "case": "ST-1 stands", "needs": null,
                       "outcome": "passed", "without": null}),
                json!({"adapter": "fake", "suite": "stones", "case": "ST-2 flies", "needs": "wings",
                       "outcome": "ignored", "without": "wings"}),
                json!({"defect": "NoGround", "suite": "stones", "case": "ST-2 flies"}),
            ]
        );
    }
}
