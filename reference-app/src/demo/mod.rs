//! The tour, played by the program against itself: sign in, invoice, mail, report.

mod client;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use accounts::DEMO_USER;
use dolmen::{Clock, Environment, SystemClock};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use self::client::Client;
use crate::config::Config;
use crate::failure::Failure;
use crate::modules;
use crate::platform::Platform;

const PATIENCE: Duration = Duration::from_secs(30);

/// Starts the application on free ports, plays the tour and stops it again.
///
/// # Errors
/// What keeps the application from running, or the step that did not go as told.
pub async fn play(mut config: Config) -> Result<(), Failure> {
    if config.app.environment == Environment::Production {
        return Err(Failure::Demo("the demo is for trying things out; unset APP_ENV".to_owned()));
    }
    config.http.port = 0;
    config.management.port = 0;
    let platform = Platform::open(&config).await?;
    let wired = modules::wire(&config, &platform);
    let mut web = wired.web;
    let (stop, stopped) = oneshot::channel::<()>();
    let running = wired.app.run_until(config.app.roles.clone(), async move { drop(stopped.await) });
    let tour = async move {
        let played = match web.bound().await {
            Some(address) => tour(Client::new(address), &config.data_dir.join("mail")).await,
            None => Err("the application did not start; the log says why".to_owned()),
        };
        drop(stop);
        played
    };
    let (ran, played) = tokio::join!(running, tour);
    ran?;
    played.map_err(Failure::Demo)
}

async fn tour(mut client: Client, mail: &Path) -> Result<(), String> {
    let (email, password) = DEMO_USER;
    let session = client.post("/v1/session", json!({ "email": email, "password": password })).await?;
    client.token = text(&session, "token")?;
    let me = client.get("/v1/me").await?;
    println!("1. Signed in as {} of {}.", text(&me, "email")?, text(&me, "tenant_name")?);

    let ada = json!({ "name": "Ada Stone", "email": "ada@example.com", "address": "1 Stone Row\nAvebury" });
    let customer = client.post("/v1/customers", ada).await?;
    println!("2. Added the customer {}.", text(&customer, "name")?);

    let invoice = json!({ "customer_id": text(&customer, "id")?, "currency": "EUR", "lines": [
        { "description": "Menhir, standing", "quantity": 2, "unit_price_minor": 125_000 },
        { "description": "Delivery", "quantity": 1, "unit_price_minor": 9_900 },
    ] });
    let draft = client.post("/v1/invoices", invoice).await?;
    let before = files(mail);
    let issued = client.post(&format!("/v1/invoices/{}/issue", text(&draft, "id")?), Value::Null).await?;
    let (number, total) = (number(&issued, "number")?, number(&issued, "total_minor")?);
    println!("3. Issued invoice number {number} over {total} cents.");

    let letter =
        eventually("a mail", async || files(mail).into_iter().find(|file| !before.contains(file))).await?;
    println!("4. The worker sent a mail, {}:\n", letter.display());
    show(&std::fs::read_to_string(&letter).map_err(|error| error.to_string())?);

    let month = SystemClock.now().to_string().get(..7).unwrap_or_default().to_owned();
    let asked = client.post("/v1/reports", json!({ "kind": "revenue", "month": month })).await?;
    let path = format!("/v1/reports/{}", text(&asked, "id")?);
    let link = eventually("the report", async || {
        let report = client.get(&path).await.ok()?;
        text(&report, "download_url").ok()
    });
    let link = link.await?;
    let csv = client.download(&link).await?;
    println!("5. The worker made the report of {month}, {link}:\n");
    show(&csv);
    Ok(())
}

fn text(answer: &Value, field: &str) -> Result<String, String> {
    let value = answer.get(field).and_then(Value::as_str);
    value.map(str::to_owned).ok_or_else(|| format!("the answer has no {field}: {answer}"))
}

fn number(answer: &Value, field: &str) -> Result<i64, String> {
    let value = answer.get(field).and_then(Value::as_i64);
    value.ok_or_else(|| format!("the answer has no {field}: {answer}"))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
        .collect();
    files.sort();
    files
}

fn show(text: &str) {
    for line in text.lines() {
        println!("     {line}");
    }
    println!();
}

async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> Result<T, String> {
    let found = timeout(PATIENCE, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            sleep(Duration::from_millis(50)).await;
        }
    });
    found.await.map_err(|_| format!("{what} did not come within {PATIENCE:?}; the log says why"))
}
