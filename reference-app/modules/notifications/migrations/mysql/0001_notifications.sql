create table notifications_sent_mail (
    tenant binary(16) not null,
    job binary(16) not null,
    invoice binary(16) not null,
    recipient text not null,
    sent_at datetime(6) not null,
    primary key (tenant, job)
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
