create table bench_order (
    id binary(16) not null primary key,
    tenant binary(16) not null,
    number bigint not null,
    customer varchar(255) not null,
    total_minor bigint not null
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
-- No key: what happens twice must show.
create table bench_shipment (
    number bigint not null,
    started_after_us bigint not null
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
