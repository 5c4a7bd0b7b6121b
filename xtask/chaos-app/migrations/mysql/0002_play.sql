-- No key here either: a part that was written twice must be able to show.
create table chaos_unit (unit bigint not null, part integer not null) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
create table chaos_account (id bigint primary key, balance bigint not null, version bigint not null) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
create table chaos_shape (id bigint primary key, last integer not null) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
-- How many transactions stand open on this database and do nothing, but for the one that asks.
create view chaos_idle_transaction as
    select count(*) as idle from information_schema.innodb_trx
    join information_schema.processlist on processlist.id = innodb_trx.trx_mysql_thread_id
    where processlist.db = database() and processlist.command = 'Sleep' and processlist.id <> connection_id();
