//! F26: clients write on one instance and read on another one, from replicas that are behind: each must see its own write.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dolmen::ports::Dialect;
use dolmen::{BoxError, ClientPosition, Database, PortResult, ReadFrom, ReadTx, Secret, WriteTx};
use dolmen_sql::{DatabaseUrl, SqlDatabase, SqlOptions, sql};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const CLIENTS: u64 = 16;
/// After so many pairs a client reads until a replica has caught up.
const PAIRS_TO_A_REPLICA: u64 = 20;
const BETWEEN_READS: Duration = Duration::from_millis(5);
/// What a replica may lag. Where a position is a time, a client stays on the primary for some seconds more.
const MAX_LAG: Duration = Duration::from_secs(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

#[derive(Debug)]
struct Stage {
    writes: Database,
    reads: Database,
    /// Clients forget to send their position.
    forgetful: bool,
    stale: AtomicU64,
    on_replicas: AtomicU64,
}

pub(super) async fn play(url: &str, pairs: u64, read_urls: &str, forgetful: bool) -> Result<Value, BoxError> {
    let mut options = SqlOptions::new().with_read_urls(Secret::new(read_urls.to_owned()));
    if DatabaseUrl::parse(url)?.dialect() == Dialect::MySql {
        options = options.with_max_replica_lag(MAX_LAG).with_replica_check_interval(BETWEEN_LOOKS);
    }
    let writer = SqlDatabase::connect(url, options.clone()).await?;
    let reader = SqlDatabase::connect(url, options).await?;
    let open = async |tx: &mut WriteTx| {
        for client in 0..i64::try_from(CLIENTS).unwrap_or_default() {
            sql!("insert into chaos_account (id, balance, version) values (?, 0, 0)", client)
                .execute(tx)
                .await?;
        }
        PortResult::Ok(())
    };
    writer.database().system().write(open).await?;
    let mut looks = tokio::time::interval(BETWEEN_READS);
    while [&writer, &reader].iter().any(|sql| sql.replicas().iter().all(|one| one.out_of_use.is_some())) {
        looks.tick().await;
    }
    let stage = Arc::new(Stage {
        writes: writer.database(),
        reads: reader.database(),
        forgetful,
        stale: AtomicU64::new(0),
        on_replicas: AtomicU64::new(0),
    });
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let share = pairs / CLIENTS + u64::from(client < pairs % CLIENTS);
        let stage = Arc::clone(&stage);
        clients.spawn(async move { stage.write_and_read(i64::try_from(client)?, share).await });
    }
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    let fallbacks: u64 = reader.replica_fallbacks().iter().map(|(_, count)| count).sum();
    Ok(json!({
        "pairs": pairs,
        "stale": stage.stale.load(Ordering::SeqCst),
        "on_replicas": stage.on_replicas.load(Ordering::SeqCst),
        "fallbacks": fallbacks,
    }))
}

impl Stage {
    async fn write_and_read(&self, client: i64, pairs: u64) -> Result<(), BoxError> {
        for pair in 1..=pairs {
            let balance = i64::try_from(pair)?;
            let position = ClientPosition::default();
            let write = async |tx: &mut WriteTx| {
                sql!("update chaos_account set balance = ? where id = ?", balance, client).execute(tx).await
            };
            position.follow(self.writes.system().write(write)).await?;
            // What travels is the text, with the client.
            let sent = position.written().map(|written| written.to_string()).filter(|_| !self.forgetful);
            let mut on_replica = self.read(client, balance, sent.as_deref()).await?;
            let mut looks = tokio::time::interval(BETWEEN_READS);
            while !on_replica && pair % PAIRS_TO_A_REPLICA == 0 {
                looks.tick().await;
                on_replica = self.read(client, balance, sent.as_deref()).await?;
            }
        }
        Ok(())
    }

    /// Looks for the balance on another instance; whether a replica answered.
    async fn read(&self, client: i64, balance: i64, sent: Option<&str>) -> Result<bool, BoxError> {
        let position = ClientPosition::new(sent.map(str::parse).transpose()?);
        let read = async |tx: &mut ReadTx| {
            if tx.backend() == Dialect::MySql.name() {
                let read = sql!("select balance, @@read_only from chaos_account where id = ?", client);
                return read
                    .fetch_one::<(i64, i64)>(tx)
                    .await
                    .map(|(balance, read_only)| (balance, read_only == 1));
            }
            sql!("select balance, pg_is_in_recovery() from chaos_account where id = ?", client)
                .fetch_one::<(i64, bool)>(tx)
                .await
        };
        let read = position.follow(self.reads.system().read_from(ReadFrom::Replica, read)).await;
        // On a replica that is far behind not even the table is there.
        let (seen, on_replica) = if self.forgetful { read.unwrap_or((-1, true)) } else { read? };
        self.stale.fetch_add(u64::from(seen != balance), Ordering::SeqCst);
        self.on_replicas.fetch_add(u64::from(on_replica), Ordering::SeqCst);
        Ok(on_replica)
    }
}
