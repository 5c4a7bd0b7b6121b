//! Objects, signed links and mail in a folder, in a program of your own: no other crate of Dolmen but the ports.
//!
//! ```text
//! cargo run -p dolmen-directory --example without_dolmen
//! ```

use std::sync::Arc;
use std::time::Duration;

use dolmen_directory::{DirectoryMailer, DirectoryObjectStore, LinkSigner};
use dolmen_ports::{
    Bytes, Clock, Email, ErrorKind, LinkVerifier, ListRequest, MailAddress, Mailer, ObjectKey, ObjectStore,
    PutMode, PutOptions, Secret, SystemClock,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join("dolmen-directory-example");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);

    // In your program the key comes from a secret; everyone who has it can make links.
    let links = LinkSigner::new(Secret::new(vec![7; 32]), "/objects/", clock.clone())?;
    let objects = DirectoryObjectStore::open(folder.join("objects"), links.clone()).await?;

    let key = ObjectKey::parse("reports/2026-10.csv")?;
    let csv = Bytes::from_static(b"month,currency,invoices,total_minor\n2026-10,EUR,1,4200\n");
    let version = objects.put(&key, csv, PutOptions::new("text/csv")).await?;
    println!("stored {key} as version {}", &version.0[..12]);

    let once = PutOptions::new("text/csv").with_mode(PutMode::Create);
    match objects.put(&key, Bytes::new(), once).await {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => println!("not stored again: {error}"),
        other => return Err(format!("expected AlreadyExists, got {other:?}").into()),
    }
    for meta in objects.list(&ListRequest::new("reports/", 100)).await? {
        println!("{:>6} bytes  {}  {}", meta.size, meta.content_type, meta.key);
    }

    let link = objects.link(&key, Duration::from_mins(15)).await?;
    println!("link for 15 minutes: {link}");
    let query = link.split_once('?').map_or("", |(_, query)| query);
    links.verify(&key, query)?;
    println!("changed link: {}", links.verify(&key, &query.replace('a', "b")).is_err());

    let mailer = DirectoryMailer::open(folder.join("mail"), clock).await?;
    let (from, to) = (MailAddress::parse("billing@example.com")?, MailAddress::parse("ada@example.com")?);
    let email =
        Email::new(from, to, "Rechnung über 42 €", "Guten Tag\n\nIhre Rechnung.\n", "invoice-issued-1");
    mailer.send(&email).await?;
    println!("look into {}", folder.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_runs_to_its_end() {
        super::main().unwrap();
    }
}
