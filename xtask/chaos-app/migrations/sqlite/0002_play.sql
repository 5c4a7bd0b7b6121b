-- No key here either: a part that was written twice must be able to show.
create table chaos_unit (unit integer not null, part integer not null) strict;
create table chaos_account (id integer primary key, balance integer not null, version integer not null) strict;
create table chaos_shape (id integer primary key, last integer not null) strict;
-- SQLite does not tell. A transaction that stands open keeps the next one from writing, which shows.
create view chaos_idle_transaction as select 0 as idle;
