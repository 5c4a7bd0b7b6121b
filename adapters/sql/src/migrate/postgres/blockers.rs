//! Who is in the way of a migration: asked on a connection apart, while it waits.

use std::fmt::Write as _;
use std::pin::pin;
use std::time::Duration;

use dolmen_ports::PortResult;

use crate::driver::Backend;
use crate::driver::Session;
use crate::statement::Value;

/// How often the server is asked; a statement that is done before costs nothing.
const EVERY: Duration = Duration::from_millis(200);

/// Without the text of its statement, which may hold data.
const BLOCKERS: &str = "select a.pid::int8 as process, coalesce(a.application_name, '') as application,
        coalesce(a.state, a.backend_type, 'unknown') as state,
        coalesce(extract(epoch from clock_timestamp() - coalesce(a.xact_start, a.backend_start)), 0)::int8 as seconds
    from unnest(pg_blocking_pids($1::int4)) as b (pid) join pg_stat_activity a on a.pid = b.pid
    group by 1, 2, 3, 4 order by 4 desc, 1 limit 5";

/// Does the work of a server's process; also says who blocked it when it was last seen waiting.
pub(in crate::migrate) async fn watched<T>(
    backend: &dyn Backend,
    process: i64,
    work: impl Future<Output = T>,
) -> (T, String) {
    let mut seen = String::new();
    let result = {
        let mut work = pin!(work);
        let mut watch = pin!(watch(backend, process, &mut seen));
        tokio::select! {
            biased;
            result = &mut work => result,
            // Who is in the way cannot be seen; the work does not depend on it.
            () = &mut watch => work.await,
        }
    };
    (result, seen)
}

/// Looks again and again; ends only when the server cannot be asked.
async fn watch(backend: &dyn Backend, process: i64, seen: &mut String) {
    tokio::time::sleep(EVERY).await;
    let Ok(mut session) = backend.open_apart().await else { return };
    while let Ok(blockers) = ask(&mut *session, process).await {
        if !blockers.is_empty() {
            *seen = blockers;
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn ask(session: &mut dyn Session, process: i64) -> PortResult<String> {
    let mut blockers = String::new();
    for row in session.fetch(BLOCKERS, &[Value::Integer(process)]).await? {
        let (process, seconds): (i64, i64) = (row.get("process")?, row.get("seconds")?);
        let (application, state): (String, String) = (row.get("application")?, row.get("state")?);
        let comma = if blockers.is_empty() { "" } else { ", " };
        let application = if application.is_empty() { "without a name".to_owned() } else { application };
        // Writing to a text cannot fail.
        let _ =
            write!(blockers, "{comma}pid {process} (application {application}, {state}, for {seconds} s)");
    }
    Ok(blockers)
}
