-- No key here either: a part that was written twice must be able to show.
create table chaos_unit (unit bigint not null, part integer not null);
create table chaos_account (id bigint primary key, balance bigint not null, version bigint not null);
create table chaos_shape (id bigint primary key, last integer not null);
-- How many transactions stand open on this database and do nothing, but for the one that asks.
create view chaos_idle_transaction as
    select count(*) as idle from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and state like 'idle in transaction%';
