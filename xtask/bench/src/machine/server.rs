//! The processes of the database server, when it runs on this machine.

use std::fs;

use sqlx::{Connection as _, MySqlConnection, PgConnection};

use super::cost::{Cpu, parent};

/// Its first process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DatabaseServer(Option<u32>);

impl DatabaseServer {
    /// Asks it; nothing is known of a server elsewhere, and a file has none.
    pub(crate) async fn of(url: &str) -> Self {
        if url.starts_with("postgres") {
            return Self(first_of_postgres(url).await);
        }
        if url.starts_with("mysql") {
            return Self(first_of_mysql(url).await);
        }
        Self(None)
    }

    /// What all its processes have cost so far.
    pub(crate) fn cpu(self) -> Option<Cpu> {
        Cpu::of_family(self.0?)
    }
}

async fn first_of_postgres(url: &str) -> Option<u32> {
    let mut connection = PgConnection::connect(url).await.ok()?;
    let (ours,): (i32,) = sqlx::query_as("select pg_backend_pid()").fetch_one(&mut connection).await.ok()?;
    let ours = u32::try_from(ours).ok()?;
    let first = parent(ours).filter(|_| name(ours).as_deref() == Some("postgres"));
    connection.close().await.ok()?;
    first
}

async fn first_of_mysql(url: &str) -> Option<u32> {
    let mut connection = MySqlConnection::connect(url).await.ok()?;
    let (file,): (String,) = sqlx::query_as("select @@pid_file").fetch_one(&mut connection).await.ok()?;
    connection.close().await.ok()?;
    let process = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    name(process).filter(|name| name.starts_with("mariadbd") || name.starts_with("mysqld")).map(|_| process)
}

fn name(process: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{process}/comm")).ok().map(|name| name.trim().to_owned())
}
