-- Jobs. An active one is running while a claim holds it with its present token, and ready otherwise: a claim writes one row
-- for all that it takes, and none of theirs. Each family has a collation of its own that compares texts exactly; the comment of the other one is passed over.
create table dolmen_job (
    id binary(16) not null primary key,
    kind varchar(128) not null,
    queue varchar(64) not null,
    state varchar(16) not null check (state in ('active', 'done', 'dead', 'discarded')),
    tenant binary(16),
    priority smallint not null,
    due_at datetime(6) not null,
    attempt integer not null default 0,
    max_attempts integer not null,
    crashes integer not null default 0,
    -- Ascends with every end of a claim that leaves the job active: the fencing token.
    token bigint not null default 1,
    timeout_ms bigint not null,
    unique_key varchar(255),
    -- The states in which it holds its unique key: 1 for active, 2 for done, 4 for dead, added up.
    unique_states smallint not null default 1,
    -- The period in which its unique key is unique.
    unique_period bigint not null default 0,
    -- Whom the unique key is unique for while the job holds it, the nil id for the system: NULL is equal to nothing.
    unique_scope binary(16) generated always as (
        case when (unique_states & case state when 'active' then 1 when 'done' then 2 when 'dead' then 4 else 0 end) <> 0
            then coalesce(tenant, x'00000000000000000000000000000000') end) stored,
    -- Active jobs with one ordering key, which begins with their tenant, run one after the other.
    ordering_key varchar(300),
    created_at datetime(6) not null,
    finished_at datetime(6),
    last_error text,
    payload longtext not null,
    version integer not null default 1,
    -- A claim reads from the front of each queue and priority; an index here has the jobs of all states, so the state leads.
    key dolmen_job_front (state, queue, priority, due_at, id),
    key dolmen_job_finished (state, finished_at),
    key dolmen_job_dead (state, id),
    unique key dolmen_job_unique (unique_key, kind, unique_period, unique_scope),
    key dolmen_job_line (ordering_key, state, created_at, id),
    -- Those who crashed are few.
    key dolmen_job_crashed (crashes)
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;

-- Queues that nothing is claimed from.
create table dolmen_job_paused (
    queue varchar(64) not null primary key
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;

-- What workers hold: the jobs that one claim took, and until when. The jobs are JSON, `[["<id in hexadecimal>", <token>], ..]`.
create table dolmen_job_claim (
    id binary(16) not null primary key,
    worker binary(16) not null,
    lease_until datetime(6) not null,
    jobs longtext not null
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;

create view dolmen_job_running as
    select unhex(held.job) as job, held.token, claim.id as claim, claim.lease_until
    from dolmen_job_claim as claim,
        json_table(claim.jobs, '$[*]' columns (job char(32) path '$[0]', token bigint path '$[1]')) as held;

-- Jobs that wait for another one of their line: an earlier one that is active, or one that is running.
create view dolmen_job_behind as
    select id from dolmen_job as waiting
    where ordering_key is not null and (
        exists (
            select 1 from dolmen_job as earlier
            where earlier.ordering_key = waiting.ordering_key and earlier.state = 'active'
                and (earlier.created_at, earlier.id) < (waiting.created_at, waiting.id))
        or exists (
            select 1 from dolmen_job as other
            where other.ordering_key = waiting.ordering_key and other.state = 'active'
                and (other.id, other.token) in (select job, token from dolmen_job_running)));

-- Ascends after commits that left work for other processes: they wait for that.
create table dolmen_job_hint (
    id integer not null primary key,
    number bigint not null
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
insert into dolmen_job_hint (id, number) values (1, 0);

-- Claims take turns: each locks this row.
create table dolmen_job_turn (
    id integer not null primary key
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
insert into dolmen_job_turn (id) values (1);

-- Ticks of schedules that were published.
create table dolmen_schedule_tick (
    schedule varchar(255) not null,
    tick datetime(6) not null,
    primary key (schedule, tick)
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;

-- Requests and messages that were handled. The scope is the tenant, or the nil id for the system.
create table dolmen_inbox (
    scope binary(16) not null,
    consumer varchar(255) not null,
    message varchar(255) not null,
    fingerprint varbinary(32) not null,
    outcome longblob not null default (''),
    claimed_at datetime(6) not null,
    primary key (scope, consumer, message),
    key dolmen_inbox_claimed (claimed_at)
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;

-- Sessions, found by the hash of their token.
create table dolmen_session (
    token varbinary(32) not null primary key,
    user_id binary(16) not null,
    tenant binary(16) not null,
    role varchar(255) not null,
    expires_at datetime(6) not null,
    key dolmen_session_expires (expires_at)
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;

-- Who did what: rows are added and never changed.
create table dolmen_audit (
    id binary(16) not null primary key,
    tenant binary(16),
    at datetime(6) not null,
    actor binary(16),
    action text not null,
    target text not null,
    key dolmen_audit_tenant (tenant, id)
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;

-- Written on the primary by those who read from replicas, who see there how far a replica has come.
create table dolmen_replica_heartbeat (
    id integer primary key,
    -- Drawn once: tells replicas of this database from those of others.
    origin bigint not null,
    at datetime(6) not null
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
