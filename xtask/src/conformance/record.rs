//! What the suites recorded: a line of JSON for each case that ran, and for each case that a planted defect turned red.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::failure::{Failure, Outcome, While as _};

/// Everything that a run recorded.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// By suite, case and adapter.
    pub(super) cases: BTreeMap<(String, String, String), Ran>,
    /// Suite and defect, and the cases that it turned red.
    pub(super) defects: BTreeMap<(String, String), BTreeSet<String>>,
}

/// What became of one case on one adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ran {
    pub(super) result: CaseResult,
    /// The capability that it needs.
    pub(super) needs: Option<String>,
    /// What was not there, when it was ignored.
    without: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CaseResult {
    Passed,
    Failed,
    Ignored,
}

impl Record {
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let mut record = Self::default();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).while_doing("read a line that a suite recorded")?;
            record.add(&line)?;
        }
        if record.cases.is_empty() {
            return Err(Failure::new("no suite recorded anything: does its main call conformance::run?"));
        }
        Ok(record)
    }

    fn add(&mut self, line: &Value) -> Outcome<()> {
        let text = |key: &str| line.get(key).and_then(Value::as_str).map(str::to_owned);
        let known = |key: &str| {
            text(key).ok_or_else(|| Failure::new(format!("a recorded line has no {key}: {line}")))
        };
        let (suite, case) = (known("suite")?, known("case")?);
        if let Some(defect) = text("defect") {
            self.defects.entry((suite, defect)).or_default().insert(case);
            return Ok(());
        }
        let result = match known("outcome")?.as_str() {
            "passed" => CaseResult::Passed,
            "failed" => CaseResult::Failed,
            "ignored" => CaseResult::Ignored,
            other => return Err(Failure::new(format!("a recorded case has the unknown outcome {other}"))),
        };
        let ran = Ran { result, needs: text("needs"), without: text("without") };
        self.cases.insert((suite, case, known("adapter")?), ran);
        Ok(())
    }

    /// The variable of a server that was not there, if one was not.
    pub(super) fn missing_server(&self) -> Option<&str> {
        let without = self.cases.values().filter_map(|ran| ran.without.as_deref());
        without.into_iter().find(|without| without.starts_with("TEST_"))
    }

    /// All adapters: the fake and the databases first.
    pub(super) fn adapters(&self) -> Vec<&str> {
        let all: BTreeSet<&str> = self.cases.keys().map(|(_, _, adapter)| adapter.as_str()).collect();
        let mut all = Vec::from_iter(all);
        let first = ["memory", "sqlite", "postgres", "postgres-with-replicas", "pgbouncer", "mysql"];
        all.sort_by_key(|adapter| first.iter().position(|name| name == adapter).unwrap_or(first.len()));
        all
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A fake that keeps one of two promises, an adapter that keeps both, and a defect.
    pub(in crate::conformance) fn record() -> Record {
        let lines = [
            r#"{"adapter":"zinc","suite":"stones","case":"ST-1 stands","needs":null,"outcome":"passed","without":null}"#,
            r#"{"adapter":"zinc","suite":"stones","case":"ST-2 flies","needs":"wings","outcome":"passed","without":null}"#,
            r#"{"adapter":"memory","suite":"stones","case":"ST-1 stands","needs":null,"outcome":"failed","without":null}"#,
            r#"{"adapter":"memory","suite":"stones","case":"ST-2 flies","needs":"wings","outcome":"ignored","without":"wings"}"#,
            r#"{"adapter":"zinc","suite":"half_dug","case":"it_shines","needs":null,"outcome":"passed","without":null}"#,
            r#"{"defect":"NoGround","suite":"stones","case":"ST-1 stands"}"#,
            r#"{"defect":"NoGround","suite":"stones","case":"ST-2 flies"}"#,
        ];
        Record::parse(&lines.join("\n")).expect("a record")
    }

    #[test]
    fn lines_become_cases_and_defects() {
        let record = record();
        assert_eq!((record.cases.len(), record.defects.len()), (5, 1));
        assert_eq!(record.adapters(), ["memory", "zinc"]);
        assert_eq!(record.missing_server(), None);
    }

    #[test]
    fn a_missing_server_is_named() {
        let line = r#"{"adapter":"a","suite":"s","case":"c","needs":null,"outcome":"ignored","without":"TEST_A_URL"}"#;
        assert_eq!(Record::parse(line).expect("a record").missing_server(), Some("TEST_A_URL"));
    }

    #[test]
    fn what_cannot_be_read_is_no_record() {
        for text in ["", "{", "{}", r#"{"suite":"s","case":"c","adapter":"a","outcome":"maybe"}"#] {
            assert!(Record::parse(text).is_err(), "{text}");
        }
    }
}
