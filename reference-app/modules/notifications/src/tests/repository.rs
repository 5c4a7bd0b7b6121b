//! The repository on real databases.

use dolmen::{ErrorKind, JobId, PortResult, TenantId, Timestamp, Uuid};
use dolmen_sql::test_database::TestDatabase;
use invoices::api::InvoiceId;

use crate::adapters::sql::SqlSentMails;
use crate::ports::{SentMail, SentMailRepository};

#[tokio::test]
async fn a_mail_is_remembered_once_per_job() {
    let mail = SentMail {
        job: JobId::new(Uuid::from_u128(1)),
        invoice: InvoiceId::new(Uuid::from_u128(2)),
        recipient: "ada@example.com".into(),
        sent_at: Timestamp::UNIX_EPOCH,
    };
    for place in TestDatabase::on_each().await.unwrap() {
        let database = place.open_as_module(crate::module::MIGRATIONS).await.unwrap();
        let scoped = database.tenant(TenantId::new(Uuid::from_u128(3)));
        let insert = async || -> PortResult<()> {
            scoped.write(async |tx| SqlSentMails.insert(tx, &mail).await).await
        };
        insert().await.unwrap();
        assert_eq!(insert().await.unwrap_err().kind(), ErrorKind::AlreadyExists, "{}", database.backend());
        place.remove(&database).await;
    }
}
