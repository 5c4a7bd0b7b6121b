//! The embedded default: one folder with a database, mails and objects.

use std::collections::BTreeSet;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Case, DEMO, Process, cases, eventually, files_below};

pub(crate) fn cases() -> Vec<Case> {
    cases![alone: everything_lies_in_the_data_folder_and_nowhere_else]
}

async fn everything_lies_in_the_data_folder_and_nowhere_else() {
    let folder = TempDir::new().unwrap();
    let mut process = Process::start(folder.path(), &[], &[]);
    let demo = process.client().await.signed_in(DEMO.0, DEMO.1).await;
    demo.issued(&demo.add_customer("Ada").await).await;
    let asked = demo.post("/v1/reports", &json!({ "kind": "revenue", "month": "2026-10" })).await.expect(202);
    eventually("the report", async || {
        (demo.read(asked.header("location")).await["status"] == "done").then_some(())
    })
    .await;
    let var = folder.path().join("var");
    eventually("the mail", async || files_below(&var.join("mail"), "eml").pop()).await;
    assert_eq!(files_below(&var.join("objects"), "csv").len(), 1);
    let entries = |path: &std::path::Path| -> BTreeSet<String> {
        std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    let in_var = entries(&var);
    let known = |name: &String| ["mail", "objects"].contains(&name.as_str()) || name.starts_with("dolmen.db");
    assert!(in_var.iter().all(known) && in_var.len() >= 3, "{in_var:?}");
    let beside: Vec<String> =
        entries(folder.path()).into_iter().filter(|name| !name.starts_with("output-")).collect();
    assert_eq!(beside, ["var"]);
}
