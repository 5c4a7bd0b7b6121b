//! Sent mails in SQL. Table: `notifications_sent_mail`.

use async_trait::async_trait;
use dolmen::{PortResult, WriteTx};
use dolmen_sql::sql;

use crate::ports::{SentMail, SentMailRepository};

/// The sent mails of the application's database.
#[derive(Debug, Default)]
pub(crate) struct SqlSentMails;

#[async_trait]
impl SentMailRepository for SqlSentMails {
    async fn insert(&self, tx: &mut WriteTx, mail: &SentMail) -> PortResult<()> {
        sql!(
            "insert into notifications_sent_mail (tenant, job, invoice, recipient, sent_at) values (?, ?, ?, ?, ?)",
            tx.tenant()?.as_uuid(),
            mail.job.as_uuid(),
            mail.invoice.as_uuid(),
            &mail.recipient,
            mail.sent_at,
        )
        .execute(tx)
        .await?;
        Ok(())
    }
}
