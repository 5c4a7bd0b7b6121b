//! The promises of schedules, inbox, sessions and audit, broken once each.

use std::sync::Arc;

use async_trait::async_trait;
use dolmen_ports::{
    AuditEntry, AuditLog, BoxError, Database, Inbox, InboxKey, InboxState, PortResult, ReadTx, ScheduleStore,
    Scope, Session, SessionStore, TenantId, Timestamp, TokenHash, Uuid, WriteTx,
};

use super::assert_red;
use crate::conformance::audit::{self, AuditHarness};
use crate::conformance::inbox::{self, InboxHarness};
use crate::conformance::schedules::{self, SchedulesHarness};
use crate::conformance::sessions::{self, SessionsHarness};
use crate::conformance::{Harness, MemoryHarness, TransactionHarness};
use crate::fakes::{MemoryDatabase, MemorySessionStore};

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// The store has transactions of its own.
    OwnTransactions,
    ForgetsWhatItKnows,
    CutsToSeconds,
    ForgetsTenants,
    LooksAtTheClock,
    PrunesEverything,
    TakesAnyKey,
    ListsOldestFirst,
}

/// The stores of the fakes, all with one flaw.
#[derive(Clone)]
struct Broken {
    flaw: Flaw,
    inner: Arc<MemoryHarness>,
    own: Database,
}

impl std::fmt::Debug for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.flaw.fmt(f)
    }
}

impl Broken {
    async fn fresh(flaw: Flaw) -> Result<Self, BoxError> {
        let inner = Arc::new(MemoryHarness::fresh().await?);
        Ok(Self { flaw, inner, own: MemoryDatabase::new().database() })
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn cut(&self, at: Timestamp) -> Timestamp {
        if self.has(Flaw::CutsToSeconds) { Timestamp::from_unix_seconds(at.as_unix_seconds()) } else { at }
    }

    /// A scope in which the fake does not tell tenants apart.
    async fn begin(&self, scope: Scope) -> PortResult<WriteTx> {
        let any = Scope::Tenant(TenantId::new(Uuid::nil()));
        self.own.scope(if self.has(Flaw::ForgetsTenants) { any } else { scope }).begin().await
    }
}

impl Harness for Broken {}

impl TransactionHarness for Broken {
    fn database(&self) -> &Database {
        self.inner.database()
    }
}

impl SchedulesHarness for Broken {
    fn schedules(&self) -> Arc<dyn ScheduleStore> {
        Arc::new(self.clone())
    }
}

impl InboxHarness for Broken {
    fn inbox(&self) -> Arc<dyn Inbox> {
        Arc::new(self.clone())
    }
}

impl SessionsHarness for Broken {
    fn sessions(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.clone())
    }
}

