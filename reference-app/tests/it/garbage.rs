//! Requests with something wrong in them, thrown at random but the same in each run: whatever comes, the server tells what
//! is wrong with it, and never fails.

use serde_json::json;

use crate::support::{
    Answer, Backend, Case, Operation, PATIENCE, TestApp, UNKNOWN, cases, customer_named, invoice_for,
};

pub(crate) fn cases() -> Vec<Case> {
    cases![alone: garbage_never_makes_the_server_fail]
}

/// Numbers without pattern, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.roll(of.len())]
    }
}

const SEED: u64 = 20_261_015;
const SHOTS: usize = 1_500;

/// Each answer is held against the document and searched for words from the inside by the client itself.
async fn garbage_never_makes_the_server_fail() {
    let app = TestApp::start(Backend::Sqlite).await;
    let customer = app.demo.add_customer("Ada").await;
    let ids = [customer.clone(), app.demo.draft(&customer).await, UNKNOWN.to_owned(), "x".to_owned()];
    let mut dice = Dice(SEED);
    let operations: Vec<Operation> = app
        .demo
        .document()
        .operations()
        .into_iter()
        .filter(|operation| operation.path != "/v1/session")
        .collect();
    let patience = tokio::time::Instant::now() + PATIENCE;
    for shot in 0..SHOTS {
        let operation = dice.pick(&operations).clone();
        let answer = shoot(&app, &mut dice, &operation, &ids, &customer).await;
        assert!(answer.status < 500, "seed {SEED}, shot {shot}: {operation:?}: {answer:?}");
        assert!(tokio::time::Instant::now() < patience, "only {shot} shots in {PATIENCE:?}");
    }
    app.finish().await;
}

const STRANGE: [&str; 12] = [
    "",
    "0",
    "-1",
    "null",
    "%00",
    "%ff",
    "'",
    "%F0%9F%98%80",
    "a%0d%0ab",
    "..%2f..",
    "9223372036854775808",
    "%25s%25n",
];

async fn shoot(
    app: &TestApp,
    dice: &mut Dice,
    operation: &Operation,
    ids: &[String],
    customer: &str,
) -> Answer {
    let mut path =
        operation.path_of(dice.pick::<String>(ids)).replace("{key}", STRANGE[dice.roll(STRANGE.len())]);
    for name in ["limit", "cursor", "search", "status", "expires"] {
        if dice.roll(3) == 0 {
            path.push(if path.contains('?') { '&' } else { '?' });
            path = path + name + "=" + STRANGE[dice.roll(STRANGE.len())];
        }
    }
    let mut call = app.demo.call(&operation.method, &path);
    for name in ["if-match", "idempotency-key"] {
        match dice.roll(4) {
            0 => {}
            1 => call = call.header(name, "\"1\""),
            2 => call = call.header(name, [b"\xff\xfe".as_slice(), b"k", b"\"\"", b"*"][dice.roll(4)]),
            _ => call = call.header(name, "key"),
        }
    }
    if dice.roll(8) != 0 {
        call = call.header("content-type", "application/json");
    }
    call.body(mutated(dice, customer)).send().await
}

/// A body that is right, with something wrong in it.
fn mutated(dice: &mut Dice, customer: &str) -> Vec<u8> {
    let report = json!({ "kind": "revenue", "month": "2026-10" });
    let mut body = dice.pick(&[customer_named("Ada"), invoice_for(customer), report]).clone();
    let values = [
        json!(null),
        json!(-1),
        json!("\u{0}"),
        json!([[]]),
        json!({ "a": 1 }),
        json!(1e308),
        json!(u64::MAX),
        json!("\u{feff}😀\u{200f}"),
    ];
    let names: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
    match dice.roll(4) {
        0 => body[dice.pick(&names).as_str()] = dice.pick(&values).clone(),
        1 => body["lines"] = json!([dice.pick(&values).clone()]),
        2 => drop(body.as_object_mut().unwrap().remove(dice.pick(&names).as_str())),
        _ => {}
    }
    let mut bytes = body.to_string().into_bytes();
    for _ in 0..dice.roll(4) {
        let at = dice.roll(bytes.len());
        bytes[at] = u8::try_from(dice.roll(256)).unwrap();
    }
    bytes
}
