-- No unique constraint and no key: a second effect of a job must be able to happen, so that its absence means something.
create table chaos_effect (
    job varchar(64) not null,
    process bigint not null
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
