create table bench_order (
    id binary(16) not null primary key,
    note varchar(255)
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