impl AuditHarness for Broken {
    fn audit(&self) -> Arc<dyn AuditLog> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl ScheduleStore for Broken {
    async fn record_tick(&self, tx: &mut WriteTx, schedule: &str, tick: Timestamp) -> PortResult<bool> {
        let (store, tick) = (self.inner.schedules(), self.cut(tick));
        if self.has(Flaw::OwnTransactions) {
            return self.own.system().write(async |own| store.record_tick(own, schedule, tick).await).await;
        }
        let is_new = store.record_tick(tx, schedule, tick).await?;
        Ok(is_new || self.has(Flaw::ForgetsWhatItKnows))
    }

    async fn last_tick(&self, tx: &mut ReadTx, schedule: &str) -> PortResult<Option<Timestamp>> {
        let store = self.inner.schedules();
        if self.has(Flaw::OwnTransactions) {
            return self.own.system().read(async |own| store.last_tick(own, schedule).await).await;
        }
        store.last_tick(tx, schedule).await
    }

    async fn prune(&self, tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64> {
        let limit = if self.has(Flaw::PrunesEverything) { u32::MAX } else { limit };
        self.inner.schedules().prune(tx, before, limit).await
    }
}

#[async_trait]
impl Inbox for Broken {
    async fn claim(&self, tx: &mut WriteTx, key: &InboxKey, fingerprint: [u8; 32]) -> PortResult<InboxState> {
        let inbox = self.inner.inbox();
        if self.has(Flaw::OwnTransactions) || self.has(Flaw::ForgetsTenants) {
            let mut own = self.begin(tx.scope()).await?;
            let state = inbox.claim(&mut own, key, fingerprint).await?;
            own.commit().await?;
            return Ok(state);
        }
        match inbox.claim(tx, key, fingerprint).await {
            Ok(_) if self.has(Flaw::ForgetsWhatItKnows) => Ok(InboxState::New),
            Err(_) if self.has(Flaw::TakesAnyKey) => Ok(InboxState::New),
            result => result,
        }
    }

    async fn record(&self, tx: &mut WriteTx, key: &InboxKey, outcome: &[u8]) -> PortResult<()> {
        let inbox = self.inner.inbox();
        if self.has(Flaw::OwnTransactions) || self.has(Flaw::ForgetsTenants) {
            let mut own = self.begin(tx.scope()).await?;
            inbox.record(&mut own, key, outcome).await?;
            return own.commit().await;
        }
        let recorded = inbox.record(tx, key, outcome).await;
        if self.has(Flaw::TakesAnyKey) { Ok(()) } else { recorded }
    }

    async fn prune(&self, tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64> {
        let limit = if self.has(Flaw::PrunesEverything) { u32::MAX } else { limit };
        self.inner.inbox().prune(tx, before, limit).await
    }
}

#[async_trait]
impl SessionStore for Broken {
    async fn open(&self, tx: &mut WriteTx, session: &Session) -> PortResult<()> {
        let store = MemorySessionStore::new();
        let session = Session::new(session.token, session.principal.clone(), self.cut(session.expires_at));
        if self.has(Flaw::OwnTransactions) {
            return self.own.system().write(async |own| store.open(own, &session).await).await;
        }
        store.open(tx, &session).await
    }

    async fn find(&self, tx: &mut ReadTx, token: TokenHash) -> PortResult<Option<Session>> {
        let store = MemorySessionStore::new();
        if self.has(Flaw::OwnTransactions) {
            return self.own.system().read(async |own| store.find(own, token).await).await;
        }
        let found = store.find(tx, token).await?;
        Ok(found
            .filter(|session| !self.has(Flaw::LooksAtTheClock) || session.expires_at > Timestamp::UNIX_EPOCH))
    }

    async fn close(&self, tx: &mut WriteTx, token: TokenHash) -> PortResult<bool> {
        let closed = MemorySessionStore::new().close(tx, token).await?;
        Ok(closed || self.has(Flaw::ForgetsWhatItKnows))
    }

    async fn prune(&self, tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64> {
        let before = if self.has(Flaw::PrunesEverything) { Timestamp::MAX } else { before };
        MemorySessionStore::new().prune(tx, before, limit).await
    }
}

#[async_trait]
impl AuditLog for Broken {
    async fn record(&self, tx: &mut WriteTx, entry: &AuditEntry) -> PortResult<()> {
        let log = self.inner.audit();
        if self.has(Flaw::OwnTransactions) || self.has(Flaw::ForgetsTenants) {
            let mut own = self.begin(tx.scope()).await?;
            log.record(&mut own, entry).await?;
            return own.commit().await;
        }
        match log.record(tx, entry).await {
            Err(_) if self.has(Flaw::ForgetsWhatItKnows) => Ok(()),
            result => result,
        }
    }

    async fn list(&self, tx: &mut ReadTx, before: Option<Uuid>, limit: u32) -> PortResult<Vec<AuditEntry>> {
        let log = self.inner.audit();
        if self.has(Flaw::OwnTransactions) || self.has(Flaw::ForgetsTenants) {
            let mut own = self.begin(tx.scope()).await?;
            return log.list(&mut own, before, limit).await;
        }
        let mut entries = log.list(tx, before, limit).await?;
        if self.has(Flaw::ListsOldestFirst) {
            entries.reverse();
        }
        Ok(entries)
    }
}

#[test]
fn each_flaw_of_schedules_turns_its_cases_red() {
    let table: [(Flaw, &[&str]); 4] = [
        (Flaw::OwnTransactions, &["SC-2 a_rolled_back_tick_was_not_recorded"]),
        (
            Flaw::ForgetsWhatItKnows,
            &["SC-1 a_tick_is_recorded_once", "SC-1 of_concurrent_recorders_exactly_one_succeeds"],
        ),
        (Flaw::CutsToSeconds, &["SC-1 ticks_belong_to_their_schedule_and_instant"]),
        (Flaw::PrunesEverything, &["SC-3 prune_forgets_at_most_its_limit_and_only_old_ticks"]),
    ];
    for (flaw, names) in table {
        assert_red(&flaw, schedules::cases("broken", move || Broken::fresh(flaw)), names);
    }
}

#[test]
fn each_flaw_of_an_inbox_turns_its_cases_red() {
    let table: [(Flaw, &[&str]); 5] = [
        (
            Flaw::OwnTransactions,
            &[
                "IB-1 a_claim_does_not_believe_in_one_that_is_rolled_back",
                "IB-2 an_outcome_that_is_rolled_back_is_not_there",
            ],
        ),
        (
            Flaw::ForgetsWhatItKnows,
            &[
                "IB-1 the_first_claim_is_new_and_the_next_one_done",
                "IB-1 of_concurrent_claims_one_is_new_and_all_end_alike",
            ],
        ),
        (Flaw::ForgetsTenants, &["IB-1 keys_belong_to_their_consumer_and_scope"]),
        (Flaw::TakesAnyKey, &["IB-3 a_key_that_breaks_the_rule_is_refused"]),
        (Flaw::PrunesEverything, &["IB-2 prune_forgets_old_keys_up_to_its_limit"]),
    ];
    for (flaw, names) in table {
        assert_red(&flaw, inbox::cases("broken", move || Broken::fresh(flaw)), names);
    }
}

#[test]
fn each_flaw_of_a_session_store_turns_its_cases_red() {
    let table: [(Flaw, &[&str]); 5] = [
        (Flaw::OwnTransactions, &["SE-1 a_session_that_is_rolled_back_was_not_opened"]),
        (Flaw::ForgetsWhatItKnows, &["SE-3 a_closed_session_is_not_found_and_closes_once"]),
        (Flaw::CutsToSeconds, &["SE-1 an_opened_session_is_found"]),
        (Flaw::LooksAtTheClock, &["SE-2 a_session_is_found_whatever_its_expiry"]),
        (Flaw::PrunesEverything, &["SE-3 prune_removes_ended_sessions_up_to_its_limit"]),
    ];
    for (flaw, names) in table {
        assert_red(&flaw, sessions::cases("broken", move || Broken::fresh(flaw)), names);
    }
}

#[test]
fn each_flaw_of_an_audit_log_turns_its_cases_red() {
    let table: [(Flaw, &[&str]); 4] = [
        (Flaw::OwnTransactions, &["AL-1 an_entry_that_is_rolled_back_was_not_recorded"]),
        (Flaw::ForgetsWhatItKnows, &["AL-2 an_entry_cannot_be_recorded_again_with_other_content"]),
        (Flaw::ForgetsTenants, &["AL-3 a_tenant_sees_its_own_entries_only"]),
        (Flaw::ListsOldestFirst, &["AL-3 a_list_shows_the_newest_first_page_by_page"]),
    ];
    for (flaw, names) in table {
        assert_red(&flaw, audit::cases("broken", move || Broken::fresh(flaw)), names);
    }
}
