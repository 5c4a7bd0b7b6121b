create table reports_report (
    tenant binary(16) not null,
    id binary(16) not null,
    month varchar(16) not null,
    job binary(16) not null,
    created_at datetime(6) not null,
    done_at datetime(6),
    primary key (tenant, id)
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
